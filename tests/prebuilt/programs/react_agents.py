"""Agents: prompts, hooks, structured responses, models that change, limits, pauses, and every stream mode."""

import asyncio
import warnings
from dataclasses import dataclass
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.managed import RemainingSteps
from langgraph.prebuilt import InjectedState, ToolNode, ToolRuntime, create_react_agent
from langgraph.prebuilt.chat_agent_executor import (
    AgentState,
    AgentStatePydantic,
    AgentStateWithStructuredResponse,
    create_tool_calling_executor,
)
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

USER = ("user", "go")


class Scripted(BaseChatModel):
    """Answers from a list by what the talk already has, in words when it streams, and keeps what it was asked."""

    answers: list[AIMessage]
    asked: list[Any]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _answer(self, messages: Any) -> AIMessage:
        self.asked.append([(m.type, m.content) for m in messages])
        spoken = sum(m.type == "ai" for m in messages)
        return self.answers[spoken % len(self.answers)].model_copy(update={"id": f"ai{spoken}"})

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages))])

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        described = [{"type": "function", "function": {"name": getattr(t, "name", None) or t["name"]}} for t in tools]
        return self.bind(tools=described, **more)

    def with_structured_output(self, schema: Any, **more: Any) -> Any:
        def made(messages: Any) -> Any:
            text = " ".join(m.content for m in messages)
            return schema(text=text) if isinstance(schema, type) and issubclass(schema, BaseModel) else {"text": text}

        return RunnableLambda(made)


class Speaking(Scripted):
    """The same, word by word."""

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> Any:
        answer = self._answer(messages)
        for word in answer.content.split(" "):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word, id=answer.id))
        if answer.tool_calls:
            calls = [
                {"name": c["name"], "args": __import__("json").dumps(c["args"]), "id": c["id"], "index": i}
                for i, c in enumerate(answer.tool_calls)
            ]
            yield ChatGenerationChunk(message=AIMessageChunk(content="", id=answer.id, tool_call_chunks=calls))


def calling(*calls: Any, text: str = "") -> AIMessage:
    made = [{"name": n, "args": a, "id": f"c{i}", "type": "tool_call"} for i, (n, a) in enumerate(calls)]
    return AIMessage(text, tool_calls=made)


def brief(messages: Any) -> Any:
    return [(m.type, m.content, m.name, [c["id"] for c in getattr(m, "tool_calls", None) or ()]) for m in messages]


def both(show: Any, agent: Any, given: Any = None, config: Any = None, **options: Any) -> None:
    """Run it sync and async, and show the messages or the error."""
    given = {"messages": [USER]} if given is None else given
    for run in (agent.invoke, lambda *a, **k: asyncio.run(agent.ainvoke(*a, **k))):
        try:
            found = run(given, config, **options)
        except Exception as error:
            show(type(error).__name__, str(error).split("\n")[0][:60])
        else:
            show(brief(found["messages"]), sorted(found), found.get("structured_response"))


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def fail(x: int) -> str:
    """Fail."""
    raise ValueError(f"bad {x}")


@tool(return_direct=True)
def final(x: int) -> str:
    """The last word."""
    return f"final {x}"


def model(*answers: Any, kind: Any = Scripted) -> Scripted:
    return kind(answers=list(answers), asked=[])


def summing(kind: Any = Scripted) -> Scripted:
    return model(calling(("add", {"a": 1, "b": 2}), ("add", {"a": 3, "b": 4})), AIMessage("it is 10"), kind=kind)


def prompts(show: Any) -> None:
    async def slow(state: Any) -> Any:
        return [SystemMessage("slow"), *state["messages"]]

    def with_config(state: Any, config: Any) -> Any:
        return [SystemMessage(str(config["configurable"]["thread_id"])), *state["messages"]]

    forms: list[Any] = [
        None, "a text", SystemMessage("a message"), lambda s: [SystemMessage("made"), *s["messages"][-2:]], slow,
        RunnableLambda(lambda s: [SystemMessage("runnable"), *s["messages"]]), with_config,
    ]  # fmt: skip
    for prompt in forms:
        asked = summing()
        agent = create_react_agent(asked, [add], prompt=prompt)
        both(show, agent, config={"configurable": {"thread_id": "t"}})
        show(asked.asked)
    try:
        create_react_agent(summing(), [add], prompt=1)
    except ValueError as error:
        show(str(error))


