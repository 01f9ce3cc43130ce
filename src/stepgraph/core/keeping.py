"""What is recorded and told of a task, and what is taken up again of what an earlier process recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core.checkpoint import Checkpoint, Control, Extend, Kind, Record, undecided
from stepgraph.core.decisions import choose, from_record, packed, replace_body, unpacked
from stepgraph.core.effects import Flow, Flush, SaveRecord
from stepgraph.core.errors import Cancelled, Rejected
from stepgraph.core.recorded import tracked, without
from stepgraph.core.state import LAST
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, START, Place, Writes

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def take_up(task: Task) -> bool:
    """Take up what an earlier process recorded; true if the task is finished by it."""
    records = task.records or {}
    outcome = records.get("outcome")
    if outcome is not None:
        writes, routes, joins = outcome.payload
        task.writes = tuple((key, value) for key, value in writes)
        known = task.scope.plan.barriers  # the graph may have lost a join since
        task.routes, task.routed, task.joined = unpacked(routes), True, tuple(key for key in joins if key in known)
        task.status, task.carried = "finished", True
        if task.scope.emit is not None:
            finished(task)
        proposal = records.get("proposal")
        watched = task.scope.probe is not None  # without, routers of a live run would not run again either
        if watched and proposal is not None and not _by_person(records):
            task.gotos = unpacked(proposal.payload[1])
            task.reads = frozenset(task.scope.plan.channels)  # what its routers read is not kept: it may be any key
        return True
    answers = records.get("resume")
    if answers is not None:
        task.answers = list(answers.payload)
    proposal = records.get("proposal")
    if proposal is not None:
        writes, gotos = proposal.payload
        task.writes = tuple((key, value) for key, value in writes)
        task.gotos = unpacked(gotos)
        task.carried = task.collected = True
    if decided(task, "before"):
        replace_body(task, from_record(records.pop("decision").payload))
    elif decided(task, "after") and "routes" in records["decision"].payload:
        choose(task, unpacked(records["decision"].payload["routes"]))
    edited = records.get("input")
    if edited is not None:
        task.input = edited.payload
    asked = records.get("question")
    made = None if asked is None else asked.payload.get("decided")
    if made and (made["verb"], made["then"]) == ("reject", "retry"):
        task.reason = made["reason"] or "no reason given"
    return False


def failure(task: Task) -> Exception | None:
    """What the task had failed with, if an earlier process asked about it and nobody answered."""
    question = undecided(task.records, "error")
    error = None if question is None else question.get("error")
    if not isinstance(error, Exception):
        return None
    if question is not None and error.__traceback__ is None and "traceback" in question:
        error.add_note(f"It was raised in an earlier process:\n{question['traceback']}")
    return error


def _by_person(records: Mapping[str, Record]) -> bool:
    """Whether a person decided where the task goes, in an earlier process."""
    decision, question = records.get("decision"), records.get("question")
    if decision is not None and (decision.payload["verb"] == "redirect" or "routes" in decision.payload):
        return True
    made = None if question is None or question.payload["place"] != "edge" else question.payload.get("decided")
    return made is not None and made["verb"] in ("edit", "redirect", "skip")


def proposed(task: Task) -> bool:
    return task.records is not None and "proposal" in task.records


def decided(task: Task, place: Place) -> bool:
    """Whether a person decided there before the process ended: it counts also where nobody would ask now."""
    found = task.records.get("decision") if task.records is not None else None
    return found is not None and found.payload["place"] == place


def keep_outcome(engine: Engine, task: Task) -> Flow:
    """Record what the task decided: it never runs again, and history shows it."""
    task.kept = True
    if engine.keeper is not None and task.answers:
        engine.keeper.answered(task)
    yield from record(engine, task, "outcome", outcome_of(task))


def outcome_of(task: Task) -> tuple[Writes, tuple[Any, ...], tuple[str, ...]]:
    """What an outcome record keeps: writes, routes and joins, without what is never stored."""
    untracked = task.scope.plan.untracked
    routes = packed(task.routes) if task.routed else task.routes
    if untracked:
        return tracked(untracked, task.writes), tuple(without(untracked, route) for route in routes), task.joins
    return task.writes, routes, task.joins


def keep_proposal(engine: Engine, task: Task) -> Flow:
    """Record what the body returned, without what is never stored."""
    untracked = engine.plan.untracked
    gotos = packed(task.gotos)
    if untracked:
        gotos = tuple(without(untracked, goto) for goto in gotos)
    yield from record(engine, task, "proposal", (tracked(untracked, task.writes), gotos))


def interrupted(engine: Engine, task: Task, interrupts: Sequence[Any]) -> Flow:
    """Node code asked a person and unwound: keep the question and the answers given so far."""
    task.status, task.interrupts = "interrupted", tuple(interrupts)
    scope = task.scope
    scope.counts.interrupts += 1
    if engine.saving:
        if task.answers and engine.keeper is not None:
            engine.keeper.answered(task)
        elif task.answers:
            yield from record(engine, task, "resume", list(task.answers))
        yield from record(engine, task, "interrupt", tuple(interrupts))
    if scope.emit is not None and task.caller is None:
        scope.emit(
            ev.TaskInterrupted(scope.ns, task.step, scope.clock(), task.id, task.name, task.index, tuple(interrupts))
        )


def failed(engine: Engine, task: Task, error: BaseException) -> Flow:
    task.status, task.error = "failed", error
    scope = task.scope
    if isinstance(error, Exception):
        note = task.note()
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        if engine.saving and task.answers:  # nobody is asked again what was answered before the failure
            if engine.keeper is not None and not isinstance(error, Cancelled):
                engine.keeper.answered(task)
            else:
                yield from record(engine, task, "resume", list(task.answers))
        if engine.saving and not isinstance(error, Cancelled):
            if task.collected and not isinstance(error, Rejected):
                # The body is over, a router or reducer failed: a resume goes on from the proposal.
                yield from keep_proposal(engine, task)
            yield from record(engine, task, "error", text_of(error) if engine.keeper is None else error)
        elif engine.saving and (len(engine.tasks) > 1 or task.caller is not None):
            yield from record(engine, task, "error", "CancelledError()")  # as LangGraph says it: get_state shows it
    if scope.emit is not None:
        writes = () if isinstance(error, (Cancelled, Rejected)) else task.writes
        scope.emit(ev.TaskFailed(scope.ns, task.step, scope.clock(), task.id, task.name, task.index, error, writes))


def unfit(engine: Engine, task: Task, error: Exception) -> Flow:
    """The state can't take what a lone task wrote: keep that, so that a resume doesn't run the body again."""
    task.status = "failed"
    note = task.note()
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    if engine.saving and task.name != START:
        yield from keep_proposal(engine, task)
        yield from record(engine, task, "error", text_of(error) if engine.keeper is None else error)


def text_of(error: BaseException) -> str:
    """An error as records keep it."""
    return repr(error)


def record(engine: Engine, task: Task, kind: Kind, payload: Any) -> Flow:
    request = engine.request
    if not engine.saving or engine.checkpoint is None:
        return
    record = Record(task.id, kind, payload, task.name, task.path)
    if request.durability == "exit":
        engine.withheld.append(record)
    else:
        yield SaveRecord(request.checkpointer, request.thread or "", task.scope.ns_text, engine.checkpoint, record)
        if request.durability == "sync":
            yield Flush(request.checkpointer, engine.thread)


def planned(task: Task) -> None:
    scope = task.scope
    assert scope.emit is not None
    scope.emit(
        ev.TaskPlanned(
            scope.ns, task.step, scope.clock(), task.id, task.name, task.index, task.input, task.triggers,
            _metadata(task), task.path,
        )
    )  # fmt: skip


def started(task: Task) -> None:
    scope = task.scope
    assert scope.emit is not None
    if ev.TaskStarted in scope.unheard:
        return
    now, attempt = scope.clock(), task.attempt + 1
    scope.emit(
        ev.TaskStarted(
            scope.ns, task.step, now, task.id, task.name, task.index, task.input, task.triggers, attempt,
            _metadata(task), task.path,
        )
    )  # fmt: skip


def _metadata(task: Task) -> Mapping[str, Any]:
    """The node's metadata, with what the run tells of itself."""
    told = task.scope.request.told
    return {**told, **task.node.metadata} if told else task.node.metadata


def finished(task: Task) -> None:
    scope = task.scope
    assert scope.emit is not None
    scope.emit(
        ev.TaskFinished(
            scope.ns, task.step, scope.clock(), task.id, task.name, task.index, task.writes, task.routes, task.carried
        )
    )


def merged(held: Checkpoint | None, latest: Checkpoint) -> Checkpoint:
    """Two checkpoints as one, for durability "exit": the later one relative to the earlier one's parent."""
    if held is None:
        return latest
    changes = dict(held.changes)
    for key, change in latest.changes.items():
        previous = changes.get(key, MISSING)
        if isinstance(change, Extend) and previous is not MISSING:
            items = list(change.items)
            changes[key] = Extend((*previous.items, *items)) if isinstance(previous, Extend) else [*previous, *items]
        else:
            changes[key] = change
    latest.changes, latest.parent = changes, held.parent
    last = frozenset(held.control.next) or held.control.channels.get(LAST)
    if last:  # the checkpoint between the two, which would tell it, is not saved
        now = latest.control
        latest.control = Control(now.next, now.sends, {**now.channels, LAST: last})
    return latest
