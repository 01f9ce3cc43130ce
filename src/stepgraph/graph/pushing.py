"""What node code writes before it returns: messages that are streamed at once and are part of the node's update."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated, Any

from stepgraph.core import events as ev
from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.graph.builder import StateGraph
from stepgraph.messages import RemoveUIMessage, UIMessage, add_messages
from stepgraph.messages.kinds import as_messages, id_of
from stepgraph.run.context import config_of, running_task, send, writer_of


def push_message(message: Any, *, state_key: str | None = "messages") -> Any:
    """Put a message on the `messages` stream now and into `state_key` when the node ends; None streams it only.

    Returns the message. Raises ValueError if it has no id, RuntimeError outside of a node.
    """
    task = running_task("push_message")
    (message,) = as_messages([message])
    if id_of(message) is None:
        raise ValueError("Message ID is required: give the message an `id`, by which its later versions replace it.")
    scope = task.scope
    if scope.emit is not None:
        payload = (message, config_of(task)["metadata"])
        scope.emit(ev.TaskEmitted(scope.ns, task.step, scope.clock(), task.id, task.name, "messages", payload))
    heard = sys.modules.get("stepgraph.compat.heard")  # where the class of handlers is that hear of messages
    if heard is not None:
        heard.tell(config_of(task), scope.ns, message)
    if state_key:
        send(task, [(state_key, message)])
    return message


def push_ui_message(
    name: str,
    props: dict[str, Any],
    *,
    id: str | None = None,
    metadata: dict[str, Any] | None = None,
    message: Any = None,
    state_key: str | None = "ui",
    merge: bool = False,
) -> UIMessage:
    """Put a component to draw on the `custom` stream now and into `state_key` when the node ends; returns it.

    With `merge` its properties are added to those of the component with the same id. `message` is the message that it
    belongs to.
    """
    from uuid import uuid4

    task = running_task("push_ui_message")
    config = config_of(task)
    about: dict[str, Any] = {
        "merge": merge,
        "run_id": config.get("run_id"),
        "tags": config.get("tags"),
        "name": config.get("run_name"),
        **(metadata or {}),
    }
    owner = message.get("id") if isinstance(message, dict) else getattr(message, "id", None)
    if owner:
        about["message_id"] = owner
    shown: UIMessage = {"type": "ui", "id": id or str(uuid4()), "name": name, "props": props, "metadata": about}
    writer_of(task)(shown)
    if state_key:
        send(task, [(state_key, shown)])
    return shown


def delete_ui_message(id: str, *, state_key: str = "ui") -> RemoveUIMessage:
    """Take the component with that id away, on the `custom` stream now and in `state_key` when the node ends."""
    task = running_task("delete_ui_message")
    removal: RemoveUIMessage = {"type": "remove-ui", "id": id}
    writer_of(task)(removal)
    send(task, [(state_key, removal)])
    return removal


class MessageGraph(StateGraph):
    """A graph whose whole state is a list of messages. Deprecated: use StateGraph with MessagesState."""

    of: Any = Any
    """The type of its messages."""

    def __init__(self) -> None:
        warnings.warn(
            "MessageGraph is deprecated in LangGraph v1.0.0, to be removed in v2.0.0. Please use StateGraph with a "
            "`messages` key instead.",
            LangGraphDeprecatedSinceV10,
            stacklevel=2,
        )
        super().__init__(Annotated[list[self.of], add_messages])  # type: ignore[name-defined]  # only seen at runtime
