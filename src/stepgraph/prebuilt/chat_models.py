"""The chat model of an agent: found in what was given, and bound to the tools."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableBinding, RunnableSequence
from langchain_core.tools import BaseTool


def is_dynamic(model: Any) -> bool:
    """Whether it is a function that chooses a model for each turn."""
    return not isinstance(model, (str, Runnable)) and callable(model)


def is_async(model: Any) -> bool:
    """Whether choosing has to be awaited."""
    return is_dynamic(model) and inspect.iscoroutinefunction(model)


def named(model: Any) -> Any:
    """The model that "provider:name" stands for; anything else as it is."""
    if not isinstance(model, str):
        return model
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise ImportError(
            f"The model {model!r} is given by name. Please install langchain (`pip install langchain`) to use "
            "'<provider>:<model>' string syntax for `model` parameter, or pass a model object."
        ) from error
    return init_chat_model(model)


def bound(model: Any, tools: Sequence[BaseTool], builtin: Sequence[dict[str, Any]]) -> Any:
    """The model with the tools, if it has none yet. Raises ValueError if it has others.

    `builtin` are descriptions of what the provider runs itself.
    """
    if needs_tools(model, tools, num_builtin=len(builtin)) and (tools or builtin):
        return model.bind_tools([*tools, *builtin])
    return model


def needs_tools(model: Any, tools: Sequence[BaseTool], num_builtin: int = 0) -> bool:
    """Whether the model has no tools yet. Raises ValueError if it has others."""
    known = _binding_or_model(model)
    if not isinstance(known, RunnableBinding) or "tools" not in known.kwargs:
        return True
    _compare(known.kwargs["tools"], tools, num_builtin)
    return False


def chat_model(model: Any) -> BaseChatModel:
    """The chat model itself, out of a binding or sequence. Raises TypeError if there is none."""
    found = _binding_or_model(model)
    if isinstance(found, RunnableBinding):
        found = found.bound
    if not isinstance(found, BaseChatModel):
        raise TypeError(
            "Expected `model` to be a ChatModel or RunnableBinding (e.g. model.bind_tools(...)), "
            f"got {type(found)}: it has to make structured output."
        )
    return found


def _binding_or_model(model: Any) -> Any:
    if not isinstance(model, RunnableSequence):
        return model
    return next((step for step in model.steps if isinstance(step, (RunnableBinding, BaseChatModel))), model)


def _compare(described: Sequence[Any], tools: Sequence[BaseTool], builtin: int) -> None:
    if len(tools) != len(described) - builtin:
        raise ValueError(
            "Number of tools in the model.bind_tools() and tools passed to create_react_agent must match: "
            f"Got {len(tools)} tools, expected {len(described) - builtin}"
        )
    names = {name for each in described if (name := _name_of(each))}
    if missing := {tool.name for tool in tools} - names:
        raise ValueError(f"Missing tools '{missing}' in the model.bind_tools()")


def _name_of(described: dict[str, Any]) -> str | None:
    """A tool's name in OpenAI's form or Anthropic's; None in another one."""
    name: str | None = described["function"]["name"] if described.get("type") == "function" else described.get("name")
    return name
