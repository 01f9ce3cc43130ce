"""How a run begins: fresh, with new input on a known thread, resumed, answered, or from an older checkpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core import events as ev
from stepgraph.core.changed import GRAPH, advice, current, tell, unknown_graph
from stepgraph.core.checkpoint import Record, Stored, records_by_task
from stepgraph.core.child import parents_of, without_ids
from stepgraph.core.combining import combine, in_order
from stepgraph.core.decisions import as_routes, packed, unpacked
from stepgraph.core.effects import Flow, Load, SaveRecord
from stepgraph.core.errors import EmptyInputError, InvalidUpdateError, UnknownInterruptError
from stepgraph.core.plan import Node, Plan
from stepgraph.core.recorded import records_of, tracked, without
from stepgraph.core.state import State, advance, ready, take_writes
from stepgraph.core.task import NOTHING, PAST, Task
from stepgraph.core.types import PARENT, START, Command, Route, Writes
from stepgraph.core.writes import update_of

if TYPE_CHECKING:
    from stepgraph.core.engine import Engine

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The task id of what a caller wrote: LangGraph's null task."""
INTERRUPT_ID = re.compile(r"[0-9a-f]{32}")


def open_thread(engine: Engine) -> Flow:
    """Load the thread, take in the input, and leave the engine ready for its first superstep."""
    request, scope = engine.request, engine.scope
    stored: Stored | None = None
    if request.checkpointer is not None and not (is_new(engine) or _begins_again(engine)):
        stored = yield _load(engine)
        if request.parent is not None:
            stored = yield from _taken_back(engine, request.parent, stored)
        if stored is not None:
            stored = current(engine, stored)
            restore(engine, stored)
    resuming = request.input is None or isinstance(request.input, Command)
    known = stored is not None and not is_blank(stored)
    resuming = stored is not None and known and (resuming or _same_run(engine, stored))
    if stored is not None and request.parent is not None and _goes_on(engine, request.parent, stored):
        resuming = True
    if request.parent is not None and engine.saving:
        request.metadata = {**request.metadata, "parents": parents_of(request.parent)}
    scope.stop = engine.state.step + request.recursion_limit + 1
    if scope.emit is not None:
        scope.emit(
            ev.RunStarted(
                scope.ns,
                engine.state.step,
                scope.clock(),
                scope.run_id,
                engine.plan.name,
                request.thread,
                resuming,
                engine.plan.output_keys,
                parents_of(request.parent),
            )
        )
        if resuming and stored is not None:
            scope.emit(
                ev.CheckpointLoaded(
                    scope.ns, stored.step, scope.clock(), stored.thread, stored.id, stored.parent, stored.source,
                    stored.metadata,
                )
            )  # fmt: skip
    if resuming and stored is not None:
        tell(engine.plan, stored)
        _check_next(engine, stored)
    forks = yield from _travel(engine, stored, resuming)
    if engine.saving and engine.keeper is None:
        graph = unknown_graph(engine.plan, None if engine.checkpoint is None else stored)
        if graph:
            engine.amended = {**engine.amended, **graph} if engine.amended else graph
    if isinstance(request.input, Command):
        yield from _command(engine, request.input, forks)
        resuming = known
    scope.resumed = resuming
    if resuming:
        if forks:
            yield from _fork(engine)
        engine.passed = engine.state.version
        engine.awaited = None
        if engine.plan.fleeting:
            engine.output = engine.plan.output(engine.state.values, request.output_keys)
        if scope.emit is not None:
            engine.show("resume", ())
        return
    yield from take_input(engine)


def is_new(engine: Engine) -> bool:
    """Whether nothing can be stored: the namespace has the id of a task that hangs on a checkpoint of this very run."""
    request, task = engine.request, engine.request.parent
    return (
        task is not None
        and task.attempt == 1
        and task.node.child is engine.plan
        and not task.scope.resumed
        and not request.lasting
        and engine.keeper is None
    )


def is_blank(stored: Stored) -> bool:
    """Whether nothing was ever written to the thread: it was cleared, or edited in vain, before anything ran."""
    return stored.version == 0


