"""Where a stop is: the grammar `place[:pattern][/router]`, and what a pattern matches.

A pattern is a node's path with its subgraphs, `research/plan`. `*` stands for part of one level, `**` for any levels:
`after:*` is every node of the outermost graph, `after:**/plan` every node called plan. At `plan`, `step` and
`committed`, which ask about whole supersteps, it is a graph's path: `step` alone is the outermost one, `step:**` all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, cast

from stepgraph.approve.verbs import PLACES, closest
from stepgraph.core.plan import Plan
from stepgraph.core.types import START, Place

WHOLE = ("plan", "step", "committed")
"""The places that ask about a superstep and not about one task."""


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
        what = "subgraph" if spec.place in WHOLE else "node"
        shown = ", ".join(path or "(the graph itself)" for path in known)
        return f"the graph has no {what} {spec.pattern!r}{closest(spec.pattern, known)}. Known: {shown}."
    if spec.router is not None and not any(spec.router in names for names in _routers(spec.pattern, plan)):
        names = sorted({name for names in _routers(spec.pattern, plan) for name in names})
        return (
            f"{spec.pattern!r} has no router {spec.router!r}{closest(spec.router, names)}. "
            f"Its routers: {', '.join(names) or 'none'}."
        )
    return None


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