def versions(show: Any) -> None:
    for version in ("v1", "v2"):
        agent = create_react_agent(summing(), [add], version=version, name="adder")
        both(show, agent)
        show(agent.name, sorted(agent.nodes))
        given = {"messages": [HumanMessage("go", id="h")]}
        asked = model(calling(("add", {"a": 1, "b": 2})), AIMessage("it is 3"))
        agent = create_react_agent(asked, [add], version=version)
        for mode in ("updates", "values", "tasks", "debug", "custom"):
            show(list(agent.stream(given, stream_mode=mode)))
    for version, tools in (("v3", [add]),):
        try:
            create_react_agent(summing(), tools, version=version)
        except ValueError as error:
            show(str(error))
    show(create_tool_calling_executor is create_react_agent)


def checkpoints(show: Any) -> None:
    for version in ("v1", "v2"):
        asked = model(calling(("add", {"a": 1, "b": 2})), AIMessage("it is 3"))
        agent = create_react_agent(asked, [add, fail], version=version, checkpointer=InMemorySaver())
        config = {"configurable": {"thread_id": "t"}}
        given = {"messages": [HumanMessage("go", id="h")]}
        show([(mode, chunk) for mode, chunk in agent.stream(given, config, stream_mode=["checkpoints", "updates"])])
        for snapshot in agent.get_state_history(config):
            done = [(t.name, t.error, t.result and brief(t.result["messages"])) for t in snapshot.tasks]
            show(snapshot.values, snapshot.next, snapshot.metadata, done)
        agent.invoke({"messages": [HumanMessage("more", id="h2")]}, config)
        show(brief(agent.get_state(config).values["messages"]))


def message_streams(show: Any) -> None:
    for kind in (Scripted, Speaking):
        for version in ("v1", "v2"):
            asked = model(calling(("add", {"a": 1, "b": 2})), AIMessage("it is 3"), kind=kind)
            agent = create_react_agent(asked, [add], version=version, name="speaker", prompt="Speak.")
            config = {"tags": ["mine"], "metadata": {"m": 1}}
            given = {"messages": [HumanMessage("go", id="h")]}
            for chunk, metadata in agent.stream(given, config, stream_mode="messages"):
                metadata.pop("lc_versions", None)
                # The agent names a whole message that LangGraph, in another thread, has streamed already.
                named = chunk.name if type(chunk).__name__.endswith("Chunk") else ""
                show(type(chunk).__name__, chunk.content, named, sorted(metadata.items()))

            async def awaited(agent: Any = agent) -> None:
                async for mode, chunk in agent.astream(
                    {"messages": [HumanMessage("go", id="h")]}, stream_mode=["messages", "updates"]
                ):
                    show(mode, chunk[0].content if mode == "messages" else sorted(chunk))

            asyncio.run(awaited())


def tool_streams(show: Any) -> None:
    @tool
    def count(to: int, runtime: ToolRuntime) -> str:
        """Count."""
        for n in range(to):
            runtime.emit_output_delta(n)
        runtime.stream_writer("counted")
        return "counted"

    asked = model(calling(("count", {"to": 2})), AIMessage("done"))
    for version in ("v1", "v2"):
        agent = create_react_agent(asked, [count], version=version)
        show(list(agent.stream({"messages": [HumanMessage("go", id="h")]}, stream_mode=["tools", "custom"])))


def no_tools(show: Any) -> None:
    asked = model(AIMessage("one"), AIMessage("two"))
    both(show, create_react_agent(asked, []))
    both(show, create_react_agent(asked, [], pre_model_hook=lambda s: {"llm_input_messages": [HumanMessage("only")]}))
    both(show, create_react_agent(asked, [], post_model_hook=lambda s: {"messages": [AIMessage("after")]}))
    both(show, create_react_agent(asked, [], response_format=Result))
    hooks = {"pre_model_hook": lambda s: {"messages": []}, "post_model_hook": lambda s: {"messages": []}}
    for options in ({}, hooks, {"response_format": Result}, {**hooks, "response_format": Result}):
        agent = create_react_agent(asked, [], **options)
        both(show, agent)
        show(agent.get_graph().draw_mermaid())
    show(asked.asked)


class Result(BaseModel):
    text: str


class Typed(TypedDict):
    text: str


def structured_responses(show: Any) -> None:
    for form in (Result, Typed, ("In short.", Result), {"title": "x", "type": "object"}):
        for version in ("v1", "v2"):
            agent = create_react_agent(summing(), [add], response_format=form, version=version, prompt="Add.")
            both(show, agent)
            show([sorted(chunk) for chunk in agent.stream({"messages": [USER]})])
    show(agent.get_graph().draw_mermaid())


