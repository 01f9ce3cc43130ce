"""Agents and tools from the packages that are built on LangGraph."""

import asyncio
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, InjectedStore, ToolNode, create_react_agent, tools_condition
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, interrupt
from langgraph_supervisor import create_supervisor
from langgraph_swarm import create_handoff_tool, create_swarm


class Scripted(BaseChatModel):
    """Answers from a list, whatever it is asked."""

    answers: list[AIMessage]
    calls: int = 0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        answer = self.answers[self.calls % len(self.answers)]
        self.calls += 1
        return ChatResult(generations=[ChatGeneration(message=answer.model_copy(update={"id": f"ai{self.calls}"}))])

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self


def call(name: str, /, id: str = "c1", **args: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": args, "id": id, "type": "tool_call"}])


def brief(messages: Any) -> list[Any]:
    return [(m.type, m.content, m.name, [c["name"] for c in getattr(m, "tool_calls", None) or ()]) for m in messages]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def fail(x: int) -> str:
    """Fail."""
    raise ValueError(f"bad {x}")


def react_agent(show: Any) -> None:
    model = Scripted(answers=[call("add", a=1, b=2), AIMessage("three")])
    for version in ("v1", "v2"):
        agent = create_react_agent(model, [add], prompt="Be brief.", version=version)
        show(brief(agent.invoke({"messages": [("user", "1+2?")]})["messages"]))
        show([list(chunk) for chunk in agent.stream({"messages": [("user", "1+2?")]})])
        show(brief(asyncio.run(agent.ainvoke({"messages": [("user", "1+2?")]}))["messages"]))


def react_agent_with_memory(show: Any) -> None:
    model = Scripted(answers=[AIMessage("hi bob"), AIMessage("you are bob")])
    agent = create_react_agent(model, [], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    agent.invoke({"messages": [("user", "i am bob")]}, config)
    show(brief(agent.invoke({"messages": [("user", "who am i")]}, config)["messages"]))
    show(len(list(agent.get_state_history(config))), agent.get_state(config).next)


def tool_node_alone(show: Any) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda s: {"messages": [call("add", a=2, b=2), call("fail", id="c2", x=1)][:1]})
    builder.add_node("tools", ToolNode([add, fail], handle_tool_errors=True))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    graph = builder.compile()
    show(brief(graph.invoke({"messages": []})["messages"]))


def injected_things(show: Any) -> None:
    @tool
    def look(
        what: str, state: Annotated[dict, InjectedState], store: Annotated[Any, InjectedStore()],
        tool_call_id: Annotated[str, InjectedToolCallId],
    ) -> str:  # fmt: skip
        """Look around."""
        item = store.get(("notes",), "k")
        return f"{what} {len(state['messages'])} {item.value['v']} {tool_call_id}"

    store = InMemoryStore()
    store.put(("notes",), "k", {"v": 42})
    model = Scripted(answers=[call("look", what="here"), AIMessage("done")])
    agent = create_react_agent(model, [look], store=store)
    show(brief(agent.invoke({"messages": [("user", "go")]})["messages"]))


def tools_that_command(show: Any) -> None:
    class State(MessagesState):
        name: str
        remaining_steps: int

    @tool
    def rename(name: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Rename."""
        return Command(update={"name": name, "messages": [ToolMessage("renamed", tool_call_id=tool_call_id)]})

    model = Scripted(answers=[call("rename", name="zed"), AIMessage("ok")])
    agent = create_react_agent(model, [rename], state_schema=State)
    out = agent.invoke({"messages": [("user", "go")], "name": "al"})
    show(out["name"], brief(out["messages"]))


def tools_that_ask(show: Any) -> None:
    @tool
    def book(hotel: str) -> str:
        """Book a hotel."""
        answer = interrupt(f"book {hotel}?")
        return f"booked {hotel}: {answer}"

    model = Scripted(answers=[call("book", hotel="Ritz"), AIMessage("all set")])
    agent = create_react_agent(model, [book], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    out = agent.invoke({"messages": [("user", "go")]}, config)
    show(out["__interrupt__"][0].value, agent.get_state(config).next)
    show(brief(agent.invoke(Command(resume="yes"), config)["messages"]))


def langchain_agent(show: Any) -> None:
    model = Scripted(answers=[call("add", a=5, b=5), AIMessage("ten")])
    agent = create_agent(model, [add], system_prompt="You add.")
    show(brief(agent.invoke({"messages": [{"role": "user", "content": "5+5"}]})["messages"]))
    show(brief(asyncio.run(agent.ainvoke({"messages": [HumanMessage("5+5")]}))["messages"]))
    show([sorted(chunk) for chunk in agent.stream({"messages": [HumanMessage("5+5")]}, stream_mode="updates")])


def langchain_middleware(show: Any) -> None:
    from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware, ModelCallLimitMiddleware

    class Log(AgentMiddleware):
        def before_model(self, state: Any, runtime: Any) -> None:
            show(f"before {len(state['messages'])}")

        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            show(f"tool {request.tool_call['name']}")
            return handler(request)

    model = Scripted(answers=[call("add", a=1, b=1), AIMessage("two")])
    asking = HumanInTheLoopMiddleware(interrupt_on={"add": True})
    middleware = [Log(), asking, ModelCallLimitMiddleware(run_limit=5)]
    agent = create_agent(model, [add], middleware=middleware, checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    out = agent.invoke({"messages": [HumanMessage("1+1")]}, config)
    show(out["__interrupt__"][0].value["action_requests"])
    out = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), config)
    show(brief(out["messages"]))


def supervisor(show: Any) -> None:
    maths = create_react_agent(Scripted(answers=[call("add", a=1, b=2), AIMessage("3")]), [add], name="maths")
    writer = create_react_agent(Scripted(answers=[AIMessage("a poem")]), [], name="writer")
    boss = Scripted(answers=[call("transfer_to_maths"), call("transfer_to_writer", id="c9"), AIMessage("finished")])
    for mode in ("last_message", "full_history"):
        boss.calls = 0
        app = create_supervisor([maths, writer], model=boss, output_mode=mode).compile()
        out = app.invoke({"messages": [("user", "add and write")]})
        show(brief(out["messages"]))
    boss.calls = 0
    show([(len(ns), sorted(chunk)) for ns, chunk in app.stream({"messages": [("user", "go")]}, subgraphs=True)])


def swarm(show: Any) -> None:
    alice = create_react_agent(
        Scripted(answers=[call("transfer_to_bob"), AIMessage("alice again")]),
        [add, create_handoff_tool(agent_name="bob")], name="alice",
    )  # fmt: skip
    bob = create_react_agent(
        Scripted(answers=[AIMessage("arr, bob here"), AIMessage("bob still")]),
        [create_handoff_tool(agent_name="alice")], name="bob",
    )  # fmt: skip
    app = create_swarm([alice, bob], default_active_agent="alice").compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    out = app.invoke({"messages": [("user", "talk to bob")]}, config)
    show(brief(out["messages"]), out["active_agent"])
    out = app.invoke({"messages": [("user", "and now?")]}, config)
    show(brief(out["messages"]), out["active_agent"])
