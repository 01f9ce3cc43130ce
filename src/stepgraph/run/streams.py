"""Stream modes as functions of the event stream: values, updates, custom, messages, tasks, checkpoints and debug."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from stepgraph.core import events as ev
from stepgraph.core.checkpoint import PUSH
from stepgraph.core.errors import GraphDrained, GraphRecursionError
from stepgraph.core.plan import Node, Plan
from stepgraph.core.types import END, HIDDEN, INTERRUPT, RETURN, ROOT, START, Interrupt, Namespace, Writes
from stepgraph.run.chunks import Put
from stepgraph.run.config import INNER, shown_metadata
from stepgraph.run.tokens import given_messages, is_message, named, returned_messages

MODES = ("values", "updates", "custom", "messages", "tasks", "checkpoints", "debug", "tools")

_ASKED_BY: dict[type, frozenset[str]] = {
    ev.StepStarted: frozenset(("checkpoints", "debug")),
    ev.TaskPlanned: frozenset(("tasks", "debug")),
    ev.TaskStarted: frozenset(("messages", "tasks", "debug")),
    ev.TaskReturned: frozenset(("messages",)),
    ev.StepFinished: frozenset(("values", "checkpoints", "debug")),
    ev.CheckpointSaved: frozenset(("checkpoints", "debug")),
}
"""Events that take time to make, and the modes that need them."""


class Streams:
    """Turns events into the payloads of `modes` and hands them to `put(namespace, mode, payload)`."""

    def __init__(
        self,
        plan: Plan,
        modes: str | Iterable[str],
        put: Put,
        *,
        subgraphs: bool = False,
        root: Namespace = (),
        config: Mapping[str, Any] | None = None,
        keys: str | Sequence[str] | None = None,
    ) -> None:
        self.modes = frozenset((modes,) if isinstance(modes, str) else modes)
        for mode in sorted(self.modes):
            if mode not in MODES:
                raise ValueError(f"Unknown stream mode {mode!r}; the modes are {', '.join(MODES)}.")
        self.unheard = frozenset(kind for kind, modes in _ASKED_BY.items() if modes.isdisjoint(self.modes))
        """The kinds of events that no mode asks for."""
        self._debugging = "debug" in self.modes or "tasks" in self.modes
        self._send = put
        self._plan = plan
        self._subgraphs = subgraphs
        self._root = root
        self._config = dict(config or {})
        self._hidden = HIDDEN in (self._config.get("tags") or ())
        """Whether nobody is to hear of any task."""
        self._hiding = self._hidden or bool(plan.hidden)
        """Whether nobody is to hear of some tasks."""
        self._keys = keys
        self._views: dict[Namespace, _View] = {}
        self._seen: set[str] = set()
        """The ids of messages that went by, or that nodes were given."""
        self._running: dict[str, dict[str, Any]] = {}
        """The metadata of the messages that running tasks return."""
        self._results: dict[str, Any] = {}
        """What bodies of running tasks have returned, where messages are to be found in it."""
        self._around: dict[str, str] = {}
        """The namespaces of the outermost tasks, for graphs with a history of their own: theirs have no task's id."""

    def __call__(self, event: ev.Event) -> None:
        ns = event.ns
        if ns != self._root and not self._subgraphs:
            return
        view = self._views.get(ns)
        if view is None:
            view = self._views[ns] = _View()
        match event:
            case ev.RunStarted():
                view.keys = self._keys if ns == self._root else event.outputs
                view.parents = event.parents
                plan = self._plan_at(ns)
                view.late = plan is not None and bool(plan.finishing)
                view.kept = plan.shown_keys if plan is not None else END if event.outputs == END else None
            case ev.TaskFinished():
                self._finished(view, event)
            case ev.StepFinished():
                self._step(view, event)
            case ev.TaskEmitted():
                self._said(event)
            case ev.TaskReturned():
                self._results[event.task] = event.result
            case ev.TaskPlanned():
                self._announce(view, event)
            case ev.TaskStarted():
                self._started(view, event)
            case ev.TaskCached():
                self._began(view, event)
            case ev.TaskInterrupted():
                self._results.pop(event.task, None)
                self._interrupted(view, event)
            case ev.TaskFailed():
                self._results.pop(event.task, None)
                self._failed(view, event)
            case ev.CheckpointSaved() | ev.CheckpointLoaded():
                view.saved = event
            case ev.StepStarted():
                self._checkpoint(view, event.tasks)
            case ev.RunFinished():
                self._ended(view, event)

    def _debug(self, event: Any, kind: str, payload: Any, step: int) -> None:
        mode = "checkpoints" if kind == "checkpoint" else "tasks"
        if mode in self.modes:
            self._send(event.ns, mode, payload)
        if "debug" in self.modes:
            stamp = datetime.fromtimestamp(event.time, UTC).isoformat()
            self._send(event.ns, "debug", {"step": step, "timestamp": stamp, "type": kind, "payload": payload})

    def _said(self, event: ev.TaskEmitted) -> None:
        if event.kind == "streamed":
            self._seen.add(named(event.payload[0]))
        elif event.kind == "arrived":
            self._running.pop(event.task, None)
        elif event.kind in ("messages", "message"):
            self._message(event.ns, *event.payload, whole=event.kind == "message")
        elif event.kind == "relayed":
            ns, mode, payload = event.payload
            if self._subgraphs and mode in self.modes:
                self._send(ns, mode, payload)
        elif event.kind in ("custom", "tools") and event.kind in self.modes:
            self._send(event.caller or event.ns, event.kind, event.payload)

    def _message(self, ns: Namespace, message: Any, metadata: Mapping[str, Any], *, whole: bool) -> None:
        """A message, or a part of one; a whole one only if neither it nor a part of it came before."""
        if "messages" not in self.modes:
            return
        if is_message(message):
            name = named(message)
            if whole and name in self._seen:
                return
            self._seen.add(name)
        self._send(ns, "messages", (message, metadata))

    def _place(self, event: ev.TaskStarted | ev.TaskCached) -> dict[str, Any]:
        """The metadata of the messages that a task returns: its own, the thread, and where it runs."""
        found = {"ls_integration": "langgraph", **event.metadata}
        found.pop("tags", None)
        thread = shown_metadata(self._config).get("thread_id")
        if thread is not None:
            found.setdefault("thread_id", thread)
        own = f"{event.node}:{event.task}"
        if event.ns:
            outermost = event.ns[0]
            found.setdefault("checkpoint_ns", outermost if ":" in outermost else self._around.get(outermost, outermost))
        else:
            self._around[event.node] = own
            if self._same_name(event):
                found.setdefault("checkpoint_ns", own)
        found.update(
            langgraph_step=event.step,
            langgraph_node=event.node,
            langgraph_triggers=event.triggers,
            langgraph_path=event.path,
            langgraph_checkpoint_ns="|".join(
                (self._caller(event), own) if _is_called(event.path) else (*event.ns, own)
            ),
        )
        return found

    def _caller(self, event: ev.TaskStarted | ev.TaskCached) -> str:
        """The namespace that a called function's own is below: its caller's, which runs still."""
        path, above = event.path[1], "|".join(event.ns)
        for place in self._running.values():
            if place["langgraph_path"] == path and place["langgraph_checkpoint_ns"].startswith(above):
                return str(place["langgraph_checkpoint_ns"])
        return above

    def _same_name(self, event: ev.TaskStarted | ev.TaskCached) -> bool:
        """Whether the node is a graph of its name: LangGraph then takes the graph's run for the node's."""
        node = self._node(event.ns, event.node)
        return node is not None and node.child is not None and node.child.name == event.node

    def _returned(self, event: ev.TaskFinished) -> None:
        """The messages that a node returned."""
        running, result = self._running.pop(event.task, None), self._results.pop(event.task, None)
        if running is None or event.carried:
            return
        for message in returned_messages(result):
            self._message(event.ns, message, running, whole=True)

    def _hides(self, event: Any) -> bool:
        """Whether nobody is to hear of the task."""
        return self._hidden or (event.node in self._plan.hidden and event.ns == self._root)

    def _finished(self, view: _View, event: ev.TaskFinished) -> None:
        if "values" in self.modes:
            view.written.update(dict(event.writes))
        if event.node == START or (self._hiding and self._hides(event)):
            return
        if "messages" in self.modes:
            self._returned(event)
        if "updates" in self.modes:
            update = view.shown(event.writes)
            chunk = {event.node: update}
            if event.carried:
                chunk["__metadata__"] = {"cached": True}
            self._send(event.ns, "updates", chunk)
        if self._debugging and not event.carried:
            self._task_result(event, None, result_of(view.noted(event.writes)), [])

    def _failed(self, view: _View, event: ev.TaskFailed) -> None:
        if event.writes and "updates" in self.modes and not self._hides(event):
            self._send(event.ns, "updates", {event.node: view.shown(event.writes)})
        view.failed = True
        if event.node != START and not self._hides(event):
            self._task_result(event, event.error, result_of(view.noted(event.writes)), [])

    def _interrupted(self, view: _View, event: ev.TaskInterrupted) -> None:
        if not event.interrupts or self._hides(event):
            return  # a breakpoint inside it: shown at the end of the run
        if "updates" in self.modes:
            self._send(event.ns, "updates", {INTERRUPT: event.interrupts})
        if "values" in self.modes:
            values = _filtered(view.keys, view.values)
            values = values if isinstance(values, dict) else {}
            self._send(event.ns, "values", {**values, INTERRUPT: event.interrupts})
        self._task_result(event, None, {}, [_question(each) for each in event.interrupts])

    def _task_result(self, event: Any, error: BaseException | None, result: Any, interrupts: list[Any]) -> None:
        payload = {"id": event.task, "name": event.node, "error": error, "result": result, "interrupts": interrupts}
        self._debug(event, "task_result", payload, event.step)

    def _started(self, view: _View, event: ev.TaskStarted) -> None:
        if event.node != START and event.attempt == 1:
            self._began(view, event)

    def _began(self, view: _View, event: ev.TaskStarted | ev.TaskCached) -> None:
        if "messages" in self.modes:
            self._running[event.task] = self._place(event)
            given = given_messages(_given(event))
            self._seen.update(message.id for message in given if message.id is not None)
        if event.task not in view.planned:
            self._announce(view, event)

    def _announce(self, view: _View, event: ev.TaskPlanned | ev.TaskStarted | ev.TaskCached) -> None:
        """A task, with all others of its superstep; called functions and error handlers when they start."""
        if event.node == START or self._hides(event) or (view.failed and "node_error_handler" in event.path):
            return  # LangGraph does not announce a handler that takes over at once
        view.planned.add(event.task)
        payload = {
            "id": event.task,
            "name": event.node,
            "input": self._input(event),
            "triggers": event.triggers,
        }
        if event.metadata:
            payload["metadata"] = dict(event.metadata)
        self._debug(event, "task", payload, event.step)

    def _input(self, event: ev.TaskPlanned | ev.TaskStarted | ev.TaskCached) -> Any:
        """The input as the node's schema makes it; as it came when the schema refuses it, or when a Send brought it."""
        if PUSH in event.triggers or not self._debugging:
            return event.input
        node = self._node(event.ns, event.node)
        mapper = None if node is None else node.mapper
        if mapper is None:
            return event.input
        try:
            return mapper(event.input)
        except Exception:  # the body's own call raises it where it is reported
            return event.input

    def _node(self, ns: Namespace, name: str) -> Node | None:
        """The node of that name in the graph that runs at `ns`; None if that graph can't be found."""
        plan = self._plan_at(ns)
        return None if plan is None else plan.nodes.get(name)

    def _plan_at(self, ns: Namespace) -> Plan | None:
        """The plan of the graph that runs at `ns`; None if it can't be found."""
        plan: Plan | None = self._plan
        for part in ns[len(self._root) :]:
            node = plan.nodes.get(part.partition(":")[0]) if plan is not None else None
            plan = node.inner() if node is not None else None
        return plan

    def _step(self, view: _View, event: ev.StepFinished) -> None:
        view.values = event.values
        view.step = event
        view.planned.clear()
        written, view.written = view.written, set()
        view.failed = False
        if "values" not in self.modes:
            return
        shown = self._shown(view, event.changed) and (not view.late or self._shown(view, written))
        if event.source == "resume" or (event.source in ("loop", "update") and shown):
            self._send(event.ns, "values", _filtered(view.keys, event.values))

    def _shown(self, view: _View, written: Collection[str]) -> bool:
        """Whether a key was written that the caller wants to see."""
        keys = view.keys
        if keys is None or not isinstance(view.values, dict):
            return bool(written)
        return any(key == keys or (not isinstance(keys, str) and key in keys) for key in written)

    def _checkpoint(self, view: _View, tasks: Sequence[ev.TaskInfo]) -> None:
        saved, view.saved = view.saved, None
        if saved is None or not ({"checkpoints", "debug"} & self.modes):
            return
        loaded = isinstance(saved, ev.CheckpointLoaded)
        metadata = {"source": saved.source, "step": saved.step, "parents": dict(view.parents)}
        if isinstance(saved, ev.CheckpointLoaded):
            metadata.update(saved.metadata)
        payload = {
            "config": self._address(view, saved, saved.checkpoint),
            "parent_config": self._address(view, saved, saved.parent, bare=loaded) if saved.parent else None,
            "values": _filtered(view.kept, view.values),
            "metadata": metadata,
            "next": [task.node for task in tasks],
            "tasks": [self._planned(view, saved, task) for task in tasks],
        }
        self._debug(saved, "checkpoint", payload, saved.step)

    def _planned(self, view: _View, saved: Any, task: ev.TaskInfo) -> dict[str, Any]:
        """A task as a checkpoint chunk lists it, with what is known of it from an earlier process."""
        shown: dict[str, Any] = {"id": task.id, "name": task.node}
        if task.error is not None:
            shown["error"] = task.error
        else:
            result: Any = result_of(view.wanted(task.writes or ()))
            if isinstance(view.keys, str):
                result = result.get(view.keys)
            if result:
                shown["result"] = result
            shown["interrupts"] = tuple(_question(each) for each in task.interrupts)
        shown["state"] = None
        if task.nests:
            ns = "|".join((*saved.ns, f"{task.node}:{task.id}"))
            shown["state"] = {"configurable": {"thread_id": saved.thread, "checkpoint_ns": ns}}
        return shown

    def _address(self, view: _View, saved: Any, checkpoint: str, *, bare: bool = False) -> dict[str, Any]:
        """The config that addresses a checkpoint of that graph; `bare` without what else the run is configured with."""
        given: Mapping[str, Any] = {} if bare else self._config.get("configurable") or {}
        ns = "|".join(saved.ns)
        configurable: dict[str, Any] = {"checkpoint_ns": ns}
        configurable.update((key, value) for key, value in given.items() if not key.startswith(INNER))
        configurable.update(thread_id=saved.thread, checkpoint_ns=ns, checkpoint_id=checkpoint)
        configurable.pop("checkpoint_map", None)
        if view.parents:
            configurable["checkpoint_map"] = {**view.parents, ns: checkpoint}
        return {"configurable": configurable}

    def _ended(self, view: _View, event: ev.RunFinished) -> None:
        if event.error is None or isinstance(event.error, (GraphRecursionError, GraphDrained)):
            self._checkpoint(view, event.planned)
        if event.status != "interrupted" or event.ns != self._root:
            return
        applied = event.values
        if applied is not None and "values" in self.modes:
            written = view.written | _changed(view.values, applied)
            kept = [key for key in written if key in applied] if isinstance(applied, dict) else written
            if self._shown(view, kept):
                self._send(event.ns, "values", _filtered(view.keys, applied))
        if not event.interrupts and "updates" in self.modes:
            self._send(event.ns, "updates", {INTERRUPT: ()})


