"""LangGraph's checkpointers under our engine: threads in its format, which both engines can go on with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from time import time_ns
from typing import Any
from uuid import UUID, uuid4, uuid5

from stepgraph.compat.allowed import restricted
from stepgraph.compat.deltas import COUNTERS, Deltas, missing, replayed, stores_deltas
from stepgraph.compat.format import BESIDE, INPUT, INTERRUPT, RESUME
from stepgraph.compat.format_ids import (
    call_id,
    checkpoint_id,
    edit_id,
    first_version,
    handler_id,
    interrupt_id,
    path_text,
    task_id,
)
from stepgraph.compat.ledger import Ledger, Ran
from stepgraph.compat.saver_calls import ensured, takes_path
from stepgraph.compat.stored import ROUTED, Theirs, checkpoint_of, following, stored_of, stub_of, unrouted, writes_of
from stepgraph.compat.twins import meets_all, reads_memory, translated
from stepgraph.core.checkpoint import PUSH, Checkpoint, Record, Source, Stored, ThreadInfo
from stepgraph.core.child import parents_of
from stepgraph.core.entry import NOBODY
from stepgraph.core.errors import CheckpointError
from stepgraph.core.plan import START, Node, Plan
from stepgraph.core.task import Task
from stepgraph.graph.snapshots import inner_plan
from stepgraph.run.config import RUNNING
from stepgraph.run.context import caller_loop


def from_langgraph_saver(saver: Any) -> Translated:
    """A checkpointer for our graphs that keeps threads in one of LangGraph's (any `BaseCheckpointSaver`).

    `compile(checkpointer=saver)` does this by itself. Under `ainvoke` and `astream` the saver's async methods are
    used, else its sync ones, as LangGraph does. What a debugger records of a superstep before it ends (proposals,
    decisions, edited inputs) is kept beside, where LangGraph doesn't look.
    """
    if not hasattr(saver, "put_writes"):
        raise TypeError(f"from_langgraph_saver takes a BaseCheckpointSaver of LangGraph's; {saver!r} is none.")
    return Translated(saver)


class Translated:
    """A saver of LangGraph's, not opened yet: what needs no graph can be asked of it."""

    def __init__(self, saver: Any) -> None:
        self.saver = saver
        self.old: set[str] = set()
        """The checkpoints read that are of the first version of the format."""

    def opened(self, engine: Any) -> Opened:
        """For one run."""
        return Opened(restricted(self.saver, engine.plan), engine.plan, engine, self.old)

    def reader(self, plan: Plan) -> Opened:
        """For reading threads of a graph."""
        return Opened(restricted(self.saver, plan), plan, old=self.old)

    @property
    def at_once(self) -> bool:
        """Whether reading waits for nothing: it is LangGraph's saver in memory, and reads as that does."""
        return reads_memory(self.saver)

    def threads(self) -> list[ThreadInfo]:
        """All threads, newest first."""
        newest: dict[str, Any] = {}
        for found in self._list(None):
            place = found.config["configurable"]
            if not place.get("checkpoint_ns"):
                known = newest.get(place["thread_id"])
                if known is None or known.checkpoint["id"] < found.checkpoint["id"]:
                    newest[place["thread_id"]] = found
        return [
            self._info(thread, found)
            for thread, found in sorted(newest.items(), key=lambda each: each[1].checkpoint["id"], reverse=True)
        ]

    def _info(self, thread: str, found: Any) -> ThreadInfo:
        stored = stored_of(found, _NO_PLAN, thread, "")
        return ThreadInfo(thread, stored.id, stored.step, stored.time, following(found.checkpoint), stored.metadata)

    def namespaces(self, thread: str) -> list[str]:
        """The namespaces that the thread has checkpoints in."""
        found = self._list({"configurable": {"thread_id": thread}})
        return list(dict.fromkeys(each.config["configurable"].get("checkpoint_ns", "") for each in found))

    def delete(self, thread: str) -> None:
        """Forget a thread with all its namespaces."""
        self._ask("delete_thread", thread)

    def flush(self) -> Any:
        """Nothing to wait for: each write is made before the next effect."""
        return _nothing() if self.awaits else None

    def close(self) -> None:
        """Nothing to release: the saver is the caller's."""

    awaits = False

    def load(self, thread: str, ns: str, checkpoint_id: str | None = None) -> Any:
        raise _unopened()

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> Any:
        raise _unopened()

    def save_record(self, thread: str, ns: str, checkpoint_id: str, record: Record) -> Any:
        raise _unopened()

    def history(
        self, thread: str, ns: str, *, before: str | None = None, limit: int | None = None, values: bool = True
    ) -> Iterator[Stored]:
        raise _unopened()

    def _ask(self, method: str, *args: Any, **options: Any) -> Any:
        """Call a sync method, or from a helper thread of async code the async one on the loop that waits for it."""
        loop = caller_loop.get()
        if loop is None:
            return getattr(self.saver, method)(*args, **options)
        return asyncio.run_coroutine_threadsafe(getattr(self.saver, f"a{method}")(*args, **options), loop).result()

    def _list(self, config: Mapping[str, Any] | None, **options: Any) -> Iterator[Any]:
        loop = caller_loop.get()
        if loop is None:
            # Listed at once: a saver may hold its lock until it has given its last checkpoint.
            return iter(list(self.saver.list(config, **options)))

        async def listed() -> list[Any]:
            return [each async for each in self.saver.alist(config, **options)]

        return iter(asyncio.run_coroutine_threadsafe(listed(), loop).result())


