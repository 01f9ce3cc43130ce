"""What a pending update would change, key by key: the rows of a review card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from stepgraph.approve.jsonable import jsonable
from stepgraph.core.channels import overwritten
from stepgraph.core.combining import reducer_name
from stepgraph.core.plan import Plan
from stepgraph.core.types import MISSING, Namespace, Pause, Writes


class Change(NamedTuple):
    """One key: `old` and `new` are MISSING when there is no value; `proposed` is the one write, or a tuple of several.

    `writers` are (task address, write) in the order of the reducer; one entry except at `step`.
    """

    key: str
    reducer: str | None
    old: Any
    proposed: Any
    new: Any
    writers: tuple[tuple[str, Any], ...] = ()


def plan_of(plan: Plan, pause: Pause) -> Plan | None:
    """The plan of the graph that asks, found from the outermost one; None for a graph that only node code knows."""
    for task in pause.tasks:
        scope = getattr(task, "scope", None)
        if scope is not None:
            found: Plan = scope.plan
            return found
    for part in pause.ns:
        node = plan.nodes.get(part.partition(":")[0])
        if node is None or node.child is None:
            return None
        plan = node.child
    return plan


def path_of(ns: Namespace, node: str | None = None) -> str:
    """`research/plan` for a node inside a subgraph; the subgraph's own path without `node`."""
    parts = [part.partition(":")[0] for part in ns]
    return "/".join([*parts, node] if node else parts)


def address_of(pause: Pause) -> str:
    """`path/node#k@s`, or `path@s` for a whole superstep."""
    where = path_of(pause.ns, pause.node)
    index = f"#{pause.index}" if pause.node and pause.index else ""
    return f"{where}{index}@{pause.step}"


def node_of(address: str) -> str:
    """The node's name in the address of a task."""
    return address.partition("@")[0].partition("#")[0].rpartition("/")[2]


def shortened(address: str) -> str:
    """`draft@3` for `draft#0@3`: the number of a node's first task in a superstep is left out."""
    return address.replace("#0@", "@")


def asked_of(given: Any) -> Any:
    """What of a task's input a person is asked about: all of it, unless its class says so in `__asked__`.

    Such a class also has `__edited__(changes)`, which gives the input with some of those keys changed, and
    `__answer__()`, an update to begin with for who answers in the task's place.
    """
    asked = getattr(given, "__asked__", None)
    return given if asked is None else asked()


def changes_of(plan: Plan, pause: Pause, values: Mapping[str, Any]) -> tuple[Change, ...]:
    """The rows for a pause; `values` are the graph's values before, `plan` that of the pause's namespace."""
    if pause.place == "step":
        writers = [(task.address, task.writes) for task in pause.tasks]
    elif pause.place in ("after", "edge", "error"):
        writers = [(address_of(pause), pause.writes)]
    else:
        return ()
    return changes_between(plan, values, pause.result, writers)


def changes_between(
    plan: Plan, values: Mapping[str, Any], result: Mapping[str, Any], writers: list[tuple[str, Writes]]
) -> tuple[Change, ...]:
    """One row a written key, in the order written."""
    rows: dict[str, list[tuple[str, Any]]] = {}
    for address, writes in writers:
        for key, update in writes:
            rows.setdefault(key, []).append((address, update))
    found = []
    for key, written in rows.items():
        proposed = written[0][1] if len(written) == 1 else tuple(update for _, update in written)
        new = result.get(key, MISSING)
        old = values.get(key, MISSING)
        found.append(Change(key, reducer_name(plan.channels[key]), old, proposed, new, tuple(written)))
    return tuple(found)


def proposal_of(changes: tuple[Change, ...]) -> dict[str, Any]:
    """The written keys as JSON, in the form that an edit takes them back: several writes to a key as their result."""
    found: dict[str, Any] = {}
    for each in changes:
        replaced = overwritten(each.proposed)
        if replaced is not MISSING:
            found[each.key] = {"$set": jsonable(replaced)}
        elif len(each.writers) > 1:
            found[each.key] = {"$set": jsonable(None if each.new is MISSING else each.new)}
        else:
            shown = jsonable(each.proposed)
            looks_like_operation = isinstance(shown, dict) and shown and all(str(key).startswith("$") for key in shown)
            found[each.key] = {"$set": jsonable(each.new)} if looks_like_operation else shown
    return found
