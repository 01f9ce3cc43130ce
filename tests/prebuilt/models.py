"""Models for tests of agents: they answer from a list, by how much was said."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class Scripted(BaseChatModel):
    """Gives its n-th answer where n messages of models are in the talk; keeps the configs' metadata that it saw."""

    answers: list[AIMessage]
    seen: list[Any]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        self.seen.append((run_manager.tags, run_manager.metadata))
        spoken = sum(message.type == "ai" for message in messages)
        return ChatResult(generations=[ChatGeneration(message=self.answers[spoken].model_copy())])

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self


def calling(*calls: tuple[str, dict[str, Any]]) -> AIMessage:
    """A message that calls tools, each by name with arguments."""
    made = [{"name": n, "args": a, "id": f"c{i}", "type": "tool_call"} for i, (n, a) in enumerate(calls)]
    return AIMessage("", tool_calls=made)


def scripted(*answers: AIMessage) -> Scripted:
    return Scripted(answers=list(answers), seen=[])
