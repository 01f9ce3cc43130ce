"""The states of agents: messages, and how many supersteps are left."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Annotated, Any, NotRequired

from langchain_core.messages import BaseMessage
from pydantic import BaseModel
from typing_extensions import TypedDict, deprecated

from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.messages import add_messages
from stepgraph.schema.managed import RemainingSteps

StructuredResponse = dict[str, Any] | BaseModel
_HOME = "is deprecated: use AgentState of `langchain.agents`"


@deprecated(
    "AgentState has been moved to `langchain.agents`: import it from there", category=LangGraphDeprecatedSinceV10
)
class AgentState(TypedDict):
    """What an agent works on. Derive a TypedDict from it for more keys."""

    messages: Annotated[Sequence[BaseMessage], add_messages]
    remaining_steps: NotRequired[RemainingSteps]


@deprecated(f"AgentStatePydantic {_HOME}", category=LangGraphDeprecatedSinceV10)
class AgentStatePydantic(BaseModel):
    """The same, validated for each node."""

    messages: Annotated[Sequence[BaseMessage], add_messages]
    remaining_steps: RemainingSteps = 25


with warnings.catch_warnings():
    warnings.simplefilter("ignore", LangGraphDeprecatedSinceV10)  # the bases say it when users derive from them

    @deprecated(f"AgentStateWithStructuredResponse {_HOME}", category=LangGraphDeprecatedSinceV10)
    class AgentStateWithStructuredResponse(AgentState):
        """The state of an agent with a `response_format`."""

        structured_response: StructuredResponse

    @deprecated(f"AgentStateWithStructuredResponsePydantic {_HOME}", category=LangGraphDeprecatedSinceV10)
    class AgentStateWithStructuredResponsePydantic(AgentStatePydantic):
        """The same, validated for each node."""

        structured_response: StructuredResponse


def value_of(state: Any, key: str) -> Any:
    """A key of a state, which is a dict or an object; None where it has none."""
    return state.get(key) if isinstance(state, dict) else getattr(state, key, None)
