"""Where an earlier process left a run: what it was asking, what its tasks had done, and holding them just there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepgraph.approve.changes import path_of
from stepgraph.approve.requests import Cause
from stepgraph.core.checkpoint import WHOLE_STEP, Record, Stored, records_by_task, undecided
from stepgraph.core.types import Interrupt, Namespace, Pause

if TYPE_CHECKING:
    from stepgraph.debug.run import Run


@dataclass(slots=True)
class Held:
    """Why the frontier holds a pause; `asks` when it stands for a question that node code had asked.

    `answered`: the body had asked, was answered, and did not come to its end; it is entered again.
    """

    cause: Cause
    asks: Interrupt | None = None
    answered: bool = False


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
        if any(ns[: len(free)] == free for free in self._free):
            return None
        if pause.place == "committed":
            return self._at_committed(pause) if pause.again else None
        if pause.step != self._first.setdefault(ns, pause.step):
            return None
        if pause.place == "plan":
            return self._at_plan(pause)
        if pause.place == "step":
            return None if ns in self._asked else self._at_step(pause)
        return self._at_task(pause)

    def _at_step(self, pause: Pause) -> Held:
        self._free.add(pause.ns)
        return Held(_cause(self._question(pause.ns, WHOLE_STEP), "step"))

    def _at_committed(self, pause: Pause) -> Held:
        self._free.add(pause.ns)
        return Held(_cause(self._question(pause.ns, WHOLE_STEP), "committed"))

    def _at_plan(self, pause: Pause) -> Held | None:
        question = self._question(pause.ns, WHOLE_STEP)
        if self._begun(pause) and (question is None or question["place"] == "step"):
            return None
        self._free.add(pause.ns)
        return Held(_cause(question, "plan"))

    def _at_task(self, pause: Pause) -> Held | None:
        if pause.task in self._seen:
            return None
        task = pause.tasks[0]
        if task.failed is not None and task.failed.id in self._seen:
            return None  # an error handler that takes over only now
        question = self._question(pause.ns, task.id)
        asks = self._asks(pause, question)
        if pause.place == "before":
            if task.node.child is not None and self._goes_on_inside(task.ns):
                self._seen.add(pause.task)
                self._asked.add(pause.ns)
                return None
            proposed = "proposal" in self._records(pause.ns).get(task.id, {})
            if asks is None and proposed and question is not None and question["place"] in ("after", "edge"):
                return None
        elif question is not None and question["place"] == "edge" and pause.place == "after":
            return None
        if task.node.child is not None:
            self._free.add(task.ns)
        self._seen.add(pause.task)
        self._asked.add(pause.ns)
        answered = question is not None and question["place"] == "interrupt" and asks is None
        return Held(_cause(question, pause.place, self._failure(pause)), asks, answered)

    def _asks(self, pause: Pause, question: Mapping[str, Any] | None) -> Interrupt | None:
        """What the task's code had asked and nobody answered."""
        if pause.place != "before" or pause.tasks[0].node.child is not None:
            return None
        asked: Interrupt | None = question["asks"][0] if question is not None and question.get("asks") else None
        if asked is not None and question is not None and not question.get("decided"):
            return asked
        record = self._records(pause.ns).get(pause.task or "", {}).get("interrupt")
        left: Interrupt | None = record.payload[0] if record is not None and record.payload else None
        return None if left is not None and asked is not None and left.id == asked.id else left

    def _failure(self, pause: Pause) -> str | None:
        """What the task's last attempt failed with, where it is to run again."""
        record = self._records(pause.ns).get(pause.task or "", {}).get("error")
        return None if record is None or pause.place != "before" else str(record.payload)

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


def left_at_end(stored: Stored) -> bool:
    """Whether the thread's last superstep was held after its checkpoint, so that there is something to decide."""
    return undecided(records_by_task(stored).get(WHOLE_STEP), "committed") is not None


def left_waiting(saver: Any, thread: str) -> list[str]:
    """What the thread had asked people when it was left and nobody decided, as `after:draft`; inside subgraphs too."""
    root = next(saver.history(thread, "", limit=1, values=False), None)
    if root is None:
        return []
    planned = {*root.control.next, *(node for node, _, _ in root.control.sends)}
    found = _asked_at(root, ())
    for name in saver.namespaces(thread):
        ns = tuple(name.split("|"))
        if ns[0].partition(":")[0] in planned:
            stored = next(saver.history(thread, name, limit=1, values=False), None)
            if stored is not None and stored.time >= root.time:  # older ones are of supersteps that are over
                found += _asked_at(stored, ns)
    return found


def _asked_at(stored: Stored, ns: Namespace) -> list[str]:
    """The undecided questions at a checkpoint, and what node code asked without a debugger."""
    found: list[str] = []
    for records in records_by_task(stored).values():
        question, asks = records.get("question"), records.get("interrupt")
        if "outcome" in records:
            continue
        if question is not None and not question.payload.get("decided"):
            path = path_of(ns, question.node or None)
            found.append(f"{question.payload['place']}:{path}" if path else question.payload["place"])
        elif question is None and asks is not None and asks.payload:
            found.append(f"interrupt:{path_of(ns, asks.node)}")
    return found


def _cause(question: Mapping[str, Any] | None, place: str, failure: str | None = None) -> Cause:
    """Why a reopened run is held at `place`; the policy of the question that was pending there still holds."""
    failed = "" if failure is None else f", and its last attempt failed with {failure}; approve runs it again"
    if question is None:
        return Cause(f"reopened: here the run was left{failed}")
    policy = (None, tuple(question["allow"]), question["gate"], question["reason"])
    decided = question.get("decided")
    if decided is not None:
        by = f" by {decided['by']}" if decided["by"] else ""
        told = f"reopened: {question['place']} was decided{by} ({decided['verb']}), then the run was left{failed}"
        return Cause(told, *policy) if question["place"] == place else Cause(told)
    why = str(question["why"]).removeprefix("reopened: ")
    return Cause(f"reopened: {why}{failed}", *policy)
