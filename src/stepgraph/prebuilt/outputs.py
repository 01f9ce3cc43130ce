"""What a tool gave, checked and brought into the form in which the node returns it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from langchain_core.messages import RemoveMessage, ToolCall, ToolMessage, convert_to_messages
from langchain_core.tools.base import TOOL_MESSAGE_BLOCK_TYPES

from stepgraph.core.types import Command, Send
from stepgraph.messages import REMOVE_ALL_MESSAGES
from stepgraph.prebuilt.inputs import Form

Output = ToolMessage | Command[Any]


def content_of(output: Any) -> Any:
    """What a message can hold of it: text and content blocks as they are, anything else as JSON, else as text."""
    if isinstance(output, str) or (isinstance(output, list) and all(map(_is_block, output))):
        return output
    try:
        return json.dumps(output, ensure_ascii=False)
    except Exception:  # noqa: BLE001  a user's object may raise anything
        return str(output)


def _is_block(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") in TOOL_MESSAGE_BLOCK_TYPES


def checked(response: Any, call: ToolCall, form: Form, key: str) -> Output | list[Output]:
    """A tool's result. `key` is where the state has its messages.

    Raises TypeError for what is neither message nor Command, ValueError if the call would stay without an answer.
    """
    if isinstance(response, ToolMessage):
        response.content = content_of(response.content)
        return response
    if isinstance(response, Command):
        return _checked_command(response, call, form, key, answers=True)
    if not isinstance(response, list):
        raise TypeError(f"Tool {call['name']} returned unexpected type: {type(response)}")
    if not all(isinstance(each, (Command, ToolMessage)) for each in response):
        raise TypeError(
            f"Tool {call['name']} returned a list with invalid element types: expected all Command or ToolMessage"
        )
    _count_answers(response, call, key)
    found: list[Output] = []
    for each in response:
        if isinstance(each, Command):
            found.append(_checked_command(each, call, form, key, answers=False))
        else:
            each.content = content_of(each.content)
            found.append(each)
    return found


def _count_answers(response: Sequence[Output], call: ToolCall, key: str) -> None:
    answers = 0
    for each in response:
        if isinstance(each, ToolMessage):
            answers += _answers(each, call)
        elif isinstance(each.update, dict):
            answers += sum(_answers(message, call) for message in each.update.get(key, []))
    if answers != 1:
        raise ValueError(
            f"Tool {call['name']} returned a list with {answers} messages bound to tool_call_id {call['id']!r}; "
            "expected exactly one terminating ToolMessage."
        )


def _answers(message: Any, call: ToolCall) -> bool:
    return isinstance(message, ToolMessage) and message.tool_call_id == call["id"]


def _checked_command(command: Command[Any], call: ToolCall, form: Form, key: str, *, answers: bool) -> Command[Any]:
    """A copy in which the call's answer has the tool's name. `answers`: there must be one, for the graph itself."""
    if not isinstance(command.update, (dict, list)):
        return command
    as_list = isinstance(command.update, list)
    if as_list is not (form == "list"):
        allowed = (
            f"a dict in Command.update only when using dict with '{key}' key as ToolNode input"
            if form == "list"
            else "a list of messages in Command.update only when using list of messages as ToolNode input"
        )
        raise ValueError(f"Tools can provide {allowed}, got: {command.update} for tool '{call['name']}'")
    found = deepcopy(command)
    update: Any = found.update
    messages = convert_to_messages(update if as_list else update.get(key, []))
    if messages == [RemoveMessage(id=REMOVE_ALL_MESSAGES)]:
        return found
    mine = [message for message in messages if isinstance(message, ToolMessage) and _answers(message, call)]
    for message in mine:
        message.name = call["name"]
    if answers and found.graph is None and not mine:
        example = '[ToolMessage("Success", tool_call_id=tool_call_id), ...]'
        example = f'{{"messages": {example}, ...}}' if form == "dict" else example
        raise ValueError(
            f"Expected to have a matching ToolMessage in Command.update for tool '{call['name']}', got: {messages}. "
            "Every tool call (LLM requesting to call a tool) in the message history MUST have a corresponding "
            f"ToolMessage. Let the tool return `Command(update={example}, ...)`."
        )
    return found


def combined(outputs: Sequence[Output | list[Output]], form: Form, key: str) -> Any:
    """The node's update. Commands that only send to the parent graph become one."""
    flat: list[Output] = []
    for each in outputs:
        flat.extend(each) if isinstance(each, list) else flat.append(each)
    if not any(isinstance(each, Command) for each in flat):
        return flat if form == "list" else {key: flat}
    found: list[Any] = []
    sends: list[Send] = []
    upward = False
    for each in flat:
        if not isinstance(each, Command):
            found.append([each] if form == "list" else {key: [each]})
        elif _only_sends_up(each):
            upward = True
            sends += each.goto  # type: ignore[arg-type]  # a list of Sends
        else:
            found.append(each)
    if upward:
        found.append(replace(Command(graph=Command.PARENT), goto=sends))
    return found


def _only_sends_up(command: Command[Any]) -> bool:
    goto = command.goto
    return command.graph == Command.PARENT and isinstance(goto, list) and all(isinstance(each, Send) for each in goto)
