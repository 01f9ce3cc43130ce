"""What people are asked and what they decide, kept with the thread: another process asks and tells the same."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Any

from stepgraph.approve.jsonable import jsonable
from stepgraph.approve.requests import Request
from stepgraph.core.checkpoint import WHOLE_STEP, Kind, Record, flush
from stepgraph.core.types import Decision, Pause, Route, Send
from stepgraph.debug.places import WHOLE
from stepgraph.run.ids import RunIds

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

TRACEBACK = 20_000
"""Characters of a traceback that are kept."""


def keep(run: Run, request: Request) -> None:
    """Record the question beside the task's other records, and what is decided before it takes effect."""
    pause = request.pause
    shelf = _shelf_of(run, pause)
    question = _question(request)
    if shelf is not None:
        shelf.put("question", question)
        if shelf.asks:
            if pause.tasks[0].answers:
                shelf.put("resume", list(pause.tasks[0].answers))
            flush(run.saver, run.thread)  # at the other places the engine has flushed what must not be lost

    def ended(request: Request) -> None:
        decision = request.decided
        if decision is None:
            return
        _tell(run, request, decision)
        if shelf is None or decision.verb == "suspend":
            return
        if shelf.asks and decision.verb == "respond":
            shelf.put("resume", [*(pause.tasks[0].answers or ()), request.taken])
        made = {"verb": decision.verb, "by": decision.by, "reason": decision.reason, "then": decision.then}
        shelf.put("question", {**question, "decided": made})

    request.on_end(ended)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where the records of a pause go."""

    run: Run
    ns: str
    checkpoint: str
    task: str
    node: str
    path: tuple[Any, ...]
    asks: bool

    def put(self, kind: Kind, payload: Any) -> None:
        record = Record(self.task, kind, payload, self.node, self.path)
        self.run.saver.save_record(self.run.thread, self.ns, self.checkpoint, record)


def _shelf_of(run: Run, pause: Pause) -> _Shelf | None:
    """None for a graph whose checkpoints are not kept."""
    scope = getattr(pause.tasks[0], "scope", None) if pause.tasks else None
    checkpoint = run.ledger.checkpoint(pause.ns) if scope is None else scope.checkpoint_id
    if checkpoint is None:
        return None
    task = None if pause.place in WHOLE else pause.tasks[0]
    name, path = (WHOLE_STEP, ()) if task is None else (task.id, task.path)
    asks = task is not None and pause.place == "interrupt"
    return _Shelf(run, "|".join(pause.ns), checkpoint, name, pause.node or "", path, asks)


def _question(request: Request) -> dict[str, Any]:
    pause, cause = request.pause, request.cause
    found: dict[str, Any] = {
        "place": pause.place,
        "why": cause.why,
        "allow": list(cause.allow),
        "gate": cause.gate,
        "reason": cause.reason,
    }
    if pause.interrupt is not None:
        found["asks"] = (pause.interrupt,)
    if pause.error is not None:
        found["error"] = pause.error
        lines = traceback.format_exception(pause.error, limit=-30)
        found["traceback"] = "".join(lines)[-TRACEBACK:]
    return found


def _tell(run: Run, request: Request, decision: Decision) -> None:
    """The decision with all about it, for `run.audit()`: one record on the way of the outermost graph."""
    checkpoint = run.ledger.checkpoint(())
    if checkpoint is None:
        return
    pause, hidden = request.pause, request.plan.untracked
    payload = {
        "superstep": run.ledger.superstep(pause.ns, pause.step),
        "step": pause.step,
        "task": _outermost(run, pause),
        "id": pause.task,
        "place": pause.place,
        "path": request.path,
        "address": request.address,
        "request": request.id,
        "why": request.why,
        "verb": decision.verb,
        "by": decision.by,
        "reason": decision.reason,
        "then": _then(request, decision),
        "time": time(),
        "proposed": _without(hidden, proposed(request)),
        "decided": _without(hidden, became(request, decision)),
    }
    record = Record(RunIds()(), "audit", payload, pause.node or "", ())
    run.saver.save_record(run.thread, "", checkpoint, record)


def _outermost(run: Run, pause: Pause) -> str:
    """The task of the outermost graph in which the pause is; its name sorts the same in every run."""
    if not pause.ns:
        return f"{pause.node or ''}#{pause.index:06d}"
    name, _, task = pause.ns[0].partition(":")
    indexes = [info.index for info in run.ledger.planned()[1] if info.id == task]
    return f"{name}#{indexes[0] if indexes else 0:06d}"


def proposed(request: Request) -> Any:
    """What was asked about, in the form of a table's cell: writes by key, a question, or an error."""
    if request.place == "interrupt":
        return request.question
    if request.place == "error":
        return f"{type(request.error).__name__}: {request.error}"
    return request.update


def became(request: Request, decision: Decision) -> Any:
    """What the decision made of it: the writes by key, an answer, or an input."""
    taken = request.taken
    match decision.verb:
        case "edit" if request.place in ("after", "plan", "committed"):
            return by_key(taken)
        case "edit" if request.place == "step":
            return {**request.update, **taken}
        case "edit":
            return _edited(request.state, taken)
        case "respond":
            return jsonable(taken) if request.place == "interrupt" else _shown(taken)
        case "skip" if request.place == "step" and decision.value:
            kept = [task.writes for task in request.pause.tasks if not {task.id, task.name} & set(decision.value)]
            return by_key(pair for writes in kept for pair in writes)
        case "skip" if request.place == "edge":
            return request.update
        case "skip" | "reject" | "suspend":
            return {}
    return {} if request.place in ("error", "interrupt") else request.update


def by_key(writes: Any) -> dict[str, Any]:
    """Writes by key; several to one key as a list of them."""
    pairs = tuple(writes)
    counts = [key for key, _ in pairs]
    found: dict[str, Any] = {}
    for key, value in pairs:
        if counts.count(key) > 1:
            found.setdefault(key, []).append(value)
        else:
            found[key] = value
    return found


def _edited(given: Any, edited: Any) -> Any:
    """The changed keys of an input; the whole where it is no mapping."""
    if not isinstance(given, dict) or not isinstance(edited, dict):
        return edited
    return {key: value for key, value in edited.items() if key not in given or given[key] is not value}


def _shown(update: Any) -> Any:
    return update if update is None or isinstance(update, dict) else repr(update)


def _then(request: Request, decision: Decision) -> str | None:
    """Where it went: the targets of a redirect, or what a rejection led to; and that it became a rule."""
    found: list[str] = []
    if decision.verb == "redirect":
        found.append(", ".join(_name(each) for each in request.taken) or "nowhere")
    if decision.verb == "reject":
        found.append(decision.then)
    if decision.scope == "run":
        found.append("the same for the rest of the run")
    return "; ".join(found) or None


def _name(route: Route) -> str:
    return f"Send({route.node})" if isinstance(route, Send) else route


def _without(hidden: frozenset[str], cell: Any) -> Any:
    """Without the keys that are never stored."""
    if not hidden or not isinstance(cell, dict):
        return cell
    return {key: value for key, value in cell.items() if key not in hidden}
