"""What node code can reach while it runs: its task, the config, the stream writer, and the person to ask."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from stepgraph.core import events as ev
from stepgraph.core import registry
from stepgraph.core.channels import Channel
from stepgraph.core.child import parents_of
from stepgraph.core.combining import combine
from stepgraph.core.errors import GraphInterrupt, Rejected, refuses_answer
from stepgraph.core.lean import conclude
from stepgraph.core.policies import RunControl
from stepgraph.core.task import Scope, Task
from stepgraph.core.types import MISSING, PREVIOUS, Decision, Interrupt, Pause, Send
from stepgraph.run.config import RUNNING, shown_metadata

if TYPE_CHECKING:
    from stepgraph.run.runtime import Runtime, ServerInfo

logger = logging.getLogger("stepgraph")
TASK = "__stepgraph_task"
"""The configurable key that holds the task around, for graphs that its body calls from other threads."""
current_task: ContextVar[Task] = ContextVar("stepgraph_task")
caller_loop: ContextVar[Any] = ContextVar("stepgraph_caller_loop", default=None)
"""The event loop that waits for what a helper thread does: there a checkpointer of another engine is called."""


def call_body(task: Task, twin: bool = False) -> Any:
    """Call the task's body in its own context; a coroutine function gives its coroutine, and so does a twin.

    A sync task that nobody looks at is concluded right here.
    """
    current_task.set(task)
    node = task.node
    value = task.input
    if node.mapper is not None and task.key < 0:
        value = node.mapper(value)
    body = node.twin if twin else node.body
    if body is None:
        result = value
    elif node.inject is None:
        result = body(value)
    else:
        result = body(value, **node.inject(task))
    if task.lean and not (node.is_async or twin):
        return conclude(task, result)
    return result


def call_in_task(task: Task, function: Callable[..., Any], value: Any, extra: dict[str, Any] | None) -> Any:
    """Call a router in the task's context."""
    current_task.set(task)
    return function(value) if extra is None else function(value, **extra)


def running_task(what: str = "get_config") -> Task:
    """The task whose body calls `what`. Raises RuntimeError outside of a node."""
    try:
        return current_task.get()
    except LookupError:
        raise RuntimeError(
            f"Called get_config outside of a runnable context: {what}() was called where no node of a graph "
            "is running, for instance in a thread that a node has started without its context."
        ) from None


class Handed(NamedTuple):
    """A config, and what it was made for. The context holds it: a task that did would be in a circle with it."""

    task: Task
    callbacks: Any
    attempt: int
    config: dict[str, Any]


_handed: ContextVar[Handed | None] = ContextVar("stepgraph_handed", default=None)


class Frame(NamedTuple):
    """What the configs of all tasks of one graph's run have in common."""

    source: Mapping[str, Any]
    """The run's own config, which it was made of."""
    config: dict[str, Any]
    configurable: dict[str, Any]
    metadata: dict[str, Any]
    run_id: str | None
    server: ServerInfo | None


def _frame_of(scope: Scope) -> Frame:
    frame: Frame | None = scope.frame
    source = scope.config
    if frame is None or frame.source is not source:
        config = {"callbacks": None, **source}
        for name in ("run_name", "run_id"):
            config.pop(name, None)  # of the whole run, not of what a node calls
        configurable = dict(config.get("configurable") or {})
        if scope.thread is not None and str(configurable.get("thread_id")) != scope.thread:
            configurable["thread_id"] = scope.thread
        run_id = None if scope.request.parent is not None else source.get("run_id")
        frame = scope.frame = Frame(
            source,
            config,
            configurable,
            _metadata(scope, configurable),
            None if run_id is None else str(run_id),
            _server(configurable),
        )
    return frame


def config_of(task: Task) -> dict[str, Any]:
    """The config dict that a node sees: the caller's, plus where it runs."""
    scope = task.scope
    frame = _frame_of(scope)
    config = dict(frame.config)
    if task.callbacks is not None:
        config["callbacks"] = task.callbacks
    ns = "|".join(task.ns)
    configurable = config["configurable"] = {
        **frame.configurable,
        "checkpoint_id": None,
        "checkpoint_ns": ns,
        "checkpoint_map": {
            "": scope.root.checkpoint_id,
            **parents_of(task),
            scope.ns_text: scope.checkpoint_id,
        },
        RUNNING: task.id,
        "__pregel_runtime": runtime_of(task),
        "__pregel_read": partial(_read, task, scope.plan.channels),
        "__pregel_send": partial(send, task),
        TASK: task,
    }
    if task.reason is not None:
        configurable["rejection"] = task.reason
    config["metadata"] = {
        **frame.metadata,
        **task.node.metadata,
        "langgraph_step": task.step,
        "langgraph_node": task.name,
        "langgraph_triggers": task.triggers,
        "langgraph_path": task.path,
        "langgraph_checkpoint_ns": ns,
    }
    return config


