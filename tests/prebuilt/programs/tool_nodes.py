"""Tool nodes: their inputs, what tools may return, errors, wrappers, and what tools get from the graph."""

import asyncio
import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, NotRequired, TypedDict

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.tools import InjectedToolArg, InjectedToolCallId, StructuredTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.prebuilt import InjectedState, InjectedStore, ToolNode, ToolRuntime, ValidationNode, tools_condition
from langgraph.prebuilt.tool_node import ToolCallRequest, ToolInvocationError
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send
from pydantic import BaseModel, Field


def calling(*calls: Any, id: str = "ai") -> AIMessage:
    """A message that calls tools: (name, arguments) each."""
    made = [{"name": n, "args": a, "id": f"c{i}", "type": "tool_call"} for i, (n, a) in enumerate(calls)]
    return AIMessage("", tool_calls=made, id=id)


def brief(messages: Any) -> Any:
    return [(m.type, m.content, m.name, getattr(m, "tool_call_id", None), getattr(m, "status", None)) for m in messages]


def both(show: Any, graph: Any, given: Any, **options: Any) -> None:
    """Run it sync and async, and show the messages or the error."""
    for run in (graph.invoke, lambda *a, **k: asyncio.run(graph.ainvoke(*a, **k))):
        try:
            found = run(given, **options)
        except Exception as error:
            show(type(error).__name__, str(error).split("\n")[0][:25])
        else:
            messages = found["messages"] if isinstance(found, dict) else found
            show(brief(messages))


def around(node: Any, schema: Any = MessagesState, **options: Any) -> Any:
    """A graph of one node."""
    return StateGraph(schema, **options).add_node("tools", node).add_edge(START, "tools").compile()


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def shout(text: str) -> str:
    """Shout."""
    if not text:
        raise ValueError("nothing to shout")
    return text.upper()


@tool
async def later(text: str) -> str:
    """Say it later."""
    await asyncio.sleep(0)
    return f"later {text}"


def plain(x: int, y: str = "b") -> list[Any]:
    """A plain function."""
    return [x, y]


def inputs(show: Any) -> None:
    node = ToolNode([add, shout, plain])
    show(sorted(node.tools_by_name), node.name, ToolNode([add], name="mine", tags=["t"]).name)
    calls = calling(("add", {"a": 1, "b": 2}), ("shout", {"text": "hey"}), ("plain", {"x": 3}))
    both(show, around(node), {"messages": [HumanMessage("go"), calls]})
    both(show, around(node, Annotated[list, add_messages]), [calls])
    both(show, around(node), {"messages": [calls, HumanMessage("wait")]})
    both(show, around(node), {"messages": [HumanMessage("go")]})
    both(show, around(node), {"messages": [AIMessage("no calls")]})
    both(show, around(node), {"messages": []})


def other_states(show: Any) -> None:
    @dataclass
    class Talk:
        messages: Annotated[list, add_messages] = field(default_factory=list)

    class Model(BaseModel):
        messages: Annotated[list, add_messages] = []

    class Chat(TypedDict):
        chat: Annotated[list, add_messages]

    calls = calling(("add", {"a": 1, "b": 2}))
    both(show, around(ToolNode([add]), Talk), {"messages": [calls]})
    both(show, around(ToolNode([add]), Model), {"messages": [calls]})
    found = around(ToolNode([add], messages_key="chat"), Chat).invoke({"chat": [calls]})
    show(brief(found["chat"]))
    show(tools_condition({"messages": [calls]}), tools_condition([AIMessage("")]), tools_condition(Talk([calls])))
    show(tools_condition({"chat": [calls]}, messages_key="chat"))
    try:
        tools_condition({})
    except ValueError as error:
        show(str(error))
    try:
        tools_condition([])
    except IndexError as error:
        show(type(error))


