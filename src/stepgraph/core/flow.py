"""The life of one task inside a superstep: from its input to an outcome that is decided, routed and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core import registry
from stepgraph.core.caching import recall, remember
from stepgraph.core.checkpoint import Kind, Record, undecided
from stepgraph.core.effects import Ask, Call, Flow, Flush, SaveRecord, Sleep, Within
from stepgraph.core.errors import (
    Cancelled,
    GraphBubbleUp,
    GraphDrained,
    GraphInterrupt,
    InvalidUpdateError,
    ParentCommand,
    Rejected,
    Suspended,
)
from stepgraph.core.plan import Node, targets_of
from stepgraph.core.recovery import handler_of, kept, wait_before_retry
from stepgraph.core.state import preview, tracked, without
from stepgraph.core.task import RETURN, Task
from stepgraph.core.types import END, START, Command, Decision, Pause, Place, Route, Send, Writes
from stepgraph.core.writes import collect, update_of

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine


def flow_of(engine: Engine, task: Task) -> Flow:
    """Run the task: [before] > body > [after] > routers > [edge] > outcome.

    Ends with `task.status` finished, interrupted or suspended; raises the body's or a router's error.
    """
    scope = task.scope
    if task.records is not None and _resume(task):
        return
    if task.handler is not None:  # it took over in an earlier process
        yield from _handled(engine, task)
        return
    try:
        yield from _decided_flow(engine, task)
    except _Stopped as stop:
        trouble: BaseException | None = stop.error
    except Exception as error:
        trouble = error
        if task.node.handler is not None and _goes_to_handler(error):
            yield from _hand_over(engine, task, error)
            return
    except BaseException as error:
        trouble = error
    else:
        trouble = None
    if trouble is not None:
        yield from troubled(engine, task, trouble)
        return
    task.status = "finished"
    # A lone task's outcome is in the checkpoint that follows at once, from whose changes a snapshot of the step
    # before derives its result: a record of its own would double the bytes of every step.
    gate = None if task.name == START else scope.gate
    if engine.saving and (
        len(engine.tasks) > 1
        or task.caller is not None
        or engine.keeper is not None
        or (gate is not None and gate.wants("step", None, scope.ns))
    ):
        yield from keep_outcome(engine, task)
    if scope.emit is not None:
        _finished(task)


def _decided_flow(engine: Engine, task: Task) -> Flow:
    """From [before] to [edge], with another attempt where a policy or a person wants one."""
    scope = task.scope
    gate = None if task.name == START else scope.gate
    body, routers_alone = True, False
    left = _failure(task) if gate is not None and gate.wants("error", task.name, scope.ns) else None
    if left is None and (_decided(task, "before") or (gate is not None and gate.wants("before", task.name, scope.ns))):
        body = yield from _ask_before(engine, task)
    while True:
        try:
            if left is not None:
                raise left
            if body and not task.collected:
                if task.node.cache is not None and engine.request.cache is not None:
                    yield from recall(engine, task)
                if not task.collected:
                    yield from _run_body(engine, task)
            body = True
            if not routers_alone and (
                _decided(task, "after")
                or (gate is not None and not task.routed and gate.wants("after", task.name, scope.ns))
            ):
                yield from _ask_after(engine, task)
            routers_alone = False
            if not task.routed:
                yield from route(engine, task)
            if gate is not None and gate.wants("edge", task.name, scope.ns):
                yield from _ask_edge(engine, task)
            if task.cache_key is not None:
                yield from remember(engine, task)
            return
        except _Again:
            body = True
        except (GraphBubbleUp, Cancelled):
            raise
        except Exception as error:
            delay = None if error is left else wait_before_retry(task, error)
            if delay is not None:
                yield from _wait(task, error, delay)
                routers_alone = task.collected
                continue
            if gate is None or not gate.wants("error", task.name, scope.ns) or _verdict_of(error) is not None:
                raise
            body = yield from _ask_error(engine, task, error, again=error is left)
            left = None


def _wait(task: Task, error: Exception, delay: float) -> Flow:
    """Between two attempts. Where a router failed, the body is over and the routers alone are tried again."""
    scope = task.scope
    scope.counts.retries += 1
    if scope.emit is not None:
        scope.emit(ev.TaskRetried(scope.ns, task.step, scope.clock(), task.id, task.name, task.attempt, error, delay))
    yield Sleep(delay)


def _goes_to_handler(error: Exception) -> bool:
    return not isinstance(error, (GraphBubbleUp, Cancelled)) and _verdict_of(error) != "stop"


def _hand_over(engine: Engine, task: Task, error: Exception) -> Flow:
    """The task has failed for good, and its error handler takes over. That is recorded before the handler starts."""
    assert task.node.handler is not None
    if isinstance(error, Rejected):
        error, task.writes = Rejected(*error.args), ()
    task.handler = handler_of(task, error)
    yield from _failed(engine, task, error)
    yield from _record(engine, task, "handler", kept(task.node.handler, error))
    yield from _handled(engine, task)


def _handled(engine: Engine, task: Task) -> Flow:
    """Let the error handler finish the task in its place: its writes come after what the body had returned."""
    handler = task.handler
    assert handler is not None
    yield from flow_of(engine, handler)
    task.status, task.interrupts = handler.status, handler.interrupts
    task.kept = True
    if handler.status == "finished":
        task.writes = (*task.writes, *handler.writes)
        task.routes, task.routed, task.joined = handler.routes, True, handler.joins


def call_flow(engine: Engine, task: Task) -> Flow:
    """The life of a called function of the functional API; its result. A question that it asks is its caller's too."""
    yield from flow_of(engine, task)
    if task.status != "finished":
        if task.interrupts:
            raise GraphInterrupt(task.interrupts)
        raise Suspended(task.address)
    return dict(task.writes).get(RETURN)


