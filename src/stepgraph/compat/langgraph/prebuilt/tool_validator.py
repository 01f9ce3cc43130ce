"""A node that checks tool calls. LangGraph advises against it, and says so."""

from __future__ import annotations

from typing_extensions import deprecated

from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.prebuilt import validation


@deprecated(
    "ValidationNode is deprecated: use `create_agent` of `langchain.agents` with error handling of your own",
    category=LangGraphDeprecatedSinceV10,
)
class ValidationNode(validation.ValidationNode):
    """Answers calls with their checked arguments, or with what is wrong with them."""


__all__ = ["ValidationNode"]
