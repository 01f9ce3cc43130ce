"""Checkpoints and pending writes in LangGraph's form, and ours: pure translations in both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from stepgraph.compat.deltas import really_seen
from stepgraph.compat.format import (
    BESIDE,
    BRANCH,
    CONTROL,
    ERROR,
    ERROR_SOURCE,
    INTERRUPT,
    NO_WRITES,
    RESUME,
    TASKS,
    VERSION,
    interrupts_in,
    members,
    whole,
)
from stepgraph.compat.format_ids import first_version, task_id
from stepgraph.compat.langgraph._internal._constants import RETURN
from stepgraph.compat.ledger import Ledger, numbers
from stepgraph.compat.migrated import migrated
from stepgraph.compat.twins import ours
from stepgraph.core.changed import PENDING, fingerprint
from stepgraph.core.channels import NamedBarrierValue, Topic
from stepgraph.core.checkpoint import PULL, PUSH, Control, Record, Stored
from stepgraph.core.entry import NOBODY
from stepgraph.core.plan import Node, Plan
from stepgraph.core.recorded import without
from stepgraph.core.state import WAITING, State
from stepgraph.core.types import START, limit, sent


@dataclass(slots=True)
class Theirs(Stored):
    """A checkpoint as read back from a saver of LangGraph's, with what it was translated from."""

    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    pending: Sequence[tuple[str, str, Any]] = ()
    newest: bool = False
    """Whether it was asked for as the thread's newest, not by its id."""


def checkpoint_of(ledger: Ledger, state: State, control: Control, id: str | None, inputs: Any) -> dict[str, Any]:
    """LangGraph's form of a state. The containers are its own, the values in them are shared."""
    plan, versions = ledger.plan, ledger.versions
    untracked = plan.untracked
    values = {key: value for key, value in state.values.items() if key in versions and key not in untracked}
    for key in _special(plan):
        if key in values and isinstance(plan.channels[key], NamedBarrierValue):
            values[key] = _arrived(set, values[key])
        elif key in versions and isinstance(plan.channels[key], Topic):
            values.setdefault(key, [])
    if ledger.start:
        values[START] = without(untracked, inputs)
    values.update(ledger.controls())
    if TASKS in versions:
        values[TASKS] = [sent(node, arg, timeout) for node, arg, timeout in control.sends]
    return {
        "v": VERSION,
        "ts": datetime.now(UTC).isoformat(),
        "id": id,
        "channel_values": values,
        "channel_versions": dict(versions),
        "versions_seen": {name: dict(seen) for name, seen in ledger.seen.items()},
        "updated_channels": sorted(ledger.updated),
        # A key that LangGraph neither reads nor keeps: the edges behind the nodes that run next.
        BESIDE: fingerprint(plan, (*control.next, *(send[0] for send in control.sends))),
    }


def stub_of(id: str) -> dict[str, Any]:
    """A checkpoint in which nothing has been written."""
    now = datetime.now(UTC).isoformat()
    return {"v": VERSION, "ts": now, "id": id, "channel_values": {}, "channel_versions": {}, "versions_seen": {}}


def stored_of(
    found: Any, plan: Plan, thread: str, ns: str, replayed: Mapping[str, Any] = MappingProxyType({})
) -> Theirs:
    """Our form of a CheckpointTuple. Channels that the graph no longer has are left out.

    `replayed` are the values of channels that it does not hold itself.
    """
    checkpoint, metadata = migrated(found.checkpoint, plan), dict(found.metadata or {})
    ledger = Ledger(plan, _never)
    ledger.read(checkpoint)
    channels, held = plan.channels, checkpoint["channel_values"]
    values = {key: ours(whole(value)) for key, value in held.items() if key in channels or key == START}
    values.update(replayed)
    for key in _special(plan):
        if key in values and isinstance(channels[key], NamedBarrierValue):
            values[key] = _arrived(frozenset, values[key])
        elif key in values and not values[key]:
            del values[key]
    ledger.values = values
    if BESIDE in found.checkpoint:
        values = {**values, PENDING: found.checkpoint[BESIDE]}
    known = numbers([*ledger.versions.values(), *(each for seen in ledger.seen.values() for each in seen.values())])
    parent = found.parent_config
    step = metadata.pop("step", -1)
    stored = Theirs(
        thread,
        ns,
        checkpoint["id"],
        parent["configurable"].get("checkpoint_id") if parent else None,
        step,
        metadata.pop("source", "loop"),
        datetime.fromisoformat(checkpoint["ts"]).timestamp() if checkpoint["ts"] else 0.0,  # some list without it
        max((known[version] for version in ledger.versions.values()), default=0),
        values,
        _control(ledger, held),
        {
            name: 1 + max(known[each] for each in seen.values())
            for name, seen in really_seen(ledger.seen).items()
            if seen and (name in plan.nodes or not name.startswith("__"))
        },
        {key: known[version] for key, version in ledger.versions.items()},
        metadata,
        checkpoint=checkpoint,
        pending=found.pending_writes or (),
    )
    if found.pending_writes:
        stored.records = records_of(found.pending_writes, plan, stored)
    return stored


def _arrived(kind: Any, value: Any) -> Any:
    """A barrier's names as a set of that kind, where they stand beside whether it is finished too."""
    return (kind(members(value[0])), value[1]) if isinstance(value, (tuple, list)) else kind(members(value))


def _special(plan: Plan) -> list[str]:
    """The keys whose values LangGraph stores in another form: barriers as sets, topics also when they are empty."""
    return [key for key, channel in plan.channels.items() if isinstance(channel, (NamedBarrierValue, Topic))]