def keep_outcome(engine: Engine, task: Task) -> Flow:
    """Record what the task decided: it never runs again, and history shows it."""
    task.kept = True
    if engine.keeper is not None and task.answers:
        yield from _record(engine, task, "resume", list(task.answers))
    yield from _record(engine, task, "outcome", outcome_of(task))


def outcome_of(task: Task) -> tuple[Writes, tuple[Any, ...], tuple[str, ...]]:
    """What an outcome record keeps: writes, routes and joins, without what is never stored."""
    untracked = task.scope.plan.untracked
    routes = packed(task.routes) if task.routed else task.routes
    if untracked:
        return tracked(untracked, task.writes), tuple(without(untracked, route) for route in routes), task.joins
    return task.writes, routes, task.joins


def troubled(engine: Engine, task: Task, error: BaseException) -> Flow:
    """What an exception means for its task: a pause is recorded and swallowed, everything else is raised again."""
    scope = task.scope
    match error:
        case GraphInterrupt():
            yield from _interrupted(engine, task, error.args[0] if error.args else ())
        case Suspended():
            task.status = "suspended"
            if scope.emit is not None and scope.gate is None:
                scope.emit(ev.TaskInterrupted(scope.ns, task.step, scope.clock(), task.id, task.name, task.index, ()))
        case ParentCommand() | GraphDrained() | GeneratorExit():
            raise error
        case Continues(result=result):
            task.node, task.lean, task.alone = _goes_on(task.node, result), False, False
            yield from flow_of(engine, task)
        case _:
            yield from _failed(engine, task, error)
            raise error


class Continues(Exception):  # noqa: N818  a signal of the short way, not a failure
    """A lean task's body has returned what runs on the same input in its place: no short way for that."""

    def __init__(self, result: Any) -> None:
        super().__init__(result)
        self.result = result


class _Again(Exception):  # noqa: N818  a signal inside this module, not a failure
    """Run the body once more."""


