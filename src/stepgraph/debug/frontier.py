"""Where an earlier process left a run: what it was asking, what its tasks had done, and holding them just there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepgraph.approve.requests import Cause, Request
from stepgraph.core.checkpoint import Record, Stored, records_by_task
from stepgraph.core.types import Interrupt, Namespace, Pause
from stepgraph.debug.places import WHOLE

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

ALONE = ""
"""The task under which a question about a whole superstep is kept."""


@dataclass(slots=True)
class Held:
    """Why the frontier holds a pause; `asks` when it stands for a question that node code had asked."""

    cause: Cause
    asks: Interrupt | None = None


def keep(run: Run, request: Request) -> None:
    """Record the question beside the task's other records, so that another process asks the same again."""
    pause = request.pause
    scope = getattr(pause.tasks[0], "scope", None) if pause.tasks else None
    checkpoint = run.ledger.checkpoint(pause.ns) if scope is None else scope.checkpoint_id
    if checkpoint is None:
        return
    task = pause.tasks[0] if pause.tasks and pause.place not in WHOLE else None
    payload: dict[str, Any] = {
        "place": pause.place,
        "why": request.why,
        "allow": list(request.cause.allow),
        "gate": request.cause.gate,
        "reason": request.cause.reason,
    }
    if pause.interrupt is not None:
        payload["asks"] = (pause.interrupt,)
    if pause.error is not None:
        payload["error"] = f"{type(pause.error).__name__}: {pause.error}"
    ns = "|".join(pause.ns)
    name, path = (ALONE, ()) if task is None else (task.id, task.path)
    run.saver.save_record(run.thread, ns, checkpoint, Record(name, "question", payload, pause.node or "", path))
    if task is not None and pause.place == "interrupt":
        if task.answers:
            answers = Record(task.id, "resume", list(task.answers), pause.node or "", path)
            run.saver.save_record(run.thread, ns, checkpoint, answers)
        run.saver.flush()  # at the other places the engine has flushed what must not be lost


class Frontier:
    """Holds each task of the superstep that was left where its question was, others before they run; once each."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._points: dict[Namespace, tuple[Stored | None, Mapping[str, Mapping[str, Record]]]] = {}
        self._first: dict[Namespace, int] = {}
        self._seen: set[str | None] = set()
        self._free: set[Namespace] = set()
        """Namespaces in which somebody has looked already: they, and what is inside them, go on."""
        self._asked: set[Namespace] = set()

    def holds(self, pause: Pause) -> Held | None:
        """Why to hold here, or None."""
        ns = pause.ns
        if any(ns[: len(free)] == free for free in self._free) or pause.place == "committed":
            return None
        if pause.step != self._first.setdefault(ns, pause.step):
            return None
        if pause.place == "plan":
            return self._at_plan(pause)
        if pause.place == "step":
            return None if ns in self._asked else Held(self._cause(self._question(ns, ALONE)))
        return self._at_task(pause)

    def _at_plan(self, pause: Pause) -> Held | None:
        question = self._question(pause.ns, ALONE)
        if self._begun(pause) and (question is None or question["place"] == "step"):
            return None
        self._free.add(pause.ns)
        return Held(self._cause(question))

    def _at_task(self, pause: Pause) -> Held | None:
        if pause.task in self._seen:
            return None
        task = pause.tasks[0]
        question = self._question(pause.ns, task.id)
        asks = self._asks(pause, question)
        if pause.place == "before":
            if task.node.child is not None and self._goes_on_inside(task.ns):
                self._seen.add(pause.task)
                self._asked.add(pause.ns)
                return None
            if asks is None and question is not None and question["place"] in ("after", "edge"):
                return None
        elif question is not None and question["place"] == "edge" and pause.place == "after":
            return None
        if task.node.child is not None:
            self._free.add(task.ns)
        self._seen.add(pause.task)
        self._asked.add(pause.ns)
        return Held(self._cause(question), asks)

    def _asks(self, pause: Pause, question: Mapping[str, Any] | None) -> Interrupt | None:
        """What the task's code had asked and nobody answered."""
        if pause.place != "before" or pause.tasks[0].node.child is not None:
            return None
        if question is not None and question.get("asks"):
            asked: Interrupt = question["asks"][0]
            return asked
        record = self._records(pause.ns).get(pause.task or "", {}).get("interrupt")
        return record.payload[0] if record is not None and record.payload else None

    def _cause(self, question: Mapping[str, Any] | None) -> Cause:
        if question is None:
            return Cause("reopened: here the run was left")
        why = str(question["why"])
        if question["place"] == "error":
            why = f"its last attempt failed with {question['error']}; approve runs it again"
            return Cause(f"reopened: {why}")
        why = why.removeprefix("reopened: ")
        return Cause(f"reopened: {why}", None, tuple(question["allow"]), question["gate"], question["reason"])

    def _question(self, ns: Namespace, task: str) -> Mapping[str, Any] | None:
        record = self._records(ns).get(task, {}).get("question")
        return None if record is None else record.payload

    def _records(self, ns: Namespace) -> Mapping[str, Mapping[str, Record]]:
        return self._point(ns)[1]

    def _point(self, ns: Namespace) -> tuple[Stored | None, Mapping[str, Mapping[str, Record]]]:
        """The namespace's newest checkpoint as it was when the run was reopened."""
        found = self._points.get(ns)
        if found is None:
            stored = self._run.saver.load(self._run.thread, "|".join(ns), None)
            found = self._points[ns] = (stored, {} if stored is None else records_by_task(stored))
        return found

    def _begun(self, pause: Pause) -> bool:
        """Whether something was done or asked in the planned superstep, or in a subgraph of it."""
        records = self._records(pause.ns)
        return any(
            info.id in records or self._goes_on_inside((*pause.ns, f"{info.node}:{info.id}")) for info in pause.tasks
        )

    def _goes_on_inside(self, ns: Namespace) -> bool:
        stored = self._point(ns)[0]
        return stored is not None and bool(stored.control.next or stored.control.sends)
