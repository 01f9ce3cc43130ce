"""A thread whose graph has changed since: nodes that were renamed go on under their new names, others are named."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stepgraph.core.checkpoint import Control, Record, Stored
from stepgraph.core.plan import Plan
from stepgraph.core.state import WAITING
from stepgraph.core.task import PUSH, Scope, Task
from stepgraph.core.types import START

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine

logger = logging.getLogger("stepgraph")


def current(engine: Engine, stored: Stored) -> Stored:
    """The checkpoint in the words of the graph as it is now: `compile(renamed={"old": "new"})` says what changed."""
    names = engine.plan.renamed
    if not names:
        return stored
    engine.scope.checkpoint = stored.id
    control = stored.control
    return replace(
        stored,
        control=Control(
            tuple(names.get(name, name) for name in control.next),
            tuple((names.get(node, node), arg, timeout) for node, arg, timeout in control.sends),
            _channels(control.channels, names),
        ),
        seen={names.get(name, name): version for name, version in stored.seen.items()},
        records=tuple(_record(engine.scope, stored, record, names) for record in stored.records),
    )


def _channels(channels: Mapping[str, object], names: Mapping[str, str]) -> dict[str, object]:
    """Joins under their new keys, with what has come in under new names."""
    found: dict[str, object] = {}
    for key, value in channels.items():
        if key == WAITING or key.startswith("join:"):
            new = frozenset(names.get(name, name) for name in value)  # type: ignore[attr-defined]  # sets of names
            found[_join(key, names)] = new
        else:
            found[key] = value
    return found


def _join(key: str, names: Mapping[str, str]) -> str:
    """The key of an AND-join under the names of now."""
    if not key.startswith("join:"):
        return key
    _, sources, node = key.split(":")
    return f"join:{'+'.join(names.get(name, name) for name in sources.split('+'))}:{names.get(node, node)}"


def _record(scope: Scope, stored: Stored, record: Record, names: Mapping[str, str]) -> Record:
    """A task's record under the id that the task has now, and with where it went under the names of now."""
    if record.kind == "outcome":
        writes, routes, joins = record.payload
        routes = tuple(names.get(each, each) if isinstance(each, str) else _sent(each, names) for each in routes)
        record = record._replace(payload=(writes, routes, tuple(_join(key, names) for key in joins)))
    name = names.get(record.node)
    node = None if name is None else scope.plan.nodes.get(name)
    if name is None or node is None:
        return record
    key = record.path[1] if record.path and record.path[0] == PUSH else -1
    task = Task(node, scope, stored.step + 1, key, None)
    return record._replace(task=task.id, node=name, path=task.path)


def _sent(send: Any, names: Mapping[str, str]) -> Any:
    return (names.get(send[0], send[0]), *send[1:])


def tell(plan: Plan, stored: Stored) -> None:
    """Warn of nodes that the thread knows and the graph does not."""
    missing = [name for name in stored.seen if name not in plan.nodes and not name.startswith("__")]
    if missing:
        logger.warning(
            "Thread %r was run by a graph with other nodes than %r has now: %s. %s",
            stored.thread, plan.name, ", ".join(map(repr, missing)), advice(plan, missing, stored.seen),
        )  # fmt: skip


def advice(plan: Plan, missing: Iterable[str], known: Iterable[str]) -> str:
    """How to mend that: the likeliest new names, as an argument of `compile`."""
    from difflib import get_close_matches

    new = [name for name in plan.nodes if name not in set(known) and name != START]
    found = {}
    for name in missing:
        near = get_close_matches(name, new, 1, 0.4) or (new if len(new) == 1 else [])
        if near:
            found[name] = near[0]
    if found:
        return f"If they have other names now: compile(renamed={found!r})."
    return 'If one has another name now: compile(renamed={"old": "new"}).'