def sent_calls(show: Any) -> None:
    @tool
    def look(what: str, state: Annotated[dict, InjectedState]) -> str:
        """Look."""
        return f"{what}: {sorted(state)} {len(state['messages'])}"

    def route(state: Any) -> Any:
        calls = state["messages"][-1].tool_calls
        inlined = {"__type": "tool_call_with_context", "tool_call": calls[0], "state": {**state, "more": 1}}
        return [Send("tools", inlined), *(Send("tools", [call]) for call in calls[1:])]

    calls = calling(("look", {"what": "a"}), ("look", {"what": "b"}), ("shout", {"text": "x"}))
    graph = StateGraph(MessagesState).add_node("model", lambda s: {"messages": [calls]})
    graph.add_node("tools", ToolNode([look, shout])).add_edge(START, "model")
    graph.add_conditional_edges("model", route, ["tools"])
    both(show, graph.compile(), {"messages": [HumanMessage("go")]})


def returned_things(show: Any) -> None:
    class Thing(BaseModel):
        x: int = 1

    things: list[Any] = [
        {"a": [1, "ü"]}, None, 1.5, [1, 2], [{"type": "text", "text": "block"}], [{"type": "no block"}], Thing(), b"x",
        ToolMessage("own", tool_call_id="c0", name="n"), ToolMessage([{"a": 1}], tool_call_id="c0"), "text", object,
    ]  # fmt: skip
    for thing in things:
        made = StructuredTool.from_function(lambda thing=thing: thing, name="give", description="Give.")
        both(show, around(ToolNode([made])), {"messages": [calling(("give", {}))]})