def _control(ledger: Ledger, values: Mapping[str, Any]) -> Control:
    plan = ledger.plan
    sends = tuple(
        (send.node, send.arg, limit(ours(send)))
        for send in values.get(TASKS) or ()
        if hasattr(send, "node") and hasattr(send, "arg")
    )
    channels: dict[str, Any] = {
        key: frozenset(arrived) for key, arrived in ledger.barriers.items() if arrived and key in plan.barriers
    }
    if waiting := ledger.waiting():
        channels[WAITING] = waiting
    return Control(tuple(ledger.ready()), sends, channels)


def following(checkpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """The nodes that a checkpoint leads to, as far as that can be told without the graph: not after joins."""
    values = checkpoint["channel_values"]
    sends = dict.fromkeys(send.node for send in values.get(TASKS) or () if hasattr(send, "node"))
    return (*sends, *sorted(key[len(BRANCH) :] for key in values if key.startswith(BRANCH)))


def _never(*_: Any) -> Any:
    raise AssertionError("a checkpoint that is read gets no new versions")


# Pending writes

ROUTED = "routed"
"""What is kept beside a task's outcome that looks as if a router had failed, though none did."""


def writes_of(record: Record) -> list[tuple[str, Any]] | None:
    """A record as pending writes of its task, or None where LangGraph has no word for it."""
    payload = record.payload
    match record.kind:
        case "interrupt":
            return [(INTERRUPT, tuple(payload))]
        case "resume":
            return [(RESUME, payload[0] if record.task == NOBODY else list(payload))]
        case "error":
            return [(ERROR, payload)]
        case "handler":
            return [(ERROR_SOURCE, record.node)]
        case "outcome":
            writes, routes, joins = payload
            found = list(writes)
            found += [_routed(route, START if record.task == NOBODY else None) for route in routes]
            found += [(key, record.node) for key in joins]
            return found if found or record.task == NOBODY else [(NO_WRITES, None)]
        case _:
            return None


def _routed(route: Any, by: str | None) -> tuple[str, Any]:
    if isinstance(route, str):
        return BRANCH + route, by
    return TASKS, sent(*route) if isinstance(route, tuple) else route


def records_of(writes: Sequence[tuple[str, str, Any]], plan: Plan, stored: Theirs) -> tuple[Record, ...]:
    """Pending writes as records of tasks, with what was kept beside."""
    tasks: dict[str, list[tuple[str, Any]]] = {}
    beside: list[Mapping[str, Any]] = []
    for task, channel, value in writes:
        if channel == BESIDE:
            beside.append(value)
        else:
            tasks.setdefault(task, []).append((channel, value))
    names = _planned(plan, stored) if tasks else {}
    routed = {each["task"] for each in beside if each["kind"] == ROUTED}
    found = [
        record
        for task, written in tasks.items()
        for record in _records(task, written, plan, *names.get(task, ("", ())), routed=task in routed)
    ]
    for each in sorted(beside, key=lambda about: about["order"]):
        if each["kind"] == ROUTED:
            continue
        found.append(Record(each["task"], each["kind"], each["payload"], each["node"], tuple(each["path"])))
    return tuple(found)


def _planned(plan: Plan, stored: Theirs) -> dict[str, tuple[str, tuple[Any, ...]]]:
    """Task id -> (node, path) of the tasks that the checkpoint leads to."""
    control, step, old = stored.control, stored.step + 1, first_version(stored.checkpoint)
    found: dict[str, tuple[str, tuple[Any, ...]]] = {}
    for name in control.next:
        found[task_id(stored.id, stored.ns, step, name, plan.nodes[name].ready_by, -1, old)] = (name, (PULL, name))
    for place, (name, _, _) in enumerate(control.sends):
        found[task_id(stored.id, stored.ns, step, name, (), place, old)] = (name, (PUSH, place, False))
    return found


def _records(
    task: str,
    written: Sequence[tuple[str, Any]],
    plan: Plan,
    node: str,
    path: tuple[Any, ...],
    *,
    routed: bool,
) -> list[Record]:
    found: list[Record] = []
    error: Any = None
    for channel, value in written:
        if channel == INTERRUPT:
            found.append(Record(task, "interrupt", interrupts_in(value), node, path))
        elif channel == RESUME:
            answers = value if isinstance(value, list) and task != NOBODY else [value]
            found.append(Record(task, "resume", answers, node, path))
        elif channel == ERROR:
            error = value if isinstance(value, str) else repr(value)
            found.append(Record(task, "error", error, node, path))
    output = [each for each in written if each[0] not in CONTROL]
    handler = plan.nodes[node].handler if node in plan.nodes else None
    if handler is not None and error is not None and any(channel == ERROR_SOURCE for channel, _ in written):
        found.append(Record(task, "handler", (handler, "builtins:Exception", error), node, path))
    elif output:
        writes = tuple((key, ours(value)) for key, value in output if key in plan.channels or key == RETURN)
        routes = tuple(route for key, value in output if (route := _route(key, value)) is not None)
        if error is not None and not routed and node in plan.nodes and unrouted(plan.nodes[node], routes):
            found.append(Record(task, "proposal", (writes, ()), node, path))
        else:
            joins = tuple(key for key, _ in output if key in plan.barriers)
            found.append(Record(task, "outcome", (writes, routes, joins), node, path))
    return found


def unrouted(node: Node, routes: Sequence[Any]) -> bool:
    """Whether a task that failed once may not have been routed: its body is over, but a router may have raised.

    LangGraph keeps what such a task had written, takes it for finished, and loses the branch. Where it ran again and
    its routers chose nothing, the same is stored: then they are asked once more.
    """
    return bool(node.routers) and all(route in node.successors for route in routes)


def _route(key: str, value: Any) -> Any:
    if key.startswith(BRANCH):
        return key[len(BRANCH) :]
    if key == TASKS and hasattr(value, "node"):
        return value.node, value.arg, limit(ours(value))
    return None