class _Stopped(Exception):  # noqa: N818  a signal inside this module
    """A person let a failure stand: no error handler takes over."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def _run_body(engine: Engine, task: Task) -> Flow:
    """One attempt: call the body, or run the child graph, and take its result apart."""
    node, scope = task.node, task.scope
    if scope.emit is not None:
        _started(task)
    task.attempt += 1
    task.asked = task.calls = task.tasks_called = 0
    task.status = "running"
    if task.attempt > 1:
        task.writes = ()
    try:
        limits = task.timeout or node.timeout
        if limits is not None:
            result = yield Within(_attempt(engine, task), task, limits)
        elif node.child is None and scope.probe is None:
            result = yield task
            if continues(node, result):
                result = yield from _continued(task, result)
        else:
            result = yield from _attempt(engine, task)
    except ParentCommand as up:
        result = _arrived(task, up)
    writes, task.gotos = collect(node, result)
    task.writes += writes  # after what the body wrote before it returned
    task.collected = True


def _attempt(engine: Engine, task: Task) -> Flow:
    if task.node.child is not None:
        return (yield from engine.run_child(task))
    result = (yield task) if task.scope.probe is None else (yield from _probed(task))
    return (yield from _continued(task, result)) if continues(task.node, result) else result


def continues(node: Node, result: Any) -> bool:
    """Whether a body returned a Runnable (or graph), which runs on the same input and gives the update."""
    return type(result) is not dict and node.writer is None and node.child is None and hasattr(result, "ainvoke")


def _continued(task: Task, result: Any) -> Flow:
    """Run what the body returned, and what that returns in turn."""
    node = task.node
    try:
        while continues(node, result):
            task.node = _goes_on(node, result)
            result = yield task
    finally:
        task.node = node
    return result


def _goes_on(node: Node, result: Any) -> Node:
    """The node with what it returned as its body."""
    found: Node = registry.adapters.load("returned")(node, result)
    return found


def _probed(task: Task) -> Flow:
    """The body with a debugger looking on."""
    probe = task.scope.probe
    assert probe is not None
    given = task.input
    task.input = probe.enter(task, None, given)
    try:
        return (yield task)
    finally:
        task.reads = probe.leave(task, None, task.input)
        task.input = given


def _arrived(task: Task, up: ParentCommand) -> Any:
    """A Command for the parent, raised by the child that this task ran, becomes this task's result."""
    if task.node.child is None:
        raise up
    command: Command[Any] = up.args[0]
    return Command(update=command.update, goto=command.goto, resume=command.resume)


def route(engine: Engine, task: Task) -> Flow:
    """Static edges, commands and routers give the task's routes. Routers read the state with the task's own writes."""
    node = task.node
    if node.quick and not task.gotos:
        task.routes = node.successors
        return
    routes: list[Route] = [*task.gotos, *node.successors]
    if node.routers:
        reads: frozenset[str] | None = frozenset()
        for router in node.routers:
            chosen, read = yield from _choose(engine, task, router)
            reads = None if reads is None or read is None else reads | read
            routes.extend(chosen)
        task.reads = reads if task.scope.probe is not None else None
    task.routes, task.routed = tuple(routes), True


def rerouted(task: Task, edited: Mapping[str, Any]) -> bool:
    """Whether an edit at [step] changes what the task's routers read: then they run again. A person's choice stays."""
    known = bool(task.node.routers) and not task.chosen and task.reads is not None
    return known and task.reads is not None and not task.reads.isdisjoint(edited)


def reroute(engine: Engine, task: Task, edited: Mapping[str, Any]) -> Flow:
    """The routers once more, on the state as edited; what they choose is asked about at [edge] like any choice."""
    gate = task.scope.gate
    engine.edited = edited
    try:
        yield from route(engine, task)
        if gate is not None and gate.wants("edge", task.name, task.scope.ns):
            yield from _ask_edge(engine, task)
    except Exception as error:
        error.add_note(task.note())
        raise
    finally:
        engine.edited = {}