def commands(show: Any) -> None:
    class State(MessagesState):
        seen: Annotated[list, operator.add]

    answer = ToolMessage("done", tool_call_id="c0")
    things: list[Any] = [
        Command(update={"messages": [answer], "seen": ["x"]}),
        Command(update={"messages": [{"role": "tool", "content": "as dict", "tool_call_id": "c0"}]}),
        Command(update={"seen": ["no answer"]}),
        Command(update={"messages": [ToolMessage("of another", tool_call_id="c9")]}),
        Command(update={"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES)]}),
        Command(update=[answer]),
        Command(goto="after"),
        Command(update={"messages": [answer]}, goto="after"),
        [answer, Command(update={"seen": ["y"]})],
        [Command(update={"messages": [answer]}), Command(goto="after")],
        [answer, answer.model_copy()],
        [Command(update={"seen": ["none"]})],
        [answer, "text"],
        [],
    ]
    for thing in things:
        made = StructuredTool.from_function(lambda thing=thing: thing, name="give", description="Give.")
        graph = StateGraph(State).add_node("tools", ToolNode([made, shout])).add_edge(START, "tools")
        graph.add_node("after", lambda s: {"seen": ["after"]})
        calls = calling(("give", {}), ("shout", {"text": "beside"}))
        for given in (calling(("give", {})), calls):
            both(show, graph.compile(), {"messages": [given], "seen": []})
            try:
                show(graph.compile().invoke({"messages": [given], "seen": []})["seen"])
                show([sorted(each) for each in graph.compile().stream({"messages": [given], "seen": []})])
            except Exception as error:
                show(type(error).__name__)


def commands_for_lists(show: Any) -> None:
    answer = ToolMessage("done", tool_call_id="c0")
    for thing in (Command(update=[answer]), Command(update={"messages": [answer]}), Command(update=[]), [answer]):
        made = StructuredTool.from_function(lambda thing=thing: thing, name="give", description="Give.")
        graph = around(ToolNode([made]), Annotated[list, add_messages])
        both(show, graph, [calling(("give", {}))])


def commands_for_the_parent(show: Any) -> None:
    @tool
    def hand_over(to: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Hand over."""
        return Command(graph=Command.PARENT, goto=[Send("worker", {"messages": [HumanMessage(to)]})])

    @tool
    def leave(tool_call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Leave."""
        update = {"messages": [ToolMessage("left", tool_call_id=tool_call_id)]}
        return Command(graph=Command.PARENT, goto="worker", update=update)

    inner = StateGraph(MessagesState).add_node("tools", ToolNode([hand_over, leave])).add_edge(START, "tools")
    for calls in (
        [("hand_over", {"to": "x"})], [("hand_over", {"to": "x"}), ("hand_over", {"to": "y"})], [("leave", {})],
    ):  # fmt: skip
        outer = StateGraph(MessagesState).add_node("inner", inner.compile()).add_edge(START, "inner")
        outer.add_node("worker", lambda s: {"messages": [AIMessage(f"worked on {s['messages'][-1].content}")]})
        both(show, outer.compile(), {"messages": [calling(*calls)]})


def errors(show: Any) -> None:
    @tool
    def fail(kind: str) -> str:
        """Fail."""
        raise {"value": ValueError, "key": KeyError, "type": TypeError}[kind](f"a {kind} error")

    def on_value(error: ValueError) -> str:
        return f"handled {error!r}"

    def on_two(error: ValueError | KeyError) -> str:
        return f"one of two {error!r}"

    class Handler:
        def method(self, error: KeyError) -> str:
            return f"method {error!r}"

        def __call__(self, error: Exception) -> str:
            return f"object {error!r}"

    def untyped(error):
        return f"untyped {error!r}"

    def wrong(error: int) -> str:
        return "never"

    handlings: list[Any] = [
        True, False, "a text", ValueError, (ValueError, TypeError), on_value, on_two, Handler().method, Handler(),
        untyped, wrong, lambda e: f"lambda {e}", (), "", None,
    ]  # fmt: skip
    for handling in handlings:
        node = ToolNode([fail, add], handle_tool_errors=handling)
        for calls in (
            [("fail", {"kind": "value"})], [("fail", {"kind": "key"})], [("add", {"a": "x", "b": 1})], [("none", {})],
        ):  # fmt: skip
            both(show, around(node), {"messages": [calling(*calls)]})
    node = ToolNode([fail, add, shout])
    for calls in ([("add", {"a": 1})], [("add", {"a": 1, "b": 2}), ("fail", {"kind": "value"})], [("gone", {"x": 1})]):
        both(show, around(node), {"messages": [calling(*calls)]})


def tools_own_errors(show: Any) -> None:
    from langchain_core.tools import ToolException

    def raise_it() -> str:
        """Raise."""
        raise ToolException("of the tool")

    for handled in (True, False, "by the tool"):
        made = StructuredTool.from_function(raise_it, handle_tool_error=handled)
        both(show, around(ToolNode([made])), {"messages": [calling(("raise_it", {}))]})
        both(show, around(ToolNode([made], handle_tool_errors=True)), {"messages": [calling(("raise_it", {}))]})


def argument_errors(show: Any) -> None:
    class Address(BaseModel):
        street: str
        number: int = Field(gt=0)

    @tool
    def write(
        to: Address, text: str, state: Annotated[dict, InjectedState], store: Annotated[BaseStore, InjectedStore()]
    ) -> str:
        """Write."""
        return "written"

    graph = StateGraph(MessagesState).add_node("tools", ToolNode([write])).add_edge(START, "tools")
    compiled = graph.compile(store=InMemoryStore())
    given = {"messages": [calling(("write", {"to": {"street": 1, "number": 0}}))]}
    show(compiled.invoke(given)["messages"][-1].content)
    caught: list[Any] = []

    def keep(error: ToolInvocationError) -> str:
        caught.append(error)
        return "kept"

    graph = StateGraph(MessagesState).add_node("tools", ToolNode([write], handle_tool_errors=keep))
    graph.add_edge(START, "tools").compile(store=InMemoryStore()).invoke(given)
    show(caught[0].tool_name, caught[0].tool_kwargs, [sorted(each) for each in caught[0].filtered_errors])
    show([each["input"] for each in caught[0].filtered_errors], type(caught[0].source).__name__)


def injected_arguments(show: Any) -> None:
    class State(MessagesState):
        topic: str
        mood: NotRequired[str]

    @tool
    def whole(x: int, state: Annotated[dict, InjectedState]) -> str:
        """Whole state."""
        return f"{x} {sorted(state)} {len(state['messages'])}"

    @tool
    def one(topic: Annotated[str, InjectedState("topic")], mood: Annotated[str, InjectedState("mood")] = "calm") -> str:
        """One key."""
        return f"{topic} {mood}"

    @tool
    def needs(mood: Annotated[str, InjectedState("mood")]) -> str:
        """A key that is missing."""
        return mood

    @tool
    def stored(key: str, store: Annotated[Any, InjectedStore()]) -> str:
        """From the store."""
        return str(store.get(("n",), key).value)

    @tool
    def own(x: int, secret: Annotated[str, InjectedToolArg] = "nobody's") -> str:
        """Takes what the model must not give."""
        return f"{x} {secret}"

    @tool
    def named(call: Annotated[str, InjectedToolCallId], runtime: ToolRuntime) -> str:
        """Its call's id."""
        return f"{call} {runtime.tool_call_id} {sorted(runtime.state)} {[t.name for t in runtime.tools]}"

    tools = [whole, one, needs, stored, own, named]
    for each in tools:
        show(each.name, each.tool_call_schema.model_json_schema()["properties"])
    store = InMemoryStore()
    store.put(("n",), "k", {"v": 1})
    graph = StateGraph(State).add_node("tools", ToolNode(tools)).add_edge(START, "tools")
    for calls in (
        [("whole", {"x": 1})], [("whole", {"x": 1, "state": {"forged": 1}})], [("one", {})], [("needs", {})],
        [("stored", {"key": "k"})], [("own", {"x": 1, "secret": "forged"})], [("named", {})],
    ):  # fmt: skip
        both(show, graph.compile(store=store), {"messages": [calling(*calls)], "topic": "t"})
    both(show, graph.compile(), {"messages": [calling(("stored", {"key": "k"}))], "topic": "t"})
    both(show, graph.compile(), {"messages": [calling(("one", {}))], "topic": "t", "mood": "bad"})
    listed = around(ToolNode([whole, one]), Annotated[list, add_messages])
    both(show, listed, [calling(("whole", {"x": 2}))])
    both(show, listed, [calling(("one", {}))])


def injected_objects(show: Any) -> None:
    @dataclass
    class Talk:
        messages: Annotated[list, add_messages] = field(default_factory=list)
        topic: str = "t"

    class Model(BaseModel):
        messages: Annotated[list, add_messages] = []
        topic: str = "m"

    @tool
    def look(topic: Annotated[str, InjectedState("topic")], state: Annotated[Any, InjectedState()]) -> str:
        """Look."""
        return f"{topic} {type(state).__name__}"

    @tool
    def gone(none: Annotated[str, InjectedState("none")]) -> str:
        """A key that is not there."""
        return none

    for schema in (Talk, Model):
        both(show, around(ToolNode([look]), schema), {"messages": [calling(("look", {}))]})
        both(show, around(ToolNode([gone]), schema), {"messages": [calling(("gone", {}))]})


def runtimes(show: Any) -> None:
    @dataclass
    class Context:
        user: str = "al"

    @tool
    def look(x: int, runtime: ToolRuntime[Context, dict]) -> str:
        """Look at the runtime."""
        runtime.stream_writer({"progress": x})
        info = runtime.execution_info
        return (
            f"{runtime.context.user} {runtime.config['configurable']['thread_id']} {runtime.config['tags']} "
            f"{sorted(k for k in runtime.config['metadata'])} {runtime.store is not None} {info.node_attempt}"
        )

    @tool
    def plainly(runtime: Any) -> str:
        """By its name."""
        return type(runtime).__name__

    graph = StateGraph(MessagesState, context_schema=Context).add_node("tools", ToolNode([look, plainly]))
    compiled = graph.add_edge(START, "tools").compile(store=InMemoryStore())
    config = {"configurable": {"thread_id": "t1"}, "tags": ["mine"], "metadata": {"m": 1}}
    given = {"messages": [calling(("look", {"x": 1}), ("plainly", {}))]}
    both(show, compiled, given, config=config, context=Context("bo"))
    show(list(compiled.stream(given, config, context=Context(), stream_mode="custom")))


def twice_marked(show: Any) -> None:
    def wrong(a: Annotated[str, InjectedState("x"), InjectedState("y")]) -> str:
        """Wrong."""
        return a

    try:
        ToolNode([tool(wrong)])
    except ValueError as error:
        show(str(error)[:75])


def wrappers(show: Any) -> None:
    def seen(request: ToolCallRequest, execute: Any) -> Any:
        show(request.tool_call["name"], request.tool is None, sorted(request.state), request.runtime.tool_call_id)
        return execute(request)

    def changing(request: ToolCallRequest, execute: Any) -> Any:
        call = {**request.tool_call, "args": {"text": "changed"}}
        return execute(request.override(tool_call=call))

    def answering(request: ToolCallRequest, execute: Any) -> Any:
        return ToolMessage("short", tool_call_id=request.tool_call["id"], name="wrapper")

    def retrying(request: ToolCallRequest, execute: Any) -> Any:
        try:
            return execute(request)
        except ValueError:
            return execute(request.override(tool_call={**request.tool_call, "args": {"text": "again"}}))

    def failing(request: ToolCallRequest, execute: Any) -> Any:
        raise ValueError("in the wrapper")

    def bringing(request: ToolCallRequest, execute: Any) -> Any:
        return execute(request.override(tool=add))

    for wrapper in (seen, changing, answering, retrying, failing, bringing):
        for handling in (True, None):
            options = {} if handling is None else {"handle_tool_errors": handling}
            node = ToolNode([shout], wrap_tool_call=wrapper, **options)
            for calls in ([("shout", {"text": "x"})], [("shout", {"text": ""})], [("add", {"a": 1, "b": 2})]):
                both(show, around(node), {"messages": [calling(*calls)]})


def async_wrappers(show: Any) -> None:
    async def passing(request: ToolCallRequest, execute: Any) -> Any:
        show("async", request.tool_call["name"])
        return await execute(request)

    def passing_sync(request: ToolCallRequest, execute: Any) -> Any:
        show("sync", request.tool_call["name"])
        return execute(request)

    async def failing(request: ToolCallRequest, execute: Any) -> Any:
        raise KeyError("in the wrapper")

    given = {"messages": [calling(("shout", {"text": "x"}))]}
    both(show, around(ToolNode([shout], awrap_tool_call=passing)), given)
    both(show, around(ToolNode([shout], wrap_tool_call=passing_sync, awrap_tool_call=passing)), given)
    both(show, around(ToolNode([shout], awrap_tool_call=failing, handle_tool_errors=True)), given)
    both(show, around(ToolNode([later])), {"messages": [calling(("later", {"text": "x"}))]})


def requests(show: Any) -> None:
    import warnings

    request = ToolCallRequest(tool_call={"name": "a", "args": {}, "id": "1"}, tool=None, state={}, runtime=None)
    other = request.override(state={"x": 1})
    show(request.state, other.state, other.tool_call)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        request.state = 1
    show([each.category.__name__ for each in caught], request.state)


def validation(show: Any) -> None:
    class Select(BaseModel):
        number: int = Field(gt=3)

    def pick(name: str, count: int = 1) -> str:
        """Pick."""
        return name

    for options in ({}, {"format_error": lambda error, call, schema: f"{call['name']} {schema.__name__}"}):
        node = ValidationNode([Select, pick, add], **options)
        show(sorted(node.schemas_by_name), node.name)
        calls = calling(("Select", {"number": 5}), ("Select", {"number": 1}), ("pick", {}), ("add", {"a": 1, "b": "2"}))
        found = around(node).invoke({"messages": [calls]})["messages"][1:]
        show([(m.content, m.name, m.tool_call_id, m.additional_kwargs) for m in found])
        listed = around(node, Annotated[list, add_messages]).invoke([calls])
        show([m.content for m in listed])
    for given in ([], [HumanMessage("x")]):
        try:
            around(node).invoke({"messages": given})
        except Exception as error:
            show(type(error).__name__, str(error)[:60])
    try:
        ValidationNode(["x"])
    except ValueError as error:
        show(str(error)[:60])


def many_at_once(show: Any) -> None:
    import threading

    gate = threading.Barrier(3, timeout=5)

    @tool
    def meet(n: int) -> str:
        """Wait for the others."""
        gate.wait()
        return f"met {n}"

    node = ToolNode([meet])
    both(show, around(node), {"messages": [calling(*(("meet", {"n": n}) for n in range(3)))]})
