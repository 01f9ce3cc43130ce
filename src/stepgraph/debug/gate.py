"""The gate of a debugged run: at each place it asks the session's stops, and the stepping that a person ordered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from stepgraph.approve.changes import path_of
from stepgraph.approve.requests import Cause, Request
from stepgraph.core.types import APPROVE, Decision, Namespace, Pause
from stepgraph.debug.routing import routes_of
from stepgraph.debug.stops import Hits

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

Mode = Literal["next", "into", "out", "pause"]
ORDERS = {"next": "next step", "into": "step into", "out": "step out", "pause": "paused by hand"}
NODE_ASKS = Cause("the node asks")


@dataclass(frozen=True, slots=True)
class Order:
    """What a person ordered: go on, and stop at the next place that fits. `depth` is that of the last hold."""

    mode: Mode
    depth: int = 0

    def fits(self, place: str, depth: int) -> bool:
        match self.mode:
            case "next":
                return place == "committed" and depth <= self.depth
            case "into":
                return place == "committed" or (place == "plan" and depth > self.depth)
            case "out":
                return place == "committed" and depth < self.depth
            case "pause":
                return place in ("plan", "before", "after", "step", "committed")


class RunGate:
    """One a run. Called on the driver's thread, and at `interrupt` on the node's."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._stops = run.session._stops
        self._hits = Hits()
        self.order: Order | None = None
        self.frontier: Frontier | None = None
        self.asks_before, self.asks_after = run.static

    def wants(self, place: str, node: str | None, ns: Namespace) -> bool:
        order = self.order
        if order is not None and order.fits(place, len(ns)):
            return True
        if self.frontier is not None or place == "interrupt":
            return True
        if not ns and ((self.asks_before and place == "plan") or (self.asks_after and place == "committed")):
            return True
        if not self._stops.armed:
            return False
        return bool(self._stops.at(place, path_of(ns, node) if ns else (node or "")))

    def __call__(self, pause: Pause) -> Decision | Future[Decision]:
        run = self._run
        preset = run.preset(pause)
        if preset is not None:
            return preset
        request = run.make_request(pause)
        cause = None if request is None else self._cause(request)
        if request is None or cause is None:
            return APPROVE
        request.take_cause(cause)
        if pause.place == "after":
            request.routing = partial(routes_of, request.plan)
        pause.id = request.id = run.inbox.next_id()
        self.order = None
        run.hold(request)
        return request.answer

    def _cause(self, request: Request) -> Cause | None:
        pause = request.pause
        order = self.order
        stops = self._stops.at(pause.place, request.path) if self._stops.armed else ()
        cause = self._hits.arrive(stops, request, lambda text: self._run.log(pause, text)) if stops else None
        if cause is not None:
            return cause
        if pause.place == "interrupt":
            return NODE_ASKS
        if self.frontier is not None and self.frontier.holds(pause):
            return Cause("reopened: here the run was left")
        if order is not None and order.fits(pause.place, len(pause.ns)):
            return Cause(ORDERS[order.mode])
        return self._static(pause)

    def _static(self, pause: Pause) -> Cause | None:
        """LangGraph's static breakpoints, held live."""
        if pause.ns:
            return None
        if pause.place == "plan":
            names, word = self.asks_before, "interrupt_before"
            nodes = {task.node for task in pause.tasks}
        elif pause.place == "committed":
            names, word = self.asks_after, "interrupt_after"
            nodes = set(self._run.ledger.nodes_of(pause.step))
        else:
            return None
        found = sorted(nodes) if "*" in names else sorted(nodes & names)
        return Cause(f"{word}: {', '.join(found)}") if found else None


class Frontier:
    """Where an earlier process left the run: each task is held where it comes to first, and nothing runs before.

    `begun(ns, inside)` tells whether something is recorded of the next superstep there; `inside` asks for a subgraph.
    """

    def __init__(self, begun: Callable[[Namespace, bool], bool]) -> None:
        self._begun = begun
        self._first: dict[Namespace, int] = {}
        self._seen: set[str | None] = set()
        self._free: set[Namespace] = set()
        """Namespaces in which somebody has looked already: they, and what is inside them, go on."""
        self._asked: set[Namespace] = set()

    def holds(self, pause: Pause) -> bool:
        ns = pause.ns
        if any(ns[: len(free)] == free for free in self._free) or pause.place == "committed":
            return False
        if pause.step != self._first.setdefault(ns, pause.step):
            return False
        if pause.place == "plan":
            if self._begun(ns, False):
                return False
            self._free.add(ns)
            return True
        if pause.place == "step":
            return ns not in self._asked
        if pause.task in self._seen:
            return False
        task = pause.tasks[0]
        if pause.place == "before" and task.node.child is not None:
            if self._begun(task.ns, True):
                return False
            self._free.add(task.ns)
        self._seen.add(pause.task)
        self._asked.add(ns)
        return True