def shared_config(task: Task) -> dict[str, Any]:
    """`config_of`, made once for each attempt: what a node is given is also what its calls find around them."""
    known = _handed.get()
    if known is not None and known.task is task and known.callbacks is task.callbacks and known.attempt == task.attempt:
        return known.config
    config = config_of(task)
    _handed.set(Handed(task, task.callbacks, task.attempt, config))
    return config


def _read(task: Task, channels: Mapping[str, Channel], select: str | Sequence[str], fresh: bool = False) -> Any:
    """The values of one or several state keys, as langgraph-prebuilt's ToolNode asks for them.

    It finds the keys in the partial's second argument. `fresh` means: with the task's own writes.
    """
    values = getattr(task.scope, "values", {})
    if fresh and task.writes:
        values = {**values, **combine(task.scope.plan, values, (task,))[0]}
    if isinstance(select, str):
        return values.get(select)
    seen = ((key, channels[key].read(values[key])) for key in select if key in channels and key in values)
    return {key: value for key, value in seen if value is not MISSING}


def send(task: Task, writes: Sequence[tuple[str, Any]]) -> None:
    """Add writes to the running task's update, before those that its body returns; Sends to where it goes."""
    channels = task.scope.plan.channels
    for key, value in writes:
        if key == "__pregel_tasks" and isinstance(value, Send):
            task.alone, task.gotos = False, (*task.gotos, value)
        elif key in channels:
            task.alone = False
            task.writes = (*task.writes, (key, value))
        else:
            logger.warning("Node %r wrote to unknown key %r: ignored.", task.name, key)


def ambient(task: Task) -> dict[str, Any]:
    """The config around a graph that the task's body calls."""
    config = task.scope.config
    if task.callbacks is not None:
        config = {**config, "callbacks": task.callbacks}
    return {**config, "metadata": {**_metadata(task.scope, config.get("configurable") or {}), **task.node.metadata}}


def _metadata(scope: Scope, configurable: Mapping[str, Any]) -> dict[str, Any]:
    """The config's metadata with what it repeats of `configurable`.

    Of namespaces it names the outermost; of checkpoints the one that the outermost graph's caller asked for.
    """
    outermost, parent, asked = None, scope.request.parent, scope
    while parent is not None:
        outermost, asked, parent = "|".join(parent.ns), parent.scope, parent.scope.request.parent
    checkpoint = (asked.config.get("configurable") or {}).get("checkpoint_id")
    own = {**configurable, "checkpoint_ns": outermost, "checkpoint_id": checkpoint}
    return shown_metadata({"metadata": scope.config.get("metadata"), "configurable": own})


def get_config() -> dict[str, Any]:
    """The running node's config."""
    return config_of(running_task())


def runtime_of(task: Task) -> Runtime[Any]:
    """What a node gets for a parameter named `runtime`."""
    if task.began is None:
        task.began = task.scope.clock()
    ways = writer_of(task), task.heartbeat  # of this attempt: a later one has others
    return _runtime_class().late(partial(_runtime, task, max(1, task.attempt), task.scope.checkpoint_id, *ways))


@cache
def _runtime_class() -> type[Runtime[Any]]:
    """Loaded when a node asks for one."""
    from stepgraph.run.runtime import Runtime

    return Runtime


def _runtime(task: Task, attempt: int, checkpoint: str, writer: Callable[[Any], None], heartbeat: Any) -> Runtime[Any]:
    from stepgraph.run.runtime import ExecutionInfo, Runtime

    scope = task.scope
    request = scope.request
    frame = _frame_of(scope)
    given = {} if heartbeat is None else {"heartbeat": heartbeat}
    return Runtime(
        context=request.context,
        store=request.store,
        stream_writer=writer,
        previous=previous_of(task),
        execution_info=ExecutionInfo(
            checkpoint, "|".join(task.ns), task.id, scope.thread, frame.run_id, attempt, task.began
        ),
        server_info=frame.server,
        control=request.control or _control(scope.root),
        **given,
    )


def _control(root: Scope) -> RunControl:
    """What node code drains the run with, where the caller gave no control."""
    if root.control is None:
        root.control = _OwnControl()
        root.halted = root.halted or root.control.asked
    found: RunControl = root.control
    return found


class _OwnControl(RunControl):
    __slots__ = ("asked",)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def request_drain(self, reason: str = "shutdown") -> None:
        super().request_drain(reason)
        self.asked.append(reason)


def _server(configurable: Mapping[str, Any]) -> ServerInfo | None:
    from stepgraph.run.runtime import ServerInfo

    assistant, graph = configurable.get("assistant_id"), configurable.get("graph_id")
    user = configurable.get("langgraph_auth_user")
    if not hasattr(user, "identity"):
        user = None
    if assistant is None and graph is None and user is None:
        return None
    return ServerInfo(str(assistant or ""), str(graph or ""), user)


