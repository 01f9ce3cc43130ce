"""Where a stop is: the grammar `place[:pattern][/router]`, and what a pattern matches.

A pattern is a node's path with its subgraphs, `research/plan`. `*` stands for part of one level, `**` for any levels:
`after:*` is every node of the outermost graph, `after:**/plan` every node called plan. At `plan`, `step` and
`committed`, which ask about whole supersteps, it is a graph's path: `step` alone is the outermost one, `step:**` all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple, cast

from stepgraph.approve.verbs import PLACES, closest
from stepgraph.core.inside import functions_in, graphs_in
from stepgraph.core.plan import Plan
from stepgraph.core.types import START, Place

WHOLE = ("plan", "step", "committed")
"""The places that ask about a superstep and not about one task."""
DEEPEST = 3
"""Through how many graphs that call each other names are looked for: each way through them is a path of its own."""


class Spec(NamedTuple):
    """A parsed stop: `pattern` is matched against paths, `router` names one router of an edge."""

    place: Place
    pattern: str
    router: str | None = None


def parse(text: str, plan: Plan) -> Spec:
    """Raises ValueError for an unknown place, node or router, saying what is known, and TypeError for no text."""
    if not isinstance(text, str):
        raise TypeError(
            f"A stop is named by text such as 'after:draft', got {text!r} of type {type(text).__name__}. "
            f"Places: {', '.join(PLACES)}."
        )
    place, colon, pattern = (part.strip() for part in text.strip().partition(":"))
    if place not in PLACES:
        raise ValueError(
            f"{text!r}: {place!r} is no place to stop at{closest(place, PLACES)}. Places: {', '.join(PLACES)}; "
            "a node follows after a colon, as in 'after:draft'."
        )
    if colon and not pattern:
        raise ValueError(f"{text!r}: a node's name is wanted after the colon, as in '{place}:draft'.")
    found = Spec(place, pattern or ("" if place in WHOLE else "**"))
    if place == "edge" and pattern:
        found = _with_router(found, plan)
    problem = problem_of(found, plan)
    if problem is not None:
        raise ValueError(f"{text!r}: {problem}")
    return found


def problem_of(spec: Spec, plan: Plan) -> str | None:
    """Why the stop can't be reached in this graph, or None."""
    known = list(graph_paths(plan)) if spec.place in WHOLE else list(node_paths(plan))
    if not any(matches(spec.pattern, path) for path in known):
        return _problem_of_called(spec, plan, known)
    if spec.router is not None and not any(spec.router in names for names in _routers(spec.pattern, plan)):
        names = sorted({name for names in _routers(spec.pattern, plan) for name in names})
        return (
            f"{spec.pattern!r} has no router {spec.router!r}{closest(spec.router, names)}. "
            f"Its routers: {', '.join(names) or 'none'}."
        )
    return None


def notice_of(spec: Spec, plan: Plan) -> str | None:
    """What is to be said of a stop that can be reached if the graph calls what it does not name."""
    if spec.place in WHOLE or any(matches(spec.pattern, path) for path in node_paths(plan)):
        return None
    found = called(plan)
    if any(matches(spec.pattern, path) for path in (*found.functions, *found.nodes)):
        return None
    return (
        f"the graph names neither a node nor a function {spec.pattern!r}{closest(spec.pattern, found.functions)}: "
        "it stops where a function of that name is called"
    )


@lru_cache(maxsize=4096)
def matches(pattern: str, path: str) -> bool:
    """Whether a path such as `research/plan` fits a pattern with `*` and `**`."""
    if pattern == path:
        return True
    if "*" not in pattern and "?" not in pattern:
        return False
    return _expression(pattern).fullmatch(path) is not None


def node_paths(plan: Plan, above: str = "") -> Iterator[str]:
    """Every node with the path of its subgraphs, outer ones first."""
    for name, node in plan.nodes.items():
        if name != START:
            yield f"{above}{name}"
            if node.child is not None:
                yield from node_paths(node.child, f"{above}{name}/")


class Called(NamedTuple):
    """What the code of a graph's nodes calls, as far as it names it: functions made by `@task`, and nodes of graphs."""

    functions: tuple[str, ...]
    nodes: tuple[str, ...]


_Named = dict[int, tuple[list[Any], list[Any]]]
"""Functions and graphs that code names, by the id of what it is the code of: reading code is what takes time."""


class _Level(NamedTuple):
    """Where a search is: the path before a name, the graphs around, and the functions looked at in this one."""

    above: str
    around: frozenset[int]
    known: set[int]
    named: _Named


def called(plan: Plan) -> Called:
    """The paths of functions and nodes that are no part of the graph itself, through at most DEEPEST graphs."""
    found = dict(_called_in(plan, "", frozenset(), {}))
    return Called(*(tuple(path for path, is_node in found.items() if is_node is kind) for kind in (False, True)))


