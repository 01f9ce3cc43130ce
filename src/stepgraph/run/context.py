"""What node code can reach while it runs: its task, the config, the stream writer, and the person to ask."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any

from stepgraph.core import events as ev
from stepgraph.core import registry
from stepgraph.core.errors import GraphInterrupt, Rejected
from stepgraph.core.lean import conclude
from stepgraph.core.task import Task
from stepgraph.core.types import Decision, Interrupt, Pause

current_task: ContextVar[Task] = ContextVar("stepgraph_task")


def call_body(task: Task) -> Any:
    """Call the task's body in its own context; a coroutine function gives its coroutine.

    A sync task that nobody looks at is concluded right here.
    """
    current_task.set(task)
    node = task.node
    value = task.input
    if node.mapper is not None and task.key < 0:
        value = node.mapper(value)
    body = node.body
    if body is None:
        result = value
    elif node.inject is None:
        result = body(value)
    else:
        result = body(value, **node.inject(task))
    if task.lean and not node.is_async:
        return conclude(task, result)
    return result


def call_in_task(task: Task, function: Callable[..., Any], value: Any, extra: dict[str, Any] | None) -> Any:
    """Call a router in the task's context."""
    current_task.set(task)
    return function(value) if extra is None else function(value, **extra)


def running_task() -> Task:
    """The task whose body calls this. Raises RuntimeError outside of a node."""
    try:
        return current_task.get()
    except LookupError:
        raise RuntimeError(
            "Called get_config outside of a runnable context: no node of a graph is running here."
        ) from None


def config_of(task: Task) -> dict[str, Any]:
    """The config dict that a node sees: the caller's, plus where it runs."""
    scope = task.scope
    config = dict(scope.config)
    configurable = dict(config.get("configurable") or {})
    if scope.thread is not None:
        configurable["thread_id"] = scope.thread
    configurable["checkpoint_ns"] = "|".join(task.ns)
    config["configurable"] = configurable
    metadata = dict(config.get("metadata") or {})
    metadata.update(task.node.metadata)
    metadata.update(
        langgraph_step=task.step,
        langgraph_node=task.name,
        langgraph_triggers=task.triggers,
        langgraph_path=task.path,
        langgraph_checkpoint_ns=configurable["checkpoint_ns"],
    )
    config["metadata"] = metadata
    return config


def get_config() -> dict[str, Any]:
    """The running node's config."""
    return config_of(running_task())


def writer_of(task: Task) -> Callable[[Any], None]:
    """A function that puts a value on the `custom` stream; does nothing when nobody listens."""
    scope = task.scope
    emit = scope.emit

    def write(value: Any) -> None:
        if emit is not None:
            emit(ev.TaskEmitted(scope.ns, task.step, scope.clock(), task.id, task.name, "custom", value))

    return write


def get_stream_writer() -> Callable[[Any], None]:
    """The running node's writer to the `custom` stream."""
    return writer_of(running_task())


def interrupt(value: Any, *, response_schema: Any = None) -> Any:
    """Ask a person and return the answer.

    With somebody live (a debug session) the node waits here. Else the run pauses: the first call raises
    GraphInterrupt, and when the run is resumed with `Command(resume=answer)` the node runs again from its top and
    this call returns the answer. Several calls in one node are answered in the order of the calls.
    `response_schema` (a Pydantic model, dataclass or TypedDict) checks the answer.
    """
    task = running_task()
    slot, task.asked = task.asked, task.asked + 1
    answers = task.answers
    if answers is not None and slot < len(answers):
        return checked_answer(response_schema, answers[slot])
    if answers is None:
        answers = task.answers = []
    root = task.scope.root
    question = Interrupt(value, task.interrupt_id(len(answers)), _json_schema(response_schema))
    if question.id in root.answers_by_id:
        answer = checked_answer(response_schema, root.answers_by_id[question.id])
        del root.answers_by_id[question.id]
    elif root.answer:
        answer = checked_answer(response_schema, root.answer[0])
        root.answer.clear()
    elif task.scope.gate is not None and task.scope.gate.wants("interrupt", task.name, task.scope.ns):
        answer = _ask_live(task, question, response_schema)
    else:
        raise GraphInterrupt([question])
    answers.append(answer)
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
        raise GraphInterrupt([question])
    if decision.verb == "reject":
        raise Rejected(f"Rejected at {task.address}: {decision.reason or 'no reason given'}")
    return checked_answer(response_schema, decision.value)


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
    return registry.validators.load("answer")(schema, answer)