def _begins_again(engine: Engine) -> bool:
    """Whether the task that runs this graph is one that the caller has gone back to, and not into the graph."""
    request, task = engine.request, engine.request.parent
    if task is None or request.lasting:
        return False
    root = engine.scope.root.request
    return root.replayed is not None and not root.journey and task.scope.checkpoint == root.checkpoint


def _same_run(engine: Engine, stored: Stored) -> bool:
    """Whether the caller gives the id of the run that stored the checkpoint, in the config's metadata: it goes on."""
    config = engine.request.config
    given = (config.get("metadata") or {}).get("run_id") or (config.get("configurable") or {}).get("run_id")
    return given is not None and engine.request.parent is None and given == stored.metadata.get("run_id")


def _load(engine: Engine) -> Load:
    """The checkpoint to begin with: the thread's newest, or where a journey into the past leads.

    When the outermost graph goes on from an older checkpoint, a graph with a history of its own does so too, from its
    newest one before that, when it first runs.
    """
    request, scope = engine.request, engine.scope
    saver, thread = request.checkpointer, request.thread or ""
    if request.parent is None and not request.lasting:
        return Load(saver, thread, scope.ns_text, request.checkpoint)
    root = scope.root.request
    stable = without_ids(scope.ns_text)
    if request.parent is not None and root.journey:
        place = root.journey.pop(stable, None)
        if place is not None:
            root.visited |= {stable}
            if place[0] == scope.ns_text:
                request.checkpoint = place[1]
            return Load(saver, thread, *place)
    if request.lasting and root.replayed is not None and stable not in root.visited:
        root.visited |= {stable}
        return Load(Earlier(saver), thread, scope.ns_text, root.replayed)
    return Load(saver, thread, scope.ns_text, request.checkpoint)


class Earlier:
    """A checkpointer whose `load` gives the newest checkpoint that was made before one of another namespace."""

    def __init__(self, checkpointer: Any) -> None:
        self._checkpointer = checkpointer
        self.in_memory = getattr(checkpointer, "in_memory", False)

    def load(self, thread: str, ns: str, checkpoint: str | None) -> Stored | None:
        for each in self._checkpointer.history(thread, ns, values=False):
            if checkpoint is None or each.id < checkpoint:
                if getattr(self._checkpointer, "awaits", False):  # whose `load` is for its event loop; this one is not
                    return next(iter(self._checkpointer.history(thread, ns, before=checkpoint, limit=1)), None)
                found: Stored | None = self._checkpointer.load(thread, ns, each.id)
                return found
        return None


def _taken_back(engine: Engine, task: Task, stored: Stored | None) -> Flow:
    """The checkpoint to begin with when a task runs a graph again that had ended, because the task failed after that.

    It is run anew: without what the earlier attempt did, but with what a graph with a history of its own had before.
    """
    request, place = engine.request, engine.scope.ns_text
    if request.lasting:
        task.found = {place: None if stored is None else stored.id, **task.found}
    if task.attempt == 1 or stored is None or stored.control.next or stored.control.sends:
        return stored
    before = task.found.get(place)
    return None if before is None else (yield Load(request.checkpointer, request.thread or "", place, before))


def _goes_on(engine: Engine, parent: Task, stored: Stored) -> bool:
    """Whether a child takes up its own checkpoint: it is not done, or its end was not recorded by the parent's task.

    A child with a history of its own does so only if the parent's run goes on too, and it is not done, or was done by
    the same task before that stopped; or if an earlier attempt of the task began it. Else it has new input.
    """
    if engine.request.lasting and engine.request.checkpoint is None:
        scope = parent.scope
        if parent.attempt > 1 and parent.found[engine.scope.ns_text] != stored.id:
            return True
        goes_on = scope.resumed and engine.scope.root.request.replayed is None
        by_this_task = (stored.metadata.get("parents") or {}).get(scope.ns_text) == scope.checkpoint
        return goes_on and (by_this_task or bool(engine.state.next or engine.state.sends))
    return True


