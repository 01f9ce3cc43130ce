"""The states of agents: messages, and how many supersteps are left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NotRequired

from langchain_core.messages import BaseMessage
from pydantic import BaseModel
from typing_extensions import TypedDict

from stepgraph.messages import add_messages
from stepgraph.schema.managed import RemainingSteps

StructuredResponse = dict[str, Any] | BaseModel


class AgentState(TypedDict):
    """What an agent works on. Derive a TypedDict from it for more keys."""

    messages: Annotated[Sequence[BaseMessage], add_messages]
    remaining_steps: NotRequired[RemainingSteps]


class AgentStatePydantic(BaseModel):
    """The same, validated for each node."""

    messages: Annotated[Sequence[BaseMessage], add_messages]
    remaining_steps: RemainingSteps = 25


class AgentStateWithStructuredResponse(AgentState):
    """The state of an agent with a `response_format`."""

    structured_response: StructuredResponse


class AgentStateWithStructuredResponsePydantic(AgentStatePydantic):
    """The same, validated for each node."""

    structured_response: StructuredResponse


def value_of(state: Any, key: str) -> Any:
    """A key of a state, which is a dict or an object; None where it has none."""
    return state.get(key) if isinstance(state, dict) else getattr(state, key, None)