def previous_of(task: Task) -> Any:
    """What the functional API's entrypoint saved in its last run on this thread; None in other graphs."""
    values = getattr(task.scope, "values", None)
    return None if values is None else values.get(PREVIOUS)


def get_runtime(context_schema: Any = None) -> Runtime[Any]:  # noqa: ARG001  for type checkers
    """The running node's Runtime. `context_schema` only tells type checkers what `context` is."""
    return runtime_of(running_task("get_runtime"))


def get_store() -> Any:
    """The store that the running node's graph was compiled with, or None."""
    return running_task("get_store").scope.request.store


def writer_of(task: Task) -> Callable[[Any], None]:
    """A function that puts a value on the `custom` stream; does nothing when nobody listens."""
    scope = task.scope
    emit = scope.emit
    attempt = task.attempt

    def write(value: Any) -> None:
        if attempt <= task.hushed:
            return
        if task.progress is not None:
            task.progress()
        if emit is not None:
            caller = None if task.caller is None else task.caller.ns
            emit(ev.TaskEmitted(scope.ns, task.step, scope.clock(), task.id, task.name, "custom", value, caller))

    return write


def get_stream_writer() -> Callable[[Any], None]:
    """The running node's writer to the `custom` stream."""
    return writer_of(running_task("get_stream_writer"))


def interrupt(value: Any, *, response_schema: Any = None) -> Any:
    """Ask a person and return the answer.

    With somebody live (a debug session) the node waits here. Else the run pauses: the first call raises
    GraphInterrupt, and when the run is resumed with `Command(resume=answer)` the node runs again from its top and
    this call returns the answer. Several calls in one node are answered in the order of the calls.
    `response_schema` (a Pydantic model, dataclass or TypedDict) checks the answer.
    """
    task = running_task("interrupt")
    slot, task.asked = task.asked, task.asked + 1
    answers = task.answers
    if answers is not None and slot < len(answers):
        return checked_answer(response_schema, answers[slot])
    if answers is None:
        answers = task.answers = []
    root = task.scope.root
    question = Interrupt(value, task.interrupt_id(len(answers)), _json_schema(response_schema))
    if root.answers_by_id and question.id in root.answers_by_id:
        given = root.answers_by_id[question.id]
        answer = checked_answer(response_schema, given)
        del root.answers_by_id[question.id]
    elif root.answer:
        given = root.answer[0]
        answer = checked_answer(response_schema, given)
        root.answer.clear()
    elif task.scope.gate is not None and task.scope.gate.wants("interrupt", task.name, task.scope.ns):
        given = _ask_live(task, question, response_schema)
        answer = checked_answer(response_schema, given)
    else:
        raise GraphInterrupt((question,))
    answers.append(given)  # as it was given: it is checked again whenever the node runs again
    return answer


def _ask_live(task: Task, question: Interrupt, response_schema: Any) -> Any:
    """Wait in the node's own thread for the gate's answer."""
    scope = task.scope
    gate = scope.gate
    assert gate is not None
    pause = Pause(
        "interrupt", scope.ns, task.step, node=task.name, task=task.id, index=task.index, state=task.input,
        tasks=(task,), interrupt=question, response_schema=response_schema,
    )  # fmt: skip
    decision = settled(scope, pause, gate(pause))
    if decision.verb == "suspend":
        raise GraphInterrupt((question,))
    if decision.verb == "reject":
        raise Rejected(f"Rejected at {task.address}: {decision.reason or 'no reason given'}")
    return decision.value


def settled(scope: Any, pause: Pause, answer: Decision | Future[Decision]) -> Decision:
    """The decision, waited for in this thread when the gate answers later."""
    if isinstance(answer, Decision):
        return answer
    announce(scope, pause)
    decision = answer.result()
    decided(scope, pause, decision)
    return decision


def announce(scope: Any, pause: Pause) -> None:
    """Tell listeners that the engine waits."""
    if scope.emit is not None:
        scope.emit(ev.Paused(pause.ns, pause.step, scope.clock(), pause.id, pause))


def decided(scope: Any, pause: Pause, decision: Decision) -> None:
    """Tell listeners what was decided."""
    if scope.emit is not None:
        scope.emit(
            ev.Decided(
                pause.ns, pause.step, scope.clock(), pause.id, pause.place, pause.node, pause.task, decision.verb,
                decision.by, decision.reason,
            )
        )  # fmt: skip


def _json_schema(schema: Any) -> Any:
    """What a client learns of the answer that is expected."""
    if schema is None or isinstance(schema, dict):
        return schema
    return registry.validators.load("json schema")(schema)


def checked_answer(schema: Any, answer: Any) -> Any:
    """The answer as `schema` makes it; raises what the schema raises."""
    if schema is None or isinstance(schema, dict):
        return answer
    try:
        return registry.validators.load("answer")(schema, answer)
    except Exception as error:
        refuses_answer(error)
        raise