def _travel(engine: Engine, stored: Stored | None, resuming: bool) -> Flow:
    """Prepare to go on from the checkpoint that the caller named; whether that needs a fork.

    Its tasks run again, unless an answer goes to the thread's newest checkpoint. An edited checkpoint that is the
    newest one needs no fork.
    """
    request = engine.request
    if stored is not None and stored.ns != engine.scope.ns_text:
        # From another namespace: a checkpoint of its own here, with the whole state.
        engine.checkpoint, engine.pending, engine.replaying = None, {}, True
        engine.amended = tracked_values(engine)
        return True
    if stored is None or request.checkpoint is None:
        return False
    newest = yield Load(request.checkpointer, request.thread or "", engine.scope.ns_text, None)
    superseded, edited = newest is None or newest.id != stored.id, stored.source in ("update", "fork")
    answers = isinstance(request.input, Command) and request.input.resume is not None
    forks = resuming and not answers and (superseded or not edited)
    engine.replaying = superseded or not answers
    if engine.replaying:
        if request.parent is None and resuming and not answers:
            request.replayed = (stored.parent if edited else None) or stored.id
        engine.scope.root.answer = []
        engine.pending = {task: _asked(records, answers, forks) for task, records in engine.pending.items()}
    return forks


def _asked(records: Mapping[str, Record], answers: bool, forks: bool) -> dict[str, Record]:
    """What a task that runs again keeps: for an answer its answers so far, and its question if it waits for one.

    What else is known of it is only shown, and not after a fork, whose tasks are others.
    """
    kinds = () if not answers else ("resume",) if "outcome" in records else ("resume", "interrupt")
    kept = {kind: record for kind, record in records.items() if kind in kinds}
    return kept if forks else {**kept, **{PAST[kind]: records[kind] for kind in PAST.keys() & records.keys()}}


def amended_values(engine: Engine) -> dict[str, Any]:
    """What the next checkpoint has to keep besides what its superstep changed."""
    values, amended = engine.state.values, engine.amended
    found = {key: values[key] for key in amended if key in values}
    if GRAPH in amended:
        found[GRAPH] = amended[GRAPH]
    return found


def tracked_values(engine: Engine) -> dict[str, Any]:
    """The values that may be stored."""
    untracked = engine.plan.untracked
    return {key: value for key, value in engine.state.values.items() if key not in untracked}


def _check_next(engine: Engine, stored: Stored) -> None:
    """Raises InvalidUpdateError where the thread would go on with a node that the graph no longer has.

    A Command with `goto`, now or in an earlier process, has said where to go on instead.
    """
    nodes = engine.plan.nodes
    missing = [name for name in stored.control.next if name not in nodes]
    command = engine.request.input
    if not missing or engine.commanded[1] or (isinstance(command, Command) and command.goto):
        return
    raise InvalidUpdateError(
        f"Thread {stored.thread!r} would go on with node {missing[0]!r}, "
        f"which graph {engine.plan.name!r} does not have. "
        f"Its nodes are {sorted(name for name in nodes if name != START)}. "
        f"{advice(engine.plan, missing, stored)} Else give the node its old name back, "
        "or say where to go on: `invoke(Command(goto=name), ...)`."
    )


def restore(engine: Engine, stored: Stored) -> None:
    """Leave the engine at `stored`. Nodes that the graph no longer has do not run."""
    engine.state = State.restored(engine.plan, stored)
    engine.checkpoint = stored.id
    engine.scope.checkpoint = stored.id
    if engine.keeper is not None:
        engine.keeper.restored(stored)
    engine.pending = records_by_task(stored)
    nobody = engine.pending.pop(NOBODY, None)
    if nobody is not None:
        if "outcome" in nobody:
            engine.commanded = written(nobody)
            amend(engine, *engine.commanded)
        if "resume" in nobody:  # LangGraph keeps an answer before it is taken
            given = nobody["resume"].payload
            taken = (each["resume"].payload for each in engine.pending.values() if "resume" in each)
            engine.scope.answer = [] if any(given[0] in answers for answers in taken) else given
    if engine.plan.entry in engine.state.next:
        engine.scope.inputs = stored.values.get(START)


