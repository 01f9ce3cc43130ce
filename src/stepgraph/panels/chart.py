"""The graph of a panel: its shape, which subgraphs are closed, and the layout once somebody has made one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from stepgraph.graph.drawing import GraphShape
from stepgraph.panels.layout import Layout, dot_source, parse, run_dot

log = logging.getLogger("stepgraph.panels")


class Chart:
    """What pages draw is `drawing`; `changed` is called with each new one, on the thread that made it."""

    def __init__(self, shape: GraphShape, changed: Callable[[dict[str, Any]], None]) -> None:
        self._shape = shape
        self._changed = changed
        self._collapsed: frozenset[str] = frozenset()
        self.drawing = self._drawn(None, None)

    def collapse(self, path: str, on: bool) -> None:
        """Show the subgraph at `path` as one box, or open it, and lay out again."""
        self._collapsed = self._collapsed | {path} if on else self._collapsed - {path}
        self._show(None, None)
        self.lay_out()

    def lay_out(self) -> None:
        """Lay out by the `dot` program; without one, hand the DOT text to the page. Takes long for large graphs."""
        try:
            source = dot_source(self._shape, self._collapsed)
            found = run_dot(self._shape, source)
        except Exception:
            log.exception("The graph could not be laid out; the panel shows it as a list.")
            return
        self._show(found, source if found is None else None)

    def take(self, source: str, text: str) -> None:
        """A page has laid out `source`. Ignored if the graph is drawn in another way meanwhile."""
        if self.drawing["dot"] == source:
            self._show(parse(text, self._shape), None)

    def _show(self, layout: Layout | None, dot: str | None) -> None:
        self.drawing = self._drawn(layout, dot)
        self._changed(self.drawing)

    def _drawn(self, layout: Layout | None, dot: str | None) -> dict[str, Any]:
        return {
            "nodes": [[node.path, node.name, node.kind, node.parent] for node in self._shape.nodes],
            "edges": [[edge.source, edge.target, edge.conditional, edge.label] for edge in self._shape.edges],
            "collapsed": sorted(self._collapsed),
            "layout": None if layout is None else dict(layout),
            "dot": dot,
        }
