"""What becomes of an error in a tool call: a message for the model, or the run's failure."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools.base import ToolException
from pydantic import ValidationError

Handling = bool | str | Callable[..., str] | type[Exception] | tuple[type[Exception], ...]
"""Of errors in tools: catch all (True, or the text that the model gets), none (False), those of some classes, or those
that the annotation of a function's parameter names, whose result the model gets."""
INVALID_TOOL_NAME_ERROR_TEMPLATE = "Error: {requested_tool} is not a valid tool, try one of [{available_tools}]."
TOOL_CALL_ERROR_TEMPLATE = "Error: {error}\n Please fix your mistakes."
TOOL_INVOCATION_ERROR_TEMPLATE = (
    "Error invoking tool '{tool_name}' with kwargs {tool_kwargs} with error:\n {error}\n"
    " Please fix the error and try again."
)
TOOL_EXECUTION_ERROR_TEMPLATE = TOOL_INVOCATION_ERROR_TEMPLATE.replace("invoking", "executing")


class ToolInvocationError(ToolException):
    """A tool got arguments that it does not take. `filtered_errors` leaves out what the model did not give."""

    def __init__(
        self,
        tool_name: str,
        source: ValidationError,
        tool_kwargs: dict[str, Any],
        filtered_errors: list[Any] | None = None,
    ) -> None:
        shown = str(source) if filtered_errors is None else "\n".join(map(_line, filtered_errors))
        self.message = TOOL_INVOCATION_ERROR_TEMPLATE.format(tool_name=tool_name, tool_kwargs=tool_kwargs, error=shown)
        self.tool_name = tool_name
        self.tool_kwargs = tool_kwargs
        self.source = source
        self.filtered_errors = filtered_errors
        super().__init__(self.message)


def _line(error: Any) -> str:
    return f"{'.'.join(map(str, error.get('loc', ())))}: {error.get('msg', 'Unknown error')}"


def invalid(error: ValidationError, call: ToolCall, injected: set[str]) -> ToolInvocationError:
    """What a tool said of its arguments, as the model's error."""
    return ToolInvocationError(call["name"], error, call["args"], of_the_model(error, injected))


def of_the_model(error: ValidationError, injected: set[str]) -> list[Any]:
    """The parts of a validation error that the model can mend, without values that the graph gave."""
    found = []
    for each in error.errors():
        if each["loc"] and each["loc"][0] not in injected:
            part: dict[str, Any] = {**each}
            if isinstance(part.get("input"), dict):
                part["input"] = {name: value for name, value in part["input"].items() if name not in injected}
            found.append(part)
    return found


def invalid_arguments(error: Exception) -> str:
    """The default handling: the model learns of arguments that a tool does not take; other errors are raised."""
    if isinstance(error, ToolInvocationError):
        return error.message
    raise error


def handles(handling: Handling, error: Exception) -> bool:
    """Whether the error becomes a message. Raises ValueError for a function that is annotated with something else."""
    if not handling:
        return False
    if isinstance(handling, tuple):
        return isinstance(error, handling)
    if isinstance(handling, type):
        return isinstance(error, handling) if issubclass(handling, Exception) else True
    return isinstance(error, _handled_by(handling)) if callable(handling) else True


def told(handling: Handling, error: Exception, call: ToolCall) -> ToolMessage:
    """The message that the model gets of an error."""
    handler: Any = handling
    if isinstance(handling, str):
        text = handling
    elif callable(handling) and not (isinstance(handling, type) and issubclass(handling, Exception)):
        text = handler(error)
    elif isinstance(handling, (bool, tuple, type)):
        text = TOOL_CALL_ERROR_TEMPLATE.format(error=repr(error))
    else:
        raise ValueError(
            f"Got unexpected type of `handle_tool_error`. Expected bool, str or callable. Received: {handling}"
        )
    return refused(call, text)


def refused(call: ToolCall, text: Any) -> ToolMessage:
    """The answer to a call that came to nothing."""
    return ToolMessage(content=text, name=call["name"], tool_call_id=call["id"], status="error")


def unknown(call: ToolCall, names: Any) -> ToolMessage:
    """The answer to a call of a tool that is not there."""
    text = INVALID_TOOL_NAME_ERROR_TEMPLATE.format(requested_tool=call["name"], available_tools=", ".join(names))
    return refused(call, text)


def _handled_by(handler: Callable[..., str]) -> tuple[type[Exception], ...]:
    """The classes that a handler's parameter is annotated with; all exceptions if it is not."""
    parameters = list(inspect.signature(handler).parameters)
    if len(parameters) == 2 and parameters[0] in ("self", "cls"):
        parameters = parameters[1:]
    annotation = get_type_hints(handler).get(parameters[0]) if parameters else None
    if annotation is None:
        return (Exception,)
    found = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    if all(isinstance(each, type) and issubclass(each, Exception) for each in found):
        return tuple(found)
    raise ValueError(
        "Arbitrary types are not supported in the error handler signature: the parameter "
        f"{parameters[0]!r} of {getattr(handler, '__name__', handler)!r} is annotated with {annotation!r}. It takes an "
        "exception class or a union of them, e.g. `def handler(error: ValueError | TypeError) -> str`."
    )