class _View:
    """What the modes remember of one namespace."""

    __slots__ = ("failed", "kept", "keys", "late", "parents", "planned", "saved", "step", "values", "written")

    def __init__(self) -> None:
        self.values: Any = {}
        self.keys: Sequence[str] | None = None
        """The keys to show in values and updates; None for all. A graph inside another one shows what it returns."""
        self.kept: Sequence[str] | None = None
        """The keys to show of checkpoints and what tasks did; None for all."""
        self.late = False
        """Whether keys may get values that nobody has written just now, which alone are not shown."""
        self.parents: Mapping[str, str] = {}
        """The checkpoints around it, by namespace."""
        self.step: ev.StepFinished | None = None
        self.planned: set[str] = set()
        """The tasks of this superstep that were announced."""
        self.failed = False
        """Whether one of them has failed."""
        self.saved: ev.CheckpointSaved | ev.CheckpointLoaded | None = None
        self.written: set[str] = set()
        """The keys that its tasks have written since the last superstep."""

    def shown(self, writes: Writes) -> Any:
        """A task's writes for the updates stream; the values alone when one key was asked for by name."""
        if len(writes) == 1 and writes[0][0] == RETURN:
            return writes[0][1]
        if not isinstance(self.keys, str) or self.keys == ROOT:
            return shown_update(writes if self.keys is None else self.wanted(writes))
        values = [value for key, value in writes if key == self.keys]
        return values[0] if len(values) == 1 else values or None

    def wanted(self, writes: Writes) -> Writes:
        """The writes of keys to show."""
        keys = self.keys
        if keys is None or isinstance(keys, str):
            return writes
        return tuple(write for write in writes if write[0] in keys)

    def noted(self, writes: Writes) -> Writes:
        """A task's writes of keys that its checkpoint shows; what a called function returned."""
        kept = self.kept
        if kept is None:
            return writes
        return tuple(w for w in writes if w[0] == RETURN or (w[0] == kept if isinstance(kept, str) else w[0] in kept))