def _choose(engine: Engine, task: Task, router: Any) -> Flow:
    """One router's targets, and the keys that it read."""
    scope = task.scope
    scope.counts.routers += 1
    value: Any = router_view(engine, task, router)
    probe = scope.probe
    extra = None if router.inject is None else router.inject(task)
    read: frozenset[str] | None = None
    if probe is not None:
        value = probe.enter(task, router.name, value)
    try:
        chosen = yield Call(task, router.choose, value, router.is_async, extra)
    finally:
        if probe is not None:
            read = probe.leave(task, router.name, value)
    return checked(task, router, chosen), read


def router_view(engine: Engine, task: Task, router: Any) -> Any:
    """What a router gets: state keys with the task's own writes applied, and what else the node returned."""
    values: Any = engine.fresh_state(task)
    keys = router.reads if router.reads is not None else task.node.reads
    if task.name == START:
        keys = router.reads
    if keys is not None:
        values = {key: values[key] for key in keys if key in values}
    mapper = router.mapper
    return values if mapper is None else mapper(values)


def checked(task: Task, router: Any, chosen: Any) -> list[Route]:
    """A router's answer as routes without END.

    Raises as LangGraph does for None, unmapped keys, Send to END.
    """
    try:
        targets = targets_of(router, chosen)
    except (KeyError, TypeError) as error:  # TypeError: it can't be a key
        error.add_note(
            f"Router {router.name!r} of node {task.name!r} returned {chosen!r}, which its path map "
            f"{sorted(map(repr, router.path_map or {}))} does not have."
        )
        raise
    routes: list[Route] = []
    for target in targets:
        if target == START or not isinstance(target, (str, Send)):
            raise ValueError(
                f"Branch did not return a valid destination: router {router.name!r} of node {task.name!r} "
                f"returned {chosen!r} in superstep {task.step}. Return a node's name, END, a Send, or a list of them."
            )
        if isinstance(target, Send):
            if target.node == END:
                raise InvalidUpdateError(
                    f"Cannot send a packet to the END node (router {router.name!r} of node {task.name!r})."
                )
            routes.append(target)
        elif target != END:
            routes.append(str.__str__(target))  # a member of an enum of names becomes the name
    return routes


def ask(engine: Engine, pause: Pause) -> Flow:
    """Ask the gate. What is pending is durable before anybody sees the question."""
    if engine.saving:
        yield Flush(engine.request.checkpointer)
    decision: Decision = yield Ask(engine.scope, pause)
    if pause.place not in ("before", "plan", "committed") and decision.verb not in ("approve", "rerun"):
        for task in pause.tasks:
            task.cache_key = None  # what a person changed is not what the node makes of its input
    return decision


def _ask_before(engine: Engine, task: Task) -> Flow:
    """[before]: whether the body runs after all."""
    edited = task.records.get("input") if task.records else None
    if edited is not None:
        task.input = edited.payload
        return True
    if task.collected:
        return True
    pause = _pause(engine, task, "before")
    pause.can_edit = task.node.child is None or not engine.replaying
    decision: Decision = yield from ask(engine, pause)
    match decision.verb:
        case "edit":
            task.input = decision.value
            yield from _record(engine, task, "input", decision.value)
        case "respond" | "skip" | "redirect":
            yield from _instead(engine, task, decision)
            return False
        case "reject":
            raise _verdict(task, decision)
        case "suspend":
            raise Suspended(task.address)
    return True


def _instead(engine: Engine, task: Task, decision: Decision) -> Flow:
    """What a person decided in place of the body (an update, none, or where to go), recorded first."""
    yield from _record(engine, task, "decision", as_record(decision, "before"))
    _replace_body(task, decision)


def _replace_body(task: Task, decision: Decision) -> None:
    task.writes, task.gotos = (), ()
    if decision.verb == "respond":
        task.writes, task.gotos = collect(task.node, decision.value)
    elif decision.verb == "redirect":
        choose(task, decision.value)
    task.collected = True