def take_input(engine: Engine) -> Flow:
    """New input: whatever was pending on the thread is dropped, START runs next."""
    request, state, scope = engine.request, engine.state, engine.scope
    if request.input is None:
        raise EmptyInputError(
            f"Received no input for {_entrance(engine.plan)}: "
            f"graph {engine.plan.name!r} has no checkpoint to resume from"
            + (f" on thread {request.thread!r}" if request.thread else ", so it needs an input")
            + (f": there is no {request.checkpoint!r}." if request.checkpoint and request.thread else ".")
        )
    engine.pending = {}
    if request.parent is None:
        scope.answer = []
    if engine.plan.intake is not None:
        yield from write_input(engine, request.input, in_order(ready(engine.plan, state, scope)))
        return
    if state.barriers:
        _drop_joins(engine.plan, state)
    state.sends = ()
    state.next = (engine.plan.entry,)
    state.version += 1
    state.ran = ()
    scope.inputs = request.input
    if engine.saving:
        changes = {**amended_values(engine), START: without(engine.plan.untracked, request.input), **_graph(engine)}
        engine.amended, engine.commanded = {}, ((), ())
        yield from engine.save("input", changes, state.step)
    state.step += 1
    if scope.emit is not None:
        engine.show("input", ())
    yield from ()


def _drop_joins(plan: Plan, state: State) -> None:
    """What nodes that new input drops had waited for has to come again; deferred ones that wait go on waiting."""
    for key, barrier in plan.barriers.items():
        if barrier.node in state.next and len(state.barriers.get(key, ())) == len(barrier.sources):
            del state.barriers[key]


def _entrance(plan: Plan) -> Any:
    """Where input goes, as LangGraph names it."""
    keys = plan.input_keys
    return START if plan.intake is None else keys if isinstance(keys, str) else list(keys)


def write_input(engine: Engine, given: Any, discarded: Sequence[Task], *, edited: bool = False) -> Flow:
    """New input of a graph without START: it is written to its channels at once, and subscribers run next.

    An edit's input comes beside what waits already.
    """
    plan, state, scope = engine.plan, engine.state, engine.scope
    assert plan.intake is not None
    task = Task(plan.nodes[START], scope, state.step, -1, given)
    task.writes, task.edited = plan.intake(given), edited
    if not task.writes:
        raise EmptyInputError(
            f"Received no input for {_entrance(plan)}, the input channels of graph {plan.name!r}: got {given!r}."
        )
    changes, groups = combine(plan, state.values, [*discarded, task])
    before = {key: state.values[key] for key in changes if key in state.values}
    take_writes(plan, state, [*discarded, task], changes)
    if engine.saving:
        recorded = {**records_of(plan, before, changes, groups), **_graph(engine)}
        yield from engine.save("input", recorded, state.step - 1, [task])
    if scope.emit is not None:
        engine.show("input", ())


def _graph(engine: Engine) -> Mapping[str, Any]:
    """What the first checkpoint keeps of the graph; it is kept with that."""
    amended = engine.amended
    if GRAPH not in amended:
        return NOTHING
    if amended is engine.plan.kept:
        engine.amended = NOTHING
        return amended
    engine.amended = {key: value for key, value in amended.items() if key != GRAPH}
    return {GRAPH: amended[GRAPH]}


def _fork(engine: Engine) -> Flow:
    """Begin a branch of the same thread, with what the caller's Command wrote."""
    state = engine.state
    state.version += 1
    state.ran = ()
    changes = amended_values(engine)
    if engine.checkpoint is None and engine.plan.entry in state.next:
        changes[START] = without(engine.plan.untracked, engine.scope.inputs)
    engine.amended, engine.commanded = {}, ((), ())
    yield from engine.save("fork", changes, state.step)
    state.step += 1