def _called_in(plan: Plan, above: str, around: frozenset[int], named: _Named) -> Iterator[tuple[str, bool]]:
    level = _Level(above, around, set(), named)
    for name, node in plan.nodes.items():
        if node.child is not None:
            yield from _called_in(node.child, f"{above}{name}/", around, named)
        elif node.source is not None:
            yield from _called_by(f"{above}{name}", node.source, level)


def _called_by(path: str, source: Any, level: _Level, chain: tuple[int, ...] = ()) -> Iterator[tuple[str, bool]]:
    """What code names: that of the node or function at `path`, `chain` being the functions that have led there.

    A function is asked about below its graph, a graph that it calls below the node and functions that have led to it.
    """
    if id(source) not in level.named:
        level.named[id(source)] = list(functions_in(source)), list(graphs_in(source))
    functions, graphs = level.named[id(source)]
    for function in functions:
        yield f"{level.above}{function.__name__}", False
        again = id(function) in (chain if len(chain) < DEEPEST else level.known)
        level.known.add(id(function))
        if not again:
            yield from _called_by(f"{path}/{function.__name__}", function.func, level, (*chain, id(function)))
    for graph in graphs:
        plan = graph.plan
        if isinstance(plan, Plan) and id(plan) not in level.around and len(level.around) < DEEPEST:
            yield from ((inner, True) for inner in node_paths(plan, f"{path}/"))
            yield from _called_in(plan, f"{path}/", level.around | {id(plan)}, level.named)


def graph_paths(plan: Plan, above: str = "") -> Iterator[str]:
    """The paths of the graph itself ("") and of its subgraphs."""
    yield above.rstrip("/")
    for name, node in plan.nodes.items():
        if node.child is not None:
            yield from graph_paths(node.child, f"{above}{name}/")


@lru_cache(maxsize=512)
def _expression(pattern: str) -> re.Pattern[str]:
    text = ""
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            text, at = f"{text}(?:.*/)?", at + 3
        elif pattern.startswith("**", at):
            text, at = f"{text}.*", at + 2
        elif pattern[at] == "*":
            text, at = f"{text}[^/]*", at + 1
        elif pattern[at] == "?":
            text, at = f"{text}[^/]", at + 1
        else:
            text, at = text + re.escape(pattern[at]), at + 1
    return re.compile(text)


def _problem_of_called(spec: Spec, plan: Plan, known: list[str]) -> str | None:
    """The same where no part of the graph fits: what its code calls may, or could if it is known only when it runs."""
    found = called(plan)
    if spec.place in WHOLE:
        known += dict.fromkeys(path.rpartition("/")[0] for path in found.nodes)
    elif any(matches(spec.pattern, path) for path in found.functions):
        if spec.place in ("after", "edge"):
            return (
                f"{spec.pattern!r} is a called function, which has neither update nor edges. "
                f"There are 'before:{spec.pattern}' and 'error:{spec.pattern}'."
            )
        return None
    elif spec.place not in ("after", "edge") and _is_in_entrypoint(spec.pattern, plan):
        return None
    else:
        known += found.nodes if spec.place in ("after", "edge") else (*found.nodes, *found.functions)
    if any(matches(spec.pattern, path) for path in known):
        return None
    what = "subgraph" if spec.place in WHOLE else "node"
    shown = ", ".join(path or "(the graph itself)" for path in known)
    more = "" if spec.place in (*WHOLE, "after", "edge") else _HIDDEN.format(place=spec.place)
    return f"the graph has no {what} {spec.pattern!r}{closest(spec.pattern, known)}. Known: {shown}.{more}"


_HIDDEN = " A function that the code of nodes does not name is met by '{place}:*', when=\"q.node == 'its name'\"."


def _is_in_entrypoint(pattern: str, plan: Plan) -> bool:
    """Whether it names something right inside an entrypoint, whose functions are known for sure only when called."""
    for part in pattern.split("/")[:-1]:
        node = plan.nodes.get(part)
        if node is None or node.child is None:
            return False
        plan = node.child
    return plan.entry != START


def _with_router(spec: Spec, plan: Plan) -> Spec:
    """Splits off the router of `edge:node/router`, unless the whole is a node inside a subgraph."""
    node, slash, router = spec.pattern.rpartition("/")
    known = list(node_paths(plan))
    if not slash or any(matches(spec.pattern, path) for path in known):
        return spec
    if any(matches(node, path) for path in known):
        return Spec(spec.place, node, router)
    return spec


def _routers(pattern: str, plan: Plan) -> Iterator[list[str]]:
    for path in node_paths(plan):
        if matches(pattern, path):
            inner = plan
            *above, name = path.split("/")
            for part in above:
                inner = cast(Plan, inner.nodes[part].child)
            yield [router.name for router in inner.nodes[name].routers]