def _ask_after(engine: Engine, task: Task) -> Flow:
    """[after]: the proposal is saved first, so that no process ever has to make it again."""
    decided = task.records.pop("decision") if task.records and _decided(task, "after") else None
    if decided is None:
        if engine.saving and not _proposed(task):
            yield from _keep_proposal(engine, task)
        pause = _pause(engine, task, "after")
        pause.writes, pause.routes = task.writes, task.gotos
        try:
            pause.result = preview(engine.plan, engine.state.values, task.writes)
        except Exception as error:  # a reducer refuses the proposal: a person may still mend it
            pause.error = error
        decision: Decision = yield from ask(engine, pause)
        if engine.saving and decision.verb not in ("suspend", "reject"):
            kept = as_record(decision, "after")
            if task.routed:  # by a decision in place of the body, whose record this one replaces
                kept["routes"] = packed(task.routes)
            yield from _record(engine, task, "decision", kept)
    else:
        decision = from_record(decided.payload)
    match decision.verb:
        case "edit":
            task.writes = as_writes(task, decision.value)
        case "respond":
            task.writes, task.gotos = collect(task.node, decision.value)
        case "skip":
            task.writes, task.gotos = (), ()
        case "redirect":
            choose(task, decision.value)
        case "reject":
            yield from _rejected(engine, task, decision)
        case "suspend":
            raise Suspended(task.address)


def _rejected(engine: Engine, task: Task, decision: Decision) -> Flow:
    task.writes, task.gotos, task.collected = (), (), False
    if decision.then == "retry":
        yield from _record(engine, task, "proposal", None)
        task.reason = decision.reason or "no reason given"
        task.records = None
        task.scope.counts.asked += 1
        raise _Again
    raise _verdict(task, decision)


def _verdict(task: Task, decision: Decision) -> Rejected:
    """What a rejection raises."""
    error = rejected(decision, task.address)
    if decision.then == "route" and task.node.handler is not None:
        error.verdict = "route"
    return error


def _verdict_of(error: BaseException) -> str | None:
    return error.verdict if isinstance(error, Rejected) else None


def _ask_edge(engine: Engine, task: Task) -> Flow:
    """[edge]: one question after all routers; a redirect replaces every route of the task."""
    gate = task.scope.gate
    if engine.saving and not _proposed(task) and gate is not None and not gate.wants("after", task.name, task.scope.ns):
        yield from _keep_proposal(engine, task)
    pause = _pause(engine, task, "edge")
    pause.routes = task.routes
    pause.alternatives = engine.plan.alternatives(task.node)
    pause.state = engine.fresh_state(task)
    pause.writes = task.writes
    pause.reads = task.reads
    pause.router = task.node.routers[0].name if task.node.routers else None
    decision: Decision = yield from ask(engine, pause)
    match decision.verb:
        case "edit" | "redirect" | "skip":
            joins = task.joined  # those filled stay
            choose(task, () if decision.verb == "skip" else decision.value)
            task.joined = joins
        case "reject":
            raise _verdict(task, decision)
        case "suspend":
            raise Suspended(task.address)


def _ask_error(engine: Engine, task: Task, error: Exception, *, again: bool) -> Flow:
    """[error]: whether the body runs again. Siblings go on meanwhile.

    Where a router failed, `rerun` runs the routers alone: the body is over.
    """
    if task.collected and not _proposed(task):
        yield from _keep_proposal(engine, task)
    pause = _pause(engine, task, "error")
    pause.error, pause.writes, pause.again = error, task.writes, again
    pause.alternatives = engine.plan.alternatives(task.node)
    decision: Decision = yield from ask(engine, pause)
    if decision.verb == "rerun" and task.collected:
        return False
    task.writes, task.gotos, task.routes, task.routed, task.collected, task.chosen = (), (), (), False, False, False
    task.records = None
    task.failures = 0
    match decision.verb:
        case "rerun":
            task.scope.counts.asked += 1
            return True
        case "edit":
            task.scope.counts.asked += 1
            yield from _record(engine, task, "proposal", None)
            task.input = decision.value
            yield from _record(engine, task, "input", decision.value)
            return True
        case "respond" | "skip" | "redirect":
            yield from _instead(engine, task, decision)
            return False
        case "suspend":
            raise Suspended(task.address)
        case _:
            if decision.then != "route":
                raise _Stopped(error) from error
            raise error


