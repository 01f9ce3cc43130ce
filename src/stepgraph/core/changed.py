"""A thread whose graph has changed since: nodes that were renamed go on under their new names, others are named."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stepgraph.core.checkpoint import PUSH, Control, Record, Stored
from stepgraph.core.plan import Plan
from stepgraph.core.state import LAST, WAITING
from stepgraph.core.task import Scope, Task
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
        if key in (WAITING, LAST) or key.startswith("join:"):
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


# What is kept of the graph itself

GRAPH = "__graph__"
"""The stored key that holds the graph: each node with its edges, once a thread and again when it has changed."""
PENDING = "__pending__"
"""The same of those nodes only that run next, where each checkpoint stands for itself (LangGraph's savers)."""
Edge = str | list[str]
Edges = dict[str, list[Edge]]
"""By node: the targets of its static edges, its joins' keys, and of each router its name and declared targets."""


def edges_of(plan: Plan, name: str) -> list[Edge]:
    """Where a node leads to, as far as the graph says."""
    node = plan.nodes[name]
    routers: list[Edge] = [[each.name, *(each.targets if each.path_map else ())] for each in node.routers]
    return [*node.successors, *sorted(node.joins), *routers]


def fingerprint(plan: Plan, names: Iterable[str] | None = None) -> str:
    """The graph, or these nodes of it, as a text that can be compared and read."""
    from json import dumps  # only what is stored needs it

    wanted = plan.nodes if names is None else [name for name in sorted(set(names)) if name in plan.nodes]
    found = {name: edges_of(plan, name) for name in wanted}
    return dumps(found, ensure_ascii=False, separators=(",", ":"))


def kept(plan: Plan) -> Mapping[str, str]:
    """What a checkpoint keeps of the whole graph, made once."""
    if plan.kept is None:
        plan.kept = {GRAPH: fingerprint(plan)}
    return plan.kept


def unknown_graph(plan: Plan, stored: Stored | None) -> Mapping[str, str]:
    """What the next checkpoint has to keep of the graph: nothing if the thread knows it as it is."""
    mine = plan.kept or kept(plan)
    return {} if stored is not None and stored.values.get(GRAPH) == mine[GRAPH] else mine


def tell(plan: Plan, stored: Stored) -> None:
    """Warn of nodes that the thread knows and the graph does not, and of other edges of what runs next."""
    graph = stored.values.get(GRAPH)
    if graph is not None and graph == kept(plan)[GRAPH]:
        return
    edges = _read(plan, stored)
    known = edges if graph is not None else stored.seen
    missing = [name for name in known if name not in plan.nodes and not name.startswith("__")]
    if missing:
        logger.warning(
            "Thread %r was run by a graph with other nodes than %r has now: %s. %s",
            stored.thread, plan.name, ", ".join(map(repr, missing)), advice(plan, missing, stored),
        )  # fmt: skip
    changed = _other_edges(plan, stored, edges)
    if changed:
        logger.warning(
            "Thread %r was planned by a graph with other edges than %r has now, and goes on with those of now: %s.",
            stored.thread, plan.name, "; ".join(changed),
        )  # fmt: skip


def _read(plan: Plan, stored: Stored) -> Edges:
    """The kept graph, under the names of now."""
    from json import loads

    names = plan.renamed
    edges: Edges = loads(stored.values.get(GRAPH) or stored.values.get(PENDING) or "{}")
    if not names:
        return edges
    return {names.get(node, node): [_now(each, names) for each in found] for node, found in edges.items()}


def _now(edge: Edge, names: Mapping[str, str]) -> Edge:
    if isinstance(edge, str):
        return _join(edge, names) if edge.startswith("join:") else names.get(edge, edge)
    return [edge[0], *(names.get(each, each) for each in edge[1:])]


def _other_edges(plan: Plan, stored: Stored, edges: Edges) -> list[str]:
    """What has changed behind the nodes that run next, and which joins wait in vain, in words."""
    found = []
    pending = dict.fromkeys((*stored.control.next, *(send[0] for send in stored.control.sends)))
    for name in pending:
        if name not in plan.nodes or name not in edges:
            continue
        before, now = _sorted(edges[name]), _sorted(edges_of(plan, name))
        if before != now:
            found.append(f"{name!r} led to {_words(before)}, now to {_words(now)}")
    for key in stored.control.channels:
        if key.startswith("join:") and key not in plan.barriers:
            _, sources, node = key.split(":")
            found.append(f"{node!r} waited for {sources.replace('+', ' and ')}, and no edge joins these now")
    return found


def _sorted(edges: Iterable[Edge]) -> list[Edge]:
    """In one order, however the names were when they were stored."""
    return sorted((each if isinstance(each, str) else [each[0], *sorted(each[1:])] for each in edges), key=str)


def _words(edges: Iterable[Edge]) -> str:
    found = []
    for each in edges:
        if not isinstance(each, str):
            found.append(f"what {each[0]!r} chooses" + (f" of {', '.join(each[1:])}" if each[1:] else ""))
        elif each.startswith("join:"):
            _, sources, node = each.split(":")
            found.append(f"{node!r} after {sources.replace('+', ' and ')}")
        else:
            found.append(repr(each))
    return ", ".join(found) or "nothing"


def advice(plan: Plan, missing: Sequence[str], stored: Stored) -> str:
    """How to mend that: the likeliest new names, as an argument of `compile`.

    A new node with the edges of a lost one is likelier than one with a name like its.
    """
    from difflib import get_close_matches

    edges = _read(plan, stored)
    known = edges if GRAPH in stored.values else stored.seen
    new = [name for name in plan.nodes if name not in set(known) and name != START]
    found: dict[str, str] = {}
    for name in missing:
        left = [each for each in new if each not in found.values()]
        same = [each for each in left if name in edges and _same(plan, edges[name], each, {name: each})]
        near = get_close_matches(name, same, 1, 0.4) or (same if len(same) == 1 else [])
        near = near or get_close_matches(name, left, 1, 0.4) or (left if len(left) == 1 else [])
        if near:
            found[name] = near[0]
    if found:
        return f"If they have other names now: compile(renamed={found!r})."
    return 'If one has another name now: compile(renamed={"old": "new"}).'


def _same(plan: Plan, edges: Iterable[Edge], node: str, names: Mapping[str, str]) -> bool:
    """Whether a new node leads where a lost one did."""
    return _sorted(_now(each, names) for each in edges) == _sorted(edges_of(plan, node))