class Opened(Translated):
    """A saver of LangGraph's, opened for one run, or for reading what a graph's runs have left."""

    def __init__(self, saver: Any, plan: Plan, engine: Any = None, old: set[str] | None = None) -> None:
        super().__init__(saver)
        if old is not None:
            self.old = old
        self.plan = plan
        self.engine = engine
        self.awaits = False
        self._met = meets_all(saver)
        """Whether its serializer translates our objects, so that they need not be looked for."""
        self.ledger = Ledger(plan, saver.get_next_version)
        self._saved: dict[str, Any] = {}
        """The channel versions of the checkpoint stored last."""
        self._sends: tuple[Any, ...] = ()
        """The Sends that it leads to."""
        self._around: dict[str, str] = {}
        self._resumed = False
        self._before: Ledger | None = None
        """The ledger without what callers' Commands wrote since."""
        self._given: list[Ran] = []
        """What they wrote."""
        self._answers: dict[str, list[Any]] = {}
        """What tasks were answered that is stored with what comes next of them, by id."""
        self._called: set[str] = set()
        """The names of the functions that node code has called in this superstep."""
        self._next: dict[str, Any] = {}
        """The checkpoint of the last superstep, in LangGraph's form."""
        self._base: Mapping[str, Any] = {}
        self._updated: Sequence[str] | None = None
        """What the superstep before the run wrote."""
        self._restored: str | None = None
        """The checkpoint that the run, or an edit's first superstep, begins with."""
        self._superseded = False
        """Whether the thread has gone on from that already."""
        self._as_input: list[tuple[str, Any]] | None = None
        """What an edit in the place of input wrote."""
        self._deltas: Deltas | None = None
        self._stub = ""
        """The id of the checkpoint that a thread begins with, if it needs one to hold what is written first."""
        self._given_before = False
        """Whether that has writes of a caller's Command, which are told first."""
        if engine is not None:
            self._base = ensured(engine.request)
            engine.request.new_id = checkpoint_id
            deltas = Deltas(plan, engine.request.durability == "exit")
            if deltas.channels and stores_deltas(saver):
                self._deltas, self._stub = deltas, checkpoint_id()

    def opened(self, engine: Any) -> Opened:
        """For the run of a graph inside this one, which the same driver drives."""
        made = Opened(restricted(self.saver, engine.plan), engine.plan, engine, self.old)
        made.awaits = self.awaits
        return made

    # What the engine tells

    def restored(self, stored: Stored) -> None:
        """The run goes on from this checkpoint."""
        assert isinstance(stored, Theirs)
        self.ledger.read(stored.checkpoint)
        self.ledger.values = self.engine.state.values.copy()
        self._saved = dict(self.ledger.versions)
        self._sends = stored.control.sends
        self._around = stored.metadata.get("parents") or {}
        self._updated = stored.checkpoint.get("updated_channels")
        self._restored, self._superseded = stored.id, False
        if self._deltas is not None:
            self._deltas.restored(stored, self.engine.scope.ns_text)
            self._given_before = any(each.task == NOBODY and each.kind == "outcome" for each in stored.records)

    def amended(self, task: Task) -> None:
        """A caller's Command has been applied."""
        # LangGraph applies all that callers wrote to one checkpoint at once, whenever that was.
        if self._before is None:
            self._before = self.ledger.copy()
        self.ledger = self._before.copy()
        self._given.append(Ran(INPUT, (), tuple(key for key, _ in task.writes), task.routes))
        self.ledger.apply(self._given, self.engine.state)
        if self._deltas is not None and not self._given_before:
            self._deltas.commanded += [each for each in task.writes if each[0] in self._deltas.channels]
        self._given_before = False

    def called(self, task: Task) -> None:
        """Node code calls this function."""
        self._called.add(task.name)

    def answered(self, task: Task) -> None:
        """What the task was answered is to be stored with its outcome, error or next question, which follows."""
        self._answers[task.id] = list(task.answers or ())

    def edited(self, task: Task, place: int, planned: bool) -> None:
        """The path of an edit, and its id where it stands for no task."""
        task._path = (INTERRUPT, place)
        if not planned:
            task._id = edit_id(task.scope.checkpoint or _NO_CHECKPOINT, place)

    def turned(self, source: Source, tasks: Any) -> None:
        """A superstep has been applied: work out its checkpoint."""
        engine, ledger, state = self.engine, self.ledger, self.engine.state
        if engine.scope.resumed and not self._resumed:
            ledger.resume()
            self._resumed = True
        given = self._given
        self._before, self._given = None, []
        called, self._called = [Ran(name, (PUSH,)) for name in self._called], set()
        edited = any(task.edited for task in tasks)
        if source == "input":
            keys = tuple(key for task in tasks for key, _ in task.writes) if self.plan.intake else (START,)
            ledger.input(() if edited else ledger.planned(self._sends), state, keys)
        elif source == "update" and not (tasks or state.next or state.sends):
            ledger.apply(ledger.planned(self._sends), state)
        elif source != "fork":
            ledger.apply([*(ran for task in tasks for ran in _ran(task)), *called], state)
        control = state.control(self.plan)
        self._sends = control.sends
        self._next = checkpoint_of(ledger, state, control, engine.scope.checkpoint, engine.scope.inputs)
        if edited or source in ("update", "fork"):
            self._next["updated_channels"] = None
        if source == "fork" and engine.request.durability == "exit" and self._updated:
            self._next["updated_channels"] = sorted({*self._updated, *(ledger.updated if given else ())})
        self._as_input = None
        if source == "input" and edited:
            self._as_input = [write for task in tasks for write in task.writes] or [(START, engine.scope.inputs)]
        if self._deltas is not None:
            self._deltas.turned(source, tasks, ledger.updated, engine, self._superseded)

    def task_id(self, task: Task) -> str:
        """The id of a planned task."""
        scope = task.scope
        around = scope.ns_text if task.caller is None else "|".join(task.caller.ns)
        place = (scope.checkpoint or _NO_CHECKPOINT, around, task.step, task.name)
        old = scope.checkpoint in self.old
        if task.caller is not None:
            return call_id(*place, task.caller.path, task.key, old)
        if task.failed is not None:
            return handler_id(*place, task.failed.id, old)
        return task_id(*place, task.node.ready_by, task.key, old)

    def interrupt_id(self, ns: str, slot: int) -> str:
        """The id of the `slot`-th question (from 0) of the task with this namespace."""
        return interrupt_id(ns, slot)

    # Reading

    def load(self, thread: str, ns: str, checkpoint_id: str | None = None) -> Any:
        """The named checkpoint, or the newest; None when there is none."""
        config = self._config(thread, ns, checkpoint_id)
        if self.awaits:
            return self._loaded(thread, ns, config, checkpoint_id)
        found = self._ask("get_tuple", config)
        return self._stored(thread, ns, found, self._rest(found, self._plan_of(ns)), checkpoint_id)

    async def _loaded(self, thread: str, ns: str, config: Any, asked: str | None) -> Stored | None:
        found = await self.saver.aget_tuple(config)
        left = [] if found is None else missing(self._plan_of(ns), found.checkpoint)
        rest: Any = {}
        if left and stores_deltas(self.saver):
            rest = await self.saver.aget_delta_channel_history(config=found.config, channels=left)
        return self._stored(thread, ns, found, rest, asked)

    def _rest(self, found: Any, plan: Plan) -> Any:
        """What is to be read from a checkpoint's ancestors."""
        left = [] if found is None else missing(plan, found.checkpoint)
        if not left or not stores_deltas(self.saver):
            return {}
        return self._ask("get_delta_channel_history", config=found.config, channels=left)

    def _stored(self, thread: str, ns: str, found: Any, rest: Any, asked: str | None) -> Stored | None:
        if found is None:
            return None
        plan = self._plan_of(ns)
        stored = self._noted(stored_of(found, plan, thread, ns, replayed(plan, rest)))
        stored.newest = asked is None
        if asked is None and self._restored is not None:
            self._superseded = stored.id != self._restored
        return stored

    def _noted(self, stored: Theirs) -> Theirs:
        if first_version(stored.checkpoint):
            self.old.add(stored.id)
        return stored

    def _plan_of(self, ns: str) -> Plan:
        if self.engine is not None:
            return self.plan
        return inner_plan(self.plan, ns, strict=False)[0] if ns else self.plan

    def history(
        self, thread: str, ns: str, *, before: str | None = None, limit: int | None = None, values: bool = True
    ) -> Iterator[Stored]:
        """Checkpoints, newest first."""
        return self._history(thread, ns, values, before=before, limit=limit)

    def matching(
        self, thread: str, ns: str, wanted: Mapping[str, Any], *, before: str | None = None, limit: int | None = None
    ) -> Iterator[Stored]:
        """Those whose metadata the saver takes for what is wanted: in SQL a part of a mapping may be enough."""
        return self._history(thread, ns, True, before=before, limit=limit, filter=dict(wanted))

    def _history(self, thread: str, ns: str, values: bool, *, before: str | None, **options: Any) -> Iterator[Stored]:
        config = self._config(thread, ns, None)
        first = None if before is None else self._config(thread, ns, before)
        plan = self._plan_of(ns)
        for found in self._list(config, before=first, **options):
            rest = self._rest(found, plan) if values else {}
            named = found.config["configurable"].get("checkpoint_ns") or ns  # some list those inside the outermost too
            stored = self._noted(stored_of(found, plan, thread, named, replayed(plan, rest)))
            if not values:
                stored.values = {}
            yield stored

    # Writing

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> Any:
        """Put the checkpoint of the last superstep."""
        made, versions, parent = self._next, self.ledger.versions, checkpoint.parent
        metadata = {"source": checkpoint.source, "step": checkpoint.step, "parents": self._parents(checkpoint.source)}
        calls: list[tuple[str, tuple[Any, ...]]] = []
        if self._as_input is not None and parent is not None and not self._superseded:
            task = str(uuid5(UUID(parent), INPUT))
            calls.append(("put_writes", (self._config(thread, ns, parent), self._as_input, task, "")))
        if self._deltas is not None:
            parent = self._save_deltas(self._deltas, thread, ns, checkpoint, metadata, calls)
        new = {key: version for key, version in versions.items() if self._saved.get(key) != version}
        self._saved = dict(versions)
        calls.append(("put", (self._config(thread, ns, parent), made, metadata, new)))
        self._restored, self._superseded = checkpoint.id, False
        return self._perform(calls)

    def _save_deltas(
        self,
        deltas: Deltas,
        thread: str,
        ns: str,
        checkpoint: Checkpoint,
        metadata: dict[str, Any],
        calls: list[tuple[str, tuple[Any, ...]]],
    ) -> str | None:
        """What is kept of DeltaChannels, in the checkpoint and before it. Returns the checkpoint's parent."""
        parent, ledger, values = checkpoint.parent, self.ledger, self.engine.state.values
        if deltas.at_exit and parent is None and deltas.left(ledger):
            parent = self._stub
            stub = stub_of(parent)
            calls.append(("put", (self._config(thread, ns, None), stub, {"step": -2}, {})))
        for put in deltas.puts(parent, ledger):
            config = self._config(thread, ns, put.checkpoint)
            calls.append(("put_writes", (config, put.writes, put.task, put.path)))
        counted = deltas.settle(self._next, values, ledger, self._saved)
        if counted:
            metadata[COUNTERS] = counted
        deltas.saved(checkpoint.id)
        return parent

    def _parents(self, source: Source) -> dict[str, str]:
        """The checkpoints of the graphs around this one, by namespace: for an edit those that it had when it ran."""
        found = parents_of(self.engine.request.parent)
        if source == "update" and not found:
            return self._around
        given = (self._base.get("configurable") or {}).get("checkpoint_map") or {}
        return {**given, **found} or self._around

    def save_record(self, thread: str, ns: str, checkpoint_id: str, record: Record) -> Any:
        """Put what is known of a task as pending writes of the checkpoint."""
        config = self._config(thread, ns, checkpoint_id)
        answers = self._answers.pop(record.task, None) if record.kind in ("outcome", "interrupt", "error") else None
        answered = [] if answers is None else [(RESUME, answers)]
        writes: list[tuple[str, Any]] | None
        if record.kind == "interrupt":
            # A breakpoint inside a subgraph is no question.
            writes = [*(writes_of(record) or () if record.payload else ()), *answered]
        elif record.kind == "outcome" and any(each.id == record.task and each.handler for each in self.engine.tasks):
            writes = answered  # that of its error handler is kept
        else:
            writes = writes_of(record)
            writes = writes if writes is None else [*answered, *writes]
        if writes == []:
            return _nothing() if self.awaits else None
        puts: list[Any] = (
            [] if writes is None else [(config, writes, record.task, path_text(record.path) if record.path else "")]
        )
        if record.kind == "outcome" and self._looks_unrouted(record):
            record = record._replace(kind=ROUTED, payload=())  # type: ignore[arg-type]  # a kind of this format only
            writes = None
        if writes is None or record.kind == "handler":
            about = {**record._asdict(), "path": list(record.path), "order": [time_ns(), next(_order)]}
            puts.append((config, [(BESIDE, about)], str(uuid4()), ""))
        return self._perform([("put_writes", put) for put in puts])

    def _looks_unrouted(self, record: Record) -> bool:
        """Whether it reads as if a router had failed: the task had failed in an earlier run, and has no routes now."""
        known = next((each.records for each in self.engine.tasks if each.id == record.task), None)
        if not known or "error" not in known:
            return False
        node = self.plan.nodes.get(record.node)
        return node is not None and unrouted(node, record.payload[1])

    def _perform(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> Any:
        """Make these calls of the saver's, one after the other; an awaitable where it is awaited."""
        asynchronous = self.awaits or caller_loop.get()
        if not takes_path(type(self.saver).aput_writes if asynchronous else type(self.saver).put_writes):
            calls = [(name, args[:3] if name == "put_writes" else args) for name, args in calls]
        if not self._met:
            calls = [(name, (args[0], translated(args[1]), *args[2:])) for name, args in calls]
        if self.awaits:
            return self._awaited(calls)
        for name, args in calls:
            self._ask(name, *args)
        return None

    async def _awaited(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        for name, args in calls:
            await getattr(self.saver, f"a{name}")(*args)

    def _config(self, thread: str, ns: str, checkpoint: str | None) -> dict[str, Any]:
        """The run's config, pointing at a checkpoint or, without one, at the namespace."""
        configurable = {**(self._base.get("configurable") or {}), "thread_id": thread, "checkpoint_ns": ns}
        if checkpoint is not None:
            configurable["checkpoint_id"] = checkpoint
        elif RUNNING in configurable:
            configurable["checkpoint_id"] = None  # as the config of the node around it says
        else:
            configurable.pop("checkpoint_id", None)
        return {**self._base, "configurable": configurable}


_NO_CHECKPOINT = "00000000-0000-0000-0000-000000000000"
_NO_PLAN = Plan("", {}, {START: Node(START, None)})
_order = count()


def _ran(task: Task) -> list[Ran]:
    """What a finished task did; an edit in a node's name counts as triggered, but by nothing that there is."""
    triggers = (PUSH,) if task.key >= 0 else task.node.ready_by
    keys = tuple(key for key, _ in task.writes)
    ran = Ran(task.name, (INTERRUPT,) if task.edited else triggers, keys, task.routes, task.joins)
    return [ran] if task.handler is None else [ran, Ran(task.handler.name, (PUSH,))]


async def _nothing() -> None:
    return None


def _unopened() -> CheckpointError:
    return CheckpointError(
        "A checkpointer of LangGraph's keeps nothing that could be read without the graph: compile the graph with it, "
        "`builder.compile(checkpointer=saver)`, and use get_state, get_state_history and update_state."
    )


__all__ = ["Opened", "Translated", "from_langgraph_saver"]
