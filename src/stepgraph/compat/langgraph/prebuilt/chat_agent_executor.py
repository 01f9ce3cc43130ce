"""Agents in a loop."""

from __future__ import annotations

from typing import Any

from stepgraph.prebuilt.agent import create_react_agent, create_tool_calling_executor
from stepgraph.prebuilt.agent_state import (
    AgentState,
    AgentStatePydantic,
    AgentStateWithStructuredResponse,
    AgentStateWithStructuredResponsePydantic,
    StructuredResponse,
)
from stepgraph.prebuilt.chat_models import chat_model as _get_model
from stepgraph.prebuilt.chat_models import needs_tools as _should_bind_tools
from stepgraph.prebuilt.talk import check_answered as _validate_chat_history

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
