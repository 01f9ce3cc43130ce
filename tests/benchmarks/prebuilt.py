"""The agent that `langgraph.prebuilt` makes, with langchain's model, messages and tools."""

from __future__ import annotations

import warnings
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, StructuredTool


class Model(BaseChatModel):
    """Reads the talk, asks for a tool until there were `turns` turns, then ends."""

    turns: int

    @property
    def _llm_type(self) -> str:
        return "of the benchmark"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        prompt = "\n".join([message.text for message in messages])
        turn = len(messages) // 2 + 1
        arguments = {"a": turn, "b": len(prompt)}
        calls = [{"name": "add", "args": arguments, "id": f"call_{turn}", "type": "tool_call"}]
        answer = AIMessage(f"Turn {turn}: a tool knows that.", tool_calls=calls if turn < self.turns else [])
        return ChatResult(generations=[ChatGeneration(message=answer)])

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        return self._generate(messages)

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def aadd(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def tool() -> BaseTool:
    return StructuredTool.from_function(add, coroutine=aadd)


def agent(turns: int) -> Any:
    """The compiled graph, of the package and on the engine that `import langgraph` gives in this process."""
    from langgraph.prebuilt import create_react_agent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it lives on in langchain under another name
        return create_react_agent(Model(turns=turns), [tool()])


def asked() -> Any:
    return {"messages": [HumanMessage("Count for me, please.")]}


def bare(turns: int) -> Any:
    """Model and tool in turn, by themselves."""
    model, adding, messages = Model(turns=turns), tool(), asked()["messages"]
    while True:
        messages.append(model.invoke(messages))
        if not messages[-1].tool_calls:
            return messages
        messages += [adding.invoke(call) for call in messages[-1].tool_calls]


async def abare(turns: int) -> Any:
    """The same, awaited."""
    model, adding, messages = Model(turns=turns), tool(), asked()["messages"]
    while True:
        messages.append(await model.ainvoke(messages))
        if not messages[-1].tool_calls:
            return messages
        messages += [await adding.ainvoke(call) for call in messages[-1].tool_calls]
