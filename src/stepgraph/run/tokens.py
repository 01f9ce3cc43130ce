"""Messages and tool calls as they are made: how they get from node code, or the models it calls, onto the stream."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from importlib.util import find_spec
from typing import Any

from stepgraph.core import events as ev
from stepgraph.core import registry
from stepgraph.core.engine import Engine
from stepgraph.core.task import Task
from stepgraph.core.types import END, PREVIOUS, RETURN, Command
from stepgraph.run.context import config_of, current_task

LIVE_MODES = frozenset(("custom", "messages", "tools"))
"""The modes whose chunks come while a body still runs."""
tool_writer: ContextVar[Callable[[Any], None] | None] = ContextVar("stepgraph_tool_writer", default=None)
"""What puts a part of its output on the `tools` stream for the tool call that is running."""


def listen_in(engine: Engine, modes: frozenset[str] | set[str]) -> None:
    """Ask for what models and tools say while the run's nodes call them; without langchain-core nobody says it."""
    wanted = set(modes & {"messages", "tools"})
    if not wanted:
        return
    if "messages" in wanted and (engine.request.config.get("configurable") or {}).get(EVENTS):
        wanted.add("events")
    engine.request.overheard = frozenset(wanted)
    if _installed("langchain_core"):
        registry.taps.load("langchain")()


EVENTS = "__stepgraph_events"
"""The configurable key of a run whose messages are heard as langchain-core's protocol events."""


def hearing_events(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """The config of a v3 run."""
    found = dict(config or {})
    found["configurable"] = {**(found.get("configurable") or {}), EVENTS: True}
    return found


def _installed(package: str) -> bool:
    if package in sys.modules:
        return sys.modules[package] is not None
    return find_spec(package) is not None


def overheard(mode: str) -> Task | None:
    """The running task, if somebody around it listens to messages, or tools, and not just to what nodes return."""
    task = current_task.get(None)
    around = task
    while around is not None:
        request = around.scope.request
        if mode in request.overheard:
            return task
        around = request.parent
    return None


def relayed_modes(task: Task) -> frozenset[str]:
    """The modes in which somebody around `task` listens to graphs inside it."""
    found: frozenset[str] = frozenset()
    around: Task | None = task
    while around is not None:
        found |= around.scope.request.relayed
        around = around.scope.request.parent
    return found


def as_events(task: Task) -> bool:
    """Whether the nearest listener to messages takes protocol events."""
    around: Task | None = task
    while around is not None:
        request = around.scope.request
        if "messages" in request.overheard:
            return "events" in request.overheard
        around = request.parent
    return False


def say(task: Task, kind: str, payload: Any) -> None:
    """An event of something said while the task's body runs."""
    scope = task.scope
    if scope.emit is not None:
        scope.emit(ev.TaskEmitted(scope.ns, task.step, scope.clock(), task.id, task.name, kind, payload))


def say_token(token: Any) -> None:
    """Put a token, or a part of a message, on the `messages` stream: what a generator node yields beside its update."""
    task = overheard("messages")
    if task is not None:
        say(task, "messages", (token, metadata_of(task, config_of(task))))


def is_token(value: Any) -> bool:
    """Whether what a generator node yields is a token, or a part of a message, and no update."""
    return isinstance(value, str) or is_message(value)


def metadata_of(task: Task, config: Mapping[str, Any]) -> dict[str, Any]:
    """What comes with the messages of a task: where they were made, for whom, and by which library."""
    found = {"ls_integration": "langgraph", **config["metadata"]}
    thread = config["configurable"].get("thread_id")
    if thread is not None:
        found.setdefault("thread_id", thread)
    if task.scope.ns:
        found.setdefault("checkpoint_ns", task.scope.ns[0])
    return found


def returned_messages(result: Any) -> Sequence[Any]:
    """The messages in what a node returned, where LangGraph looks: in a Command, or each of a list, in its update."""
    if isinstance(result, Command):
        return messages_in(result.update)
    if isinstance(result, (list, tuple)) and any(isinstance(each, Command) for each in result):
        updates = [each.update if isinstance(each, Command) else each for each in result]
        return [found for update in updates for found in messages_in(update)]
    if type(result) is dict and (RETURN in result or END in result):  # a function's
        whole = result.get(RETURN, result.get(END))
        if result.get(PREVIOUS, whole) is whole:
            return messages_in(whole)
    return messages_in(result)


def messages_in(value: Any) -> Sequence[Any]:
    """The messages in a value: itself, its items, or those of its fields."""
    if is_message(value) or (isinstance(value, Sequence) and not isinstance(value, Mapping)):
        return listed(value)
    return given_messages(value)


def given_messages(value: Any) -> list[Any]:
    """The messages in the fields of a mapping, or of an object with declared fields."""
    if isinstance(value, Mapping):
        return [found for each in value.values() for found in listed(each)]
    kind: Any = type(value)
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", None) or ()
    return [found for name in fields for found in listed(getattr(value, name, None))]


def listed(value: Any) -> Sequence[Any]:
    """The messages in a field: itself, or its items."""
    if is_message(value):
        return (value,)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [each for each in value if is_message(each)]
    return ()


def is_message(value: Any) -> bool:
    """Whether it is a message object: of langchain-core, or one that looks like it. Dicts are not."""
    return hasattr(value, "content") and hasattr(value, "id") and hasattr(value, "type")


def named(message: Any) -> str:
    """The id of a message; a new one if it had none."""
    if message.id is None:
        from uuid import uuid4  # costs a thirtieth of the import time

        message.id = str(uuid4())
    return str(message.id)