def _filtered(keys: Sequence[str] | None, values: Any) -> Any:
    """The values of `keys`; the lone value of a single one."""
    if keys is None or keys == ROOT or not isinstance(values, dict):
        return values
    if isinstance(keys, str):
        return values.get(keys)
    return {key: values[key] for key in keys if key in values}


def _changed(before: Any, after: Any) -> set[str]:
    """The keys with other values."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return set()
    return {key for key, value in after.items() if before.get(key, _ABSENT) is not value}


_ABSENT = object()


def _is_called(path: tuple[Any, ...]) -> bool:
    """Whether it is the path of a function that a task called."""
    return len(path) == 4 and path[0] == PUSH and path[-1] is True


def _question(asked: Interrupt) -> dict[str, Any]:
    """An interrupt as debug shows it."""
    return {"value": asked.value, "id": asked.id, "response_schema": asked.response_schema}


def shown_update(writes: Writes) -> Any:
    """A task's writes as the updates stream shows them: None, a dict, a lone value, or dicts for repeated keys."""
    if not writes:
        return None
    if writes[0][0] == ROOT and all(key == ROOT for key, _ in writes):
        return writes[0][1] if len(writes) == 1 else [value for _, value in writes]
    found = dict(writes)
    if len(found) == len(writes):
        return found
    return [{key: value} for key, value in writes]


def _given(event: ev.TaskStarted | ev.TaskCached) -> Any:
    """What the body gets: a called function's arguments as a dict, and the value of a state that is one value."""
    given = event.input
    if type(given) is dict:
        return given.get(ROOT, given)
    if _is_called(event.path):
        args, kwargs = given
        return {**dict(enumerate(args)), **kwargs}
    return given


def result_of(writes: Writes) -> dict[str, Any]:
    """A task's writes as debug shows them: several to one key as `{"$writes": [...]}`."""
    found = dict(writes)
    if len(found) < len(writes):
        for key in found:
            values = [value for written, value in writes if written == key]
            while len(values) > 1 and values[0] is None:  # LangGraph takes it for nothing
                del values[0]
            if len(values) > 1:
                found[key] = {"$writes": values}
    return found