def _pause(engine: Engine, task: Task, place: Place) -> Pause:
    return Pause(
        place,
        task.scope.ns,
        task.step,
        node=task.name,
        task=task.id,
        index=task.index,
        state=task.input,
        values=engine.state.values,
        tasks=(task,),
        reads=task.reads,
    )


def _resume(task: Task) -> bool:
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
            _finished(task)
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
    if _decided(task, "before"):
        _replace_body(task, from_record(records.pop("decision").payload))
    elif _decided(task, "after") and "routes" in records["decision"].payload:
        choose(task, unpacked(records["decision"].payload["routes"]))
    edited = records.get("input")
    if edited is not None:
        task.input = edited.payload
    asked = records.get("question")
    made = None if asked is None else asked.payload.get("decided")
    if made and (made["verb"], made["then"]) == ("reject", "retry"):
        task.reason = made["reason"] or "no reason given"
    return False


def _failure(task: Task) -> Exception | None:
    """What the task had failed with, if an earlier process asked about it and nobody answered."""
    question = undecided(task.records, "error")
    error = None if question is None else question.get("error")
    if not isinstance(error, Exception):
        return None
    if question is not None and error.__traceback__ is None and "traceback" in question:
        error.add_note(f"It was raised in an earlier process:\n{question['traceback']}")
    return error


def _proposed(task: Task) -> bool:
    return task.records is not None and "proposal" in task.records


def _decided(task: Task, place: Place) -> bool:
    """Whether a person decided there before the process ended: it counts also where nobody would ask now."""
    found = task.records.get("decision") if task.records is not None else None
    return found is not None and found.payload["place"] == place


def _interrupted(engine: Engine, task: Task, interrupts: Sequence[Any]) -> Flow:
    """Node code asked a person and unwound: keep the question and the answers given so far."""
    task.status, task.interrupts = "interrupted", tuple(interrupts)
    scope = task.scope
    scope.counts.interrupts += 1
    if engine.saving:
        if task.answers:
            yield from _record(engine, task, "resume", list(task.answers))
        yield from _record(engine, task, "interrupt", tuple(interrupts))
    if scope.emit is not None and task.caller is None:
        scope.emit(
            ev.TaskInterrupted(scope.ns, task.step, scope.clock(), task.id, task.name, task.index, tuple(interrupts))
        )


def _failed(engine: Engine, task: Task, error: BaseException) -> Flow:
    task.status, task.error = "failed", error
    scope = task.scope
    if isinstance(error, Exception):
        note = task.note()
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        if engine.saving and not isinstance(error, Cancelled):
            if task.collected and not isinstance(error, Rejected):
                # The body is over, a router or reducer failed: a resume goes on from the proposal.
                yield from _keep_proposal(engine, task)
            yield from _record(engine, task, "error", text_of(error))
        elif engine.saving and (len(engine.tasks) > 1 or task.caller is not None):
            yield from _record(engine, task, "error", "CancelledError()")  # as LangGraph says it: get_state shows it
    if scope.emit is not None:
        writes = task.writes if task.handler is not None else ()
        scope.emit(ev.TaskFailed(scope.ns, task.step, scope.clock(), task.id, task.name, task.index, error, writes))


def unfit(engine: Engine, task: Task, error: Exception) -> Flow:
    """The state can't take what a lone task wrote: keep that, so that a resume doesn't run the body again."""
    task.status = "failed"
    note = task.note()
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    if engine.saving and task.name != START:
        yield from _keep_proposal(engine, task)
        yield from _record(engine, task, "error", text_of(error))


def text_of(error: BaseException) -> str:
    """An error as records keep it."""
    return repr(error)


def _keep_proposal(engine: Engine, task: Task) -> Flow:
    """Record what the body returned, without what is never stored."""
    untracked = engine.plan.untracked
    gotos = packed(task.gotos)
    if untracked:
        gotos = tuple(without(untracked, goto) for goto in gotos)
    yield from _record(engine, task, "proposal", (tracked(untracked, task.writes), gotos))


