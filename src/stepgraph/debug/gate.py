"""The gate of a debugged run: at each place it asks the session's stops, and the stepping that a person ordered."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from stepgraph.approve.changes import path_of
from stepgraph.approve.requests import Cause, Request
from stepgraph.core.types import APPROVE, Decision, Namespace, Pause
from stepgraph.debug.frontier import Frontier, Held
from stepgraph.debug.keeping import keep
from stepgraph.debug.routing import routes_of, step_routes_of
from stepgraph.debug.stops import Hits, Stop

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

Mode = Literal["next", "into", "out", "pause"]
ORDERS = {"next": "next step", "into": "step into", "out": "step out", "pause": "paused by hand"}
FAIL = Decision("reject", then="route")
"""What answers about a step that can't be put together, where nobody wants to see it: it fails as ever."""
RERUN = Decision("rerun")
"""What answers a failure that an earlier process asked about, where nobody asks any more: a resume tries again."""
UNWIND = Decision("suspend")
"""What answers node code that asks on the loop by which the answer has to come: it asks again from its top."""
NODE_ASKS = Cause("the node asks")
NODE_ASKED = Cause("the node asked before the run was left; its body is entered again to get the answer")


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
        preset = run.answers.take(pause)
        if preset is not None:
            return preset
        if pause.place == "interrupt" and run.here:
            return UNWIND
        left = None if self.frontier is None else self.frontier.holds(pause)
        if left is not None and left.asks is not None:
            if run.answers.knows(left.asks.id):
                return APPROVE
            pause.place, pause.interrupt = "interrupt", left.asks
        request = run.make_request(pause)
        cause = None if request is None else self._cause(request, left)
        if request is None or cause is None:
            return _passed(pause)
        request.take_cause(cause)
        if pause.place in ("after", "step"):
            routing = routes_of if pause.place == "after" else step_routes_of
            request.routing = partial(routing, request.plan)
        pause.id = request.id = run.inbox.next_id()
        keep(run, request)
        if left is not None and left.answered:
            request.on_end(run.answers.once_more)
        answer = request.answer if left is None or left.asks is None else _standing_in(request, run)
        if not run.decided_by_rule(request):
            self.order = None
        run.hold(request)
        return answer

    def _cause(self, request: Request, left: Held | None) -> Cause | None:
        pause = request.pause
        order = self.order
        stops = self._asking(pause, request) if self._stops.armed else ()
        cause = self._hits.arrive(stops, request, lambda text: self._run.log(pause, text)) if stops else None
        if cause is not None:
            return cause
        if pause.place == "interrupt":
            return NODE_ASKS if left is None else NODE_ASKED
        if left is not None:
            return left.cause
        if order is not None and order.fits(pause.place, len(pause.ns)):
            return Cause(ORDERS[order.mode])
        return self._static(pause)

    def _asking(self, pause: Pause, request: Request) -> tuple[Stop, ...]:
        """The stops that fit; updates that can't be put together are a failure of the tasks that made them too."""
        found = self._stops.at(pause.place, request.path)
        if pause.unfit:
            for task in pause.tasks:
                if any(key in pause.unfit for key, _ in task.writes):
                    found += self._stops.at("error", path_of(pause.ns, task.name))
        return tuple(dict.fromkeys(found))

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


def _passed(pause: Pause) -> Decision:
    """The answer where nobody is asked: all takes its way as without a debugger."""
    if pause.place == "error":
        return RERUN if pause.again else APPROVE
    return FAIL if pause.place == "step" and pause.error is not None else APPROVE


def _standing_in(request: Request, run: Run) -> Future[Decision]:
    """The answer at [before] that lets a body in again, once the question it had asked is decided."""
    relay: Future[Decision] = type(request.answer)()
    interrupt = request.pause.interrupt
    assert interrupt is not None

    def decided(answer: Future[Decision]) -> None:
        if answer.cancelled():
            relay.cancel()
            return
        decision = answer.result()
        if decision.verb == "suspend":
            relay.set_result(decision)
        else:
            run.answers.give(interrupt.id, decision)
            relay.set_result(APPROVE)

    def withdrawn(each: Future[Decision]) -> None:
        if each.cancelled():
            request.close("the run was cancelled")

    request.answer.add_done_callback(decided)
    relay.add_done_callback(withdrawn)
    return relay