def _command(engine: Engine, command: Command[Any], forks: bool) -> Flow:
    """A Command as input: answers to interrupts, an update, and where to go. A fork carries the latter two itself."""
    request, scope = engine.request, engine.scope
    if command.graph == PARENT:
        raise InvalidUpdateError("There is no parent graph")
    if command.resume is not None:
        if request.checkpointer is None:
            raise RuntimeError("Cannot use Command(resume=...) without checkpointer")
        _take_answers(engine, command.resume)
        known = engine.keeper is not None and engine.checkpoint is not None
        if known and scope.root.answer and request.durability != "exit":
            assert engine.checkpoint is not None
            given = Record(NOBODY, "resume", scope.root.answer.copy(), "", ())
            yield SaveRecord(request.checkpointer, request.thread or "", scope.ns_text, engine.checkpoint, given)
    empty = isinstance(command.update, (dict, list, tuple)) and not command.update
    updates = command.update is not None and not empty
    if command.resume is None and not updates and not command.goto:
        raise EmptyInputError("Received an empty Command as input: give it `resume`, `update` or `goto`.")
    if updates or command.goto:
        if command.resume is None:
            scope.answer = []  # one that nobody had asked for is dropped, as in LangGraph
        anybody = Node(START, None, writes=frozenset(engine.plan.channels))
        writes = update_of(anybody, command) if updates else ()
        stamp = engine.plan.nodes[engine.plan.entry].stamp
        writes = writes if stamp is None else stamp(writes)
        routes = tuple(as_routes(command.goto))
        amend(engine, writes, routes)
        engine.commanded = (*engine.commanded[0], *writes), (*engine.commanded[1], *routes)
        if engine.saving and engine.checkpoint is not None and not forks:
            writes, routes = engine.commanded
            writes = tracked(engine.plan.untracked, writes)
            record = Record(NOBODY, "outcome", (writes, packed(routes), ()), "", ())
            if request.durability == "exit":
                engine.withheld.append(record)
                return
            yield SaveRecord(request.checkpointer, request.thread or "", scope.ns_text, engine.checkpoint, record)


def amend(engine: Engine, writes: Writes, routes: Sequence[Route]) -> None:
    """Apply a caller's own writes to the open state; they become part of the next checkpoint."""
    state = engine.state
    task = Task(engine.plan.nodes[engine.plan.entry], engine.scope, state.step, -1, None)
    task.writes, task.routes, task.routed, task.joined = writes, tuple(routes), True, ()
    changes, _ = combine(engine.plan, state.values, [task])
    following, sends, step, seen = state.next, state.sends, state.step, dict(state.seen)
    waiting, state.waiting = state.waiting, frozenset()
    advance(engine.plan, state, [task], changes, ends=False)
    state.step, state.ran, state.seen = step, (), seen  # no node has run
    if following or sends:  # deferred nodes wait for these, also where the Command led to them
        waiting |= engine.plan.deferred.intersection(state.next)
    state.waiting |= waiting
    state.next = tuple(sorted({*following, *(set(state.next) - waiting)}))
    state.sends = (*sends, *state.sends)
    if engine.keeper is not None:
        engine.keeper.amended(task)
    untracked = engine.plan.untracked
    engine.amended = {**engine.amended, **{key: value for key, value in changes.items() if key not in untracked}}


def written(records: Mapping[str, Record]) -> tuple[Writes, tuple[Route, ...]]:
    """What a caller's Command wrote and where it went, from its record."""
    writes, routes, _ = records["outcome"].payload
    return tuple((key, value) for key, value in writes), unpacked(routes)


def _take_answers(engine: Engine, resume: Any) -> None:
    """One answer for the first question, or answers by interrupt id. In strict mode they must fit what is pending."""
    scope = engine.scope
    waiting = sorted(
        {
            each.id
            for records in engine.pending.values()
            if "interrupt" in records and "outcome" not in records
            for each in records["interrupt"].payload
        }
    )
    strict = bool((engine.request.config.get("configurable") or {}).get(STRICT)) and engine.request.parent is None
    where = f"on thread {engine.request.thread!r}; pending are {waiting}"
    if isinstance(resume, Mapping) and all(INTERRUPT_ID.fullmatch(str(key)) for key in resume):
        unknown = sorted(set(resume) - set(waiting))
        if strict and not resume:
            raise UnknownInterruptError(
                f"The resume map names no interrupt {where}.", reason="empty_map", pending_ids=waiting
            )
        if strict and unknown:
            raise UnknownInterruptError(
                f"Unknown or already-consumed interrupt: {unknown[0]} {where}.",
                reason="not_pending",
                interrupt_ids=unknown,
                pending_ids=waiting,
            )
        scope.answers_by_id = dict(resume)
        return
    if len(waiting) > 1:
        message = (
            "When there are multiple pending interrupts, you must specify the interrupt id when resuming: "
            f"`Command(resume={{id: answer}})` with ids {waiting}."
        )
        if strict:
            raise UnknownInterruptError(message, reason="ambiguous", pending_ids=waiting)
        raise RuntimeError(message)
    scope.answer = [resume]


STRICT = "__pregel_strict_resume"
"""The configurable key that refuses answers to questions that are not pending."""