def hooks(show: Any) -> None:
    def trim(state: Any) -> Any:
        return {"llm_input_messages": state["messages"][-1:] if len(state["messages"]) < 2 else state["messages"]}

    def forget(state: Any) -> Any:
        return {"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), *state["messages"][-3:]]}

    def check(state: Any) -> Any:
        last = state["messages"][-1]
        if getattr(last, "tool_calls", None):
            return {"messages": [ToolMessage("refused", tool_call_id=last.tool_calls[0]["id"])]}
        return {}

    for pre in (None, trim, forget, lambda s: {}):
        for post in (None, lambda s: {}, check):
            for form in (None, Result):
                asked = summing()
                agent = create_react_agent(asked, [add], pre_model_hook=pre, post_model_hook=post, response_format=form)
                both(show, agent)
                show(asked.asked, [sorted(chunk) for chunk in agent.stream({"messages": [USER]})])
                show(agent.get_graph().draw_mermaid())


def dynamic_models(show: Any) -> None:
    @dataclass
    class Context:
        loud: bool

    quiet = summing()
    loud = model(AIMessage("LOUD"))

    def choose(state: Any, runtime: Runtime[Context]) -> Any:
        return (loud if runtime.context.loud else quiet).bind_tools([add])

    async def choose_later(state: Any, runtime: Runtime[Context]) -> Any:
        await asyncio.sleep(0)
        return choose(state, runtime)

    for chooser in (choose, choose_later):
        for prompt in (None, "Choose."):
            for form in (None, Result):
                agent = create_react_agent(chooser, [add], context_schema=Context, prompt=prompt, response_format=form)
                both(show, agent, context=Context(True))
                both(show, agent, context=Context(False))


def bound_models(show: Any) -> None:
    asked = summing()
    both(show, create_react_agent(asked.bind_tools([add]), [add]))
    both(show, create_react_agent(RunnableLambda(lambda m: m) | asked.bind_tools([add]), [add]))
    both(show, create_react_agent(asked, ToolNode([add], name="mine")))
    both(show, create_react_agent(asked, [add, {"name": "search", "type": "search_tool"}]))
    for tools in ([add, fail], [fail]):
        try:
            create_react_agent(asked.bind_tools([add]), tools)
        except ValueError as error:
            show(str(error)[:70])
    try:
        agent = create_react_agent(RunnableLambda(lambda m: AIMessage("x")), [], response_format=Result)
        agent.invoke({"messages": [USER]})
    except TypeError as error:
        show(str(error)[:60])


def direct_returns(show: Any) -> None:
    for version in ("v1", "v2"):
        for calls in (
            [("final", {"x": 1})],
            [("add", {"a": 1, "b": 1}), ("final", {"x": 2})],
            [("add", {"a": 1, "b": 1})],
        ):
            agent = create_react_agent(model(calling(*calls), AIMessage("more")), [add, final], version=version)
            both(show, agent)
            show([sorted(chunk) for chunk in agent.stream({"messages": [USER]})])
    show(agent.get_graph().draw_mermaid())


def too_few_steps(show: Any) -> None:
    for tools in ([add], [add, final]):
        for call in (("add", {"a": 1, "b": 1}), ("final", {"x": 1})):
            if call[0] == "final" and final not in tools:
                continue
            for limit in (1, 2, 3, 4, 5):
                agent = create_react_agent(model(calling(call)), tools)
                both(show, agent, config={"recursion_limit": limit})


def bad_talks(show: Any) -> None:
    agent = create_react_agent(summing(), [add])
    both(show, agent, {"messages": [HumanMessage("x"), calling(("add", {"a": 1, "b": 1})), HumanMessage("y")]})
    both(show, create_react_agent(model(calling(("fail", {"x": 1}))), [fail]))
    both(show, create_react_agent(model(calling(("gone", {"x": 1})), AIMessage("ok")), [fail]))
    both(show, create_react_agent(model(calling(("add", {"a": "x"})), AIMessage("ok")), [add]))
    both(show, agent, {"messages": []})
    try:
        create_react_agent(summing(), [add], nonsense=1)
    except TypeError as error:
        show(str(error)[:60])


def own_states(show: Any) -> None:
    class State(AgentState):
        mood: str

    class Model(AgentStatePydantic):
        mood: str = "calm"

    class Least(TypedDict):
        messages: Annotated[list, add_messages]
        remaining_steps: RemainingSteps

    class Plain(MessagesState):
        remaining_steps: int
        structured_response: Any

    @tool
    def feel(state: Annotated[Any, InjectedState]) -> str:
        """Feel."""
        return str(sorted(state)) if isinstance(state, dict) else type(state).__name__

    for schema in (State, Model, Least, Plain):
        for version in ("v1", "v2"):
            asked = model(calling(("feel", {})), AIMessage("felt"))
            agent = create_react_agent(asked, [feel], state_schema=schema, version=version)
            both(show, agent, {"messages": [USER], "mood": "good"})
            hook = lambda s: {"llm_input_messages": [HumanMessage("hooked")]}  # noqa: E731  one line does
            both(show, create_react_agent(asked, [feel], state_schema=schema, pre_model_hook=hook, version=version))
            show(agent.get_input_jsonschema()["properties"].keys(), agent.get_output_jsonschema()["properties"].keys())
    for schema, options in ((MessagesState, {}), (State, {"response_format": Result})):
        try:
            create_react_agent(summing(), [add], state_schema=schema, **options)
        except ValueError as error:
            show(str(error))
    show(sorted(AgentStateWithStructuredResponse.__annotations__))


def pauses(show: Any) -> None:
    @tool
    def book(hotel: str) -> str:
        """Book."""
        return f"booked {hotel} for {interrupt({'hotel': hotel})}"

    for version in ("v1", "v2"):
        calls = [("book", {"hotel": "a"}), ("add", {"a": 1, "b": 1}), ("book", {"hotel": "b"})]
        asked = model(calling(*calls[: 2 if version == "v1" else 3]), AIMessage("ok"))
        agent = create_react_agent(asked, [book, add], version=version, checkpointer=InMemorySaver())
        config = {"configurable": {"thread_id": "t"}}
        found = agent.invoke({"messages": [HumanMessage("go", id="h")]}, config)
        show(sorted(i.value["hotel"] for i in found["__interrupt__"]), agent.get_state(config).next)
        state = agent.get_state(config)
        show([(t.name, len(t.interrupts), t.result) for t in state.tasks])
        while state.next:
            asks = [i for t in state.tasks for i in t.interrupts]
            answer = asks[0].value["hotel"].upper()
            found = agent.invoke(Command(resume={asks[0].id: answer}), config)
            state = agent.get_state(config)
            show(brief(found["messages"]), state.next)


def breakpoints(show: Any) -> None:
    for where in ({"interrupt_before": ["tools"]}, {"interrupt_after": ["agent"]}, {"interrupt_before": ["agent"]}):
        for version in ("v1", "v2"):
            asked = model(calling(("add", {"a": 1, "b": 2})), AIMessage("it is 3"))
            agent = create_react_agent(asked, [add], version=version, checkpointer=InMemorySaver(), **where)
            config = {"configurable": {"thread_id": "t"}}
            given: Any = {"messages": [HumanMessage("go", id="h")]}
            for _ in range(6):
                show(list(agent.stream(given, config)), agent.get_state(config).next)
                given = None
    try:
        create_react_agent(summing(), [add], interrupt_before=["none"])
    except ValueError as error:
        show(str(error)[:30])


def commands_from_tools(show: Any) -> None:
    class State(AgentState):
        name: str

    @tool
    def rename(name: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Rename."""
        return Command(update={"name": name, "messages": [ToolMessage("renamed", tool_call_id=tool_call_id)]})

    @tool
    def leave(tool_call_id: Annotated[str, InjectedToolCallId], state: Annotated[dict, InjectedState]) -> Command:
        """Leave."""
        messages = [*state["messages"], ToolMessage("left", tool_call_id=tool_call_id)]
        return Command(graph=Command.PARENT, goto="other", update={"messages": messages})

    for version in ("v1", "v2"):
        asked = model(calling(("rename", {"name": "z"}), ("add", {"a": 1, "b": 1})), AIMessage("ok"))
        agent = create_react_agent(asked, [rename, add], state_schema=State, version=version)
        show(agent.invoke({"messages": [USER], "name": "a"})["name"])
        both(show, agent)
        inner = create_react_agent(model(calling(("leave", {}))), [leave], version=version, name="inner")
        outer = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner")
        outer.add_node("other", lambda s: {"messages": [AIMessage("other")]})
        both(show, outer.compile())


class Telling(BaseCallbackHandler):
    """Writes down the runs, with what is above them."""

    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.lines: list[Any] = []

    def _began(self, kind: str, serialized: Any, more: Any) -> None:
        name = more.get("name") or (serialized or {}).get("name")
        self.names[more["run_id"]] = name
        tags = [tag for tag in more.get("tags") or () if tag]
        self.lines.append(
            (kind, name, self.names.get(more.get("parent_run_id")), tags, sorted(more.get("metadata") or {}))
        )

    def on_chain_start(self, serialized: Any, inputs: Any, **more: Any) -> None:
        self._began("chain", serialized, more)

    def on_chat_model_start(self, serialized: Any, messages: Any, **more: Any) -> None:
        self._began("model", serialized, more)

    def on_tool_start(self, serialized: Any, text: Any, **more: Any) -> None:
        self._began("tool", serialized, more)

    def on_chain_end(self, outputs: Any, *, run_id: Any, **more: Any) -> None:
        self.lines.append(("end", self.names[run_id]))

    def on_chain_error(self, error: Any, *, run_id: Any, **more: Any) -> None:
        self.lines.append(("error", self.names[run_id], type(error).__name__))

    def on_tool_end(self, output: Any, *, run_id: Any, **more: Any) -> None:
        self.lines.append(("end", self.names[run_id], output.content))


def callbacks(show: Any) -> None:
    hook = {"pre_model_hook": lambda s: {"llm_input_messages": s["messages"]}}
    for version, options in (("v1", {}), ("v2", {"prompt": "Add."}), ("v2", {"response_format": Result}), ("v2", hook)):
        asked = model(calling(("add", {"a": 1, "b": 2})), AIMessage("three"))
        agent = create_react_agent(asked, [add], version=version, **options)
        telling = Telling()
        agent.invoke({"messages": [USER]}, {"callbacks": [telling]})
        show(*telling.lines)
        telling = Telling()
        asyncio.run(agent.ainvoke({"messages": [USER]}, {"callbacks": [telling]}))
        show(*sorted(map(str, telling.lines)))


def event_streams(show: Any) -> None:
    async def run(agent: Any) -> None:
        async for event in agent.astream_events({"messages": [USER]}, version="v2"):
            show(event["event"], event["name"], event["tags"], sorted(event["metadata"]))

    for kind in (Scripted, Speaking):
        asked = model(calling(("add", {"a": 1, "b": 2})), AIMessage("three is it"), kind=kind)
        asyncio.run(run(create_react_agent(asked, [add])))


def drawn(show: Any) -> None:
    for options in ({}, {"version": "v1"}, {"response_format": Result}):
        graph = create_react_agent(summing(), [add, fail], **options).get_graph()
        show(graph.draw_mermaid(), graph.to_json()["edges"], [(n.id, n.metadata) for n in graph.nodes.values()])


def warned(show: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        create_react_agent(summing(), [add])
        create_react_agent(summing(), [add], config_schema=dict)

        class State(AgentState):
            x: int

        from langgraph.prebuilt.interrupt import ActionRequest, HumanInterrupt, HumanInterruptConfig, HumanResponse

        request = ActionRequest(action="a", args={})
        settings = HumanInterruptConfig(allow_ignore=True, allow_respond=True, allow_edit=True, allow_accept=True)
        show(
            HumanInterrupt(action_request=request, config=settings, description=None),
            HumanResponse(type="edit", args="x"),
        )
    show([each.category.__name__ for each in caught if "LangGraph" in each.category.__name__])


def sent_on(show: Any) -> None:
    """An agent as a node among others, and its updates from outside."""
    agent = create_react_agent(summing(), [add], name="adder")
    graph = StateGraph(MessagesState).add_node(agent).add_node("next", lambda s: {"messages": [AIMessage("next")]})
    graph.add_edge(START, "adder").add_edge("adder", "next")
    compiled = graph.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    for ns, chunk in compiled.stream({"messages": [HumanMessage("go", id="h")]}, config, subgraphs=True):
        show(len(ns), sorted(chunk))
    compiled.update_state(config, {"messages": [HumanMessage("again", id="h3")]}, as_node="__start__")
    show(brief(compiled.invoke(None, config)["messages"]))
    many = StateGraph(MessagesState).add_node("adder", agent)
    many.add_conditional_edges(
        START, lambda s: [Send("adder", {"messages": [HumanMessage(n)]}) for n in "ab"], ["adder"]
    )
    both(show, many.compile())
