"""Agents in a loop. What LangGraph has moved to langchain says so, as there."""

from __future__ import annotations

import warnings
from typing import Any

from typing_extensions import deprecated

from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.prebuilt import agent, agent_state
from stepgraph.prebuilt.agent_state import StructuredResponse
from stepgraph.prebuilt.chat_models import chat_model as _get_model
from stepgraph.prebuilt.chat_models import needs_tools as _should_bind_tools
from stepgraph.prebuilt.talk import check_answered as _validate_chat_history

_HOME = "has been moved to `langchain.agents`: import it from there"
_REPLACED = "has been deprecated in favor of AgentState in `langchain.agents`"


@deprecated(f"AgentState {_HOME}", category=LangGraphDeprecatedSinceV10)
class AgentState(agent_state.AgentState):
    """What an agent works on."""


@deprecated(f"AgentStatePydantic {_REPLACED}", category=LangGraphDeprecatedSinceV10)
class AgentStatePydantic(agent_state.AgentStatePydantic):
    """The same, validated for each node."""


with warnings.catch_warnings():
    warnings.simplefilter("ignore", LangGraphDeprecatedSinceV10)  # it is for those who derive from them elsewhere

    @deprecated(f"AgentStateWithStructuredResponse {_REPLACED}", category=LangGraphDeprecatedSinceV10)
    class AgentStateWithStructuredResponse(AgentState):
        """The state of an agent with a `response_format`."""

        structured_response: StructuredResponse

    @deprecated(f"AgentStateWithStructuredResponsePydantic {_REPLACED}", category=LangGraphDeprecatedSinceV10)
    class AgentStateWithStructuredResponsePydantic(AgentStatePydantic):
        """The same, validated for each node."""

        structured_response: StructuredResponse


create_react_agent = deprecated(
    "create_react_agent has been moved to `langchain.agents`, where it is called create_agent",
    category=LangGraphDeprecatedSinceV10,
)(agent.create_react_agent)
create_tool_calling_executor = create_react_agent
Prompt = Any
StateSchema = Any
StateSchemaType = type[Any]
StructuredResponseSchema = Any
PROMPT_RUNNABLE_NAME = "Prompt"

__all__ = [
    "PROMPT_RUNNABLE_NAME",
    "AgentState",
    "AgentStatePydantic",
    "AgentStateWithStructuredResponse",
    "AgentStateWithStructuredResponsePydantic",
    "Prompt",
    "StateSchema",
    "StateSchemaType",
    "StructuredResponse",
    "StructuredResponseSchema",
    "_get_model",
    "_should_bind_tools",
    "_validate_chat_history",
    "create_react_agent",
    "create_tool_calling_executor",
]