def _record(engine: Engine, task: Task, kind: Kind, payload: Any) -> Flow:
    request = engine.request
    if not engine.saving or engine.checkpoint is None:
        return
    record = Record(task.id, kind, payload, task.name, task.path)
    if request.durability == "exit":
        engine.withheld.append(record)
    else:
        yield SaveRecord(request.checkpointer, request.thread or "", task.scope.ns_text, engine.checkpoint, record)
        if request.durability == "sync":
            yield Flush(request.checkpointer)


def _started(task: Task) -> None:
    scope = task.scope
    assert scope.emit is not None
    now, told, metadata = scope.clock(), scope.request.told, task.node.metadata
    if told:
        metadata = {**told, **metadata}
    scope.emit(
        ev.TaskStarted(
            scope.ns, task.step, now, task.id, task.name, task.index, task.input, task.triggers, task.attempt + 1,
            metadata, task.path,
        )
    )  # fmt: skip


def _finished(task: Task) -> None:
    scope = task.scope
    assert scope.emit is not None
    scope.emit(
        ev.TaskFinished(
            scope.ns, task.step, scope.clock(), task.id, task.name, task.index, task.writes, task.routes, task.carried
        )
    )


def as_writes(task: Task, value: Any) -> Writes:
    """An edited update: a mapping or (key, value) pairs, which may name one key twice."""
    if isinstance(value, Mapping) or not isinstance(value, (list, tuple)):
        return update_of(task.node, Command(update=value))
    return tuple((key, each) for key, each in value)


def choose(task: Task, targets: Any) -> None:
    """Routes that a person gave in place of all others; joins are not filled."""
    task.routes, task.routed, task.chosen, task.joined = tuple(as_routes(targets)), True, True, ()


def as_routes(value: Any) -> Sequence[Route]:
    """Targets that a person gave: one or several names or Sends; END goes nowhere."""
    routes = (value,) if isinstance(value, (str, Send)) else tuple(value or ())
    return [str.__str__(route) if isinstance(route, str) else route for route in routes if route != END]


def update_from(engine: Engine, value: Any, pause: Pause) -> Writes:
    """A person's update of the state between supersteps."""
    channels = engine.plan.channels
    pairs = tuple(value.items()) if isinstance(value, Mapping) else tuple((key, each) for key, each in value)
    unknown = [key for key, _ in pairs if key not in channels]
    if unknown:
        raise InvalidUpdateError(
            f"Unknown state key {unknown[0]!r} in an edit at {pause.place} of superstep {pause.step}; "
            f"the graph has {sorted(channels)}."
        )
    return pairs


def rejected(decision: Decision, where: str) -> Rejected:
    """The error of a rejection."""
    by = f" by {decision.by}" if decision.by else ""
    error = Rejected(f"Rejected{by} at {where}: {decision.reason or 'no reason given'}")
    error.verdict = "stop"
    return error


def packed(routes: Sequence[Route]) -> tuple[Any, ...]:
    """Routes in the form that records keep."""
    return tuple(route if isinstance(route, str) else (route.node, route.arg, route.timeout) for route in routes)


def unpacked(routes: Sequence[Any]) -> tuple[Route, ...]:
    return tuple(route if isinstance(route, str) else Send(route[0], route[1], timeout=route[2]) for route in routes)


def as_record(decision: Decision, place: Place) -> dict[str, Any]:
    """A decision in the form that records keep. `place` is before (in place of the body, also at [error]) or after."""
    value = packed(as_routes(decision.value)) if decision.verb == "redirect" else decision.value
    return {
        "verb": decision.verb,
        "value": value,
        "reason": decision.reason,
        "by": decision.by,
        "then": decision.then,
        "place": place,
    }


def from_record(record: Mapping[str, Any]) -> Decision:
    value = unpacked(record["value"]) if record["verb"] == "redirect" else record["value"]
    return Decision(record["verb"], value, record["reason"], record["by"], then=record["then"])
