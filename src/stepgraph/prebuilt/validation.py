"""A node that checks the arguments of tool calls and runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, create_schema_from_function
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, ValidationError
from pydantic.v1 import BaseModel as OldModel
from pydantic.v1 import ValidationError as OldError

from stepgraph.integrations.runnables import RunnableCallable
from stepgraph.prebuilt.calling import at_once


def _explained(error: BaseException, call: ToolCall, schema: Any) -> str:  # noqa: ARG001  a user's function gets them
    return f"{error!r}\n\nRespond after fixing all validation errors."


class ValidationNode(RunnableCallable):
    """Answers the calls of the last message with their checked arguments as JSON, or with what is wrong with them.

    `schemas` are Pydantic models, tools or functions; calls name them. A message about an error has "is_error" among
    its `additional_kwargs`, and `format_error(error, call, schema)` as its text.

    It takes a list of messages, or a dict with them as "messages", and returns the same form with ToolMessages in the
    order of the calls. ValueError is raised where the last message is no AIMessage, and for a schema that can't check
    arguments; KeyError for a call that no schema has the name of.
    """

    def __init__(
        self,
        schemas: Sequence[BaseTool | type[BaseModel] | Callable[..., Any]],
        *,
        format_error: Callable[[BaseException, ToolCall, Any], str] | None = None,
        name: str = "validation",
        tags: list[str] | None = None,
    ) -> None:
        super().__init__(self._func, None, name=name, tags=tags, trace=False)
        self._format_error = format_error or _explained
        self.schemas_by_name: dict[str, Any] = dict(map(_named, schemas))

    def _func(self, input: Any, config: RunnableConfig) -> Any:
        messages = input if isinstance(input, list) else input.get("messages")
        if not messages:
            raise ValueError("No message found in input")
        if not isinstance(messages[-1], AIMessage):
            raise ValueError("Last message is not an AIMessage")
        answers = at_once(self._answer, messages[-1].tool_calls, config)
        return answers if isinstance(input, list) else {"messages": answers}

    def _answer(self, call: ToolCall) -> ToolMessage:
        schema = self.schemas_by_name.get(call["name"])
        if schema is None:
            raise KeyError(
                f"The model called {call['name']!r}, of which {self.name!r} has no schema. "
                f"Give it one, or bind only these tools to the model: {', '.join(map(repr, self.schemas_by_name))}."
            )
        answer = partial(ToolMessage, name=call["name"], tool_call_id=call["id"])
        try:
            if issubclass(schema, BaseModel):
                return answer(schema.model_validate(call["args"]).model_dump_json())
            return answer(schema.validate(call["args"]).json())
        except (ValidationError, OldError) as error:
            return answer(self._format_error(error, call, schema), additional_kwargs={"is_error": True})


def _named(schema: Any) -> tuple[str, Any]:
    """A schema with the name that calls know it by. Raises ValueError for what can't check arguments."""
    if isinstance(schema, BaseTool):
        known = schema.args_schema
        if known is None:
            raise ValueError(f"Tool {schema.name} does not have an args_schema defined.")
        if not (isinstance(known, type) and is_basemodel_subclass(known)):
            raise ValueError(
                "Validation node only works with tools that have a pydantic BaseModel args_schema. "
                f"Got {schema.name} with args_schema: {known}."
            )
        return schema.name, known
    if isinstance(schema, type) and issubclass(schema, (BaseModel, OldModel)):
        return schema.__name__, schema
    if callable(schema):
        return schema.__name__, create_schema_from_function("Validation", schema)
    raise ValueError(f"Unsupported input to ValidationNode. Expected BaseModel, tool or function. Got: {type(schema)}.")
