"""Where messages are found in what nodes get and return."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph, add_messages
from langgraph.types import Command, Overwrite, Send
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    one: Any
    other: Any


@dataclass
class Record:
    messages: Any = field(default_factory=list)
    one: Any = None
    unknown: Any = None


class Model(BaseModel):
    messages: Any = []
    one: Any = None
    unknown: Any = None


class Annotations:
    messages: Any
    one: Any

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def said(text: str) -> BaseMessage:
    return AIMessage(text, id=text)


RETURNED: dict[str, Any] = {
    "a field": lambda: {"messages": said("a")},
    "a list": lambda: {"messages": [said("a"), said("b")], "one": said("a")},
    "a tuple": lambda: {"one": (said("a"), said("b"))},
    "deeper": lambda: {"one": [[said("a")], {"key": said("b")}], "other": {"key": said("c")}},
    "no id": lambda: {"messages": AIMessage("new"), "one": AIMessage("new")},
    "unknown keys": lambda: {"nowhere": [said("a")], "one": said("b")},
    "forms of messages": lambda: {"one": [("ai", "hi"), {"role": "user", "content": "hi"}]},
    "a tool's": lambda: {"messages": [ToolMessage("done", tool_call_id="1", id="t")]},
    "an overwrite": lambda: {"messages": Overwrite([said("a")])},
    "a record": lambda: Record([said("a")], said("b"), said("c")),
    "a model": lambda: Model(messages=[said("a")], one=said("b"), unknown=said("c")),
    "annotations": lambda: Annotations(messages=[said("a")], one=said("b")),
    "a message": lambda: said("a"),
    "a Command": lambda: Command(update={"messages": [said("a")], "nowhere": said("b")}),
    "a Command of pairs": lambda: Command(update=[("messages", said("a")), ("one", [said("b")])]),
    "a Command of a record": lambda: Command(update=Record(one=said("a"), unknown=said("b"))),
    "a Command of a model": lambda: Command(update=Model(one=said("a"), unknown=[said("b")])),
    "a Command that goes on": lambda: Command(goto="next"),
    "Commands": lambda: [Command(update={"one": said("a"), "nowhere": said("c")}), {"other": [said("b")]}],
    "Commands in a tuple": lambda: (Command(update=[("one", said("a"))]), {"other": said("b")}),
    "a Send": lambda: Send("next", {"one": said("a")}),
    "nothing": lambda: None,
}


def heard(graph: Any, given: Any, **options: Any) -> list[Any]:
    """The chunks of messages and updates, in order."""
    found: list[Any] = []
    for chunk in graph.stream(given, stream_mode=["messages", "updates"], **options):
        ns, mode, payload = chunk if len(chunk) == 3 else ((), *chunk)
        where = [part.partition(":")[0] for part in ns]
        if mode == "updates":
            found.append((where, list(payload)))
            continue
        message, metadata = payload
        name = message.id if len(message.id) < 3 else "new"
        found.append((where, message.type, message.content, name, metadata["langgraph_node"]))
    return found


def graph_of(node: Any, schema: Any = State) -> Any:
    builder = StateGraph(schema)
    builder.add_node("node", node)
    builder.add_node("next", lambda state: {"other": "next"})
    builder.add_edge(START, "node")
    return builder.compile()


def in_every_form_of_an_answer(show: Any) -> None:
    for name, make in RETURNED.items():
        graph = graph_of(lambda state, make=make: make())
        show(name, heard(graph, {"messages": [said("given")]}))
        around = StateGraph(State)
        around.add_node("inside", graph)
        around.add_edge(START, "inside")
        show(name, heard(around.compile(), {}), heard(around.compile(), {}, subgraphs=True))


def in_every_form_of_an_answer_async(show: Any) -> None:
    async def chunks(graph: Any) -> list[Any]:
        return [mode async for mode, _ in graph.astream({}, stream_mode=["messages", "updates"])]

    for name, make in RETURNED.items():

        async def node(state: State, make: Any = make) -> Any:
            return make()

        show(name, asyncio.run(chunks(graph_of(node))))


def only_if_the_node_was_not_given_them(show: Any) -> None:
    def echo(state: Any) -> Any:
        return {"messages": state["messages"], "one": [*state["messages"], said("a")]}

    show(heard(graph_of(echo), {"messages": [said("given")]}))
    for schema in (Record, Model):
        show(heard(graph_of(lambda state: {"one": [*state.messages, said("a")]}, schema), {"messages": [said("g")]}))
    show(heard(graph_of(lambda state: state, list), [said("given")]))
    show(heard(graph_of(lambda state: said("a"), list), [said("given")]))
    for arg in (said("p"), [said("p")], {"one": said("p")}, {"one": [said("p")]}, Record(one=said("p"))):

        def node(given: Any) -> Any:
            found = given if isinstance(given, (list, BaseMessage)) else None
            return {"other": found or (given["one"] if isinstance(given, dict) else given.one)}

        builder = StateGraph(State)
        builder.add_node("node", node)
        builder.add_conditional_edges(START, lambda state, arg=arg: Send("node", arg), ["node"])
        show(type(arg).__name__, heard(builder.compile(), {}))


def not_in_what_goes_up(show: Any) -> None:
    def leave(state: State) -> Any:
        return Command(graph=Command.PARENT, update={"messages": [said("a")]}, goto="end")

    builder = StateGraph(State)
    builder.add_node("inside", graph_of(leave))
    builder.add_node("end", lambda state: {"one": "end"})
    builder.add_edge(START, "inside")
    show(heard(builder.compile(), {}), heard(builder.compile(), {}, subgraphs=True))


def not_where_a_router_fails(show: Any) -> None:
    def fail(state: State) -> Any:
        raise ValueError("no way")

    builder = StateGraph(State)
    builder.add_node("node", lambda state: {"one": said("a")})
    builder.add_edge(START, "node")
    builder.add_conditional_edges("node", fail, ["node"])
    found = []
    try:
        for mode, _ in builder.compile().stream({}, stream_mode=["messages", "updates"]):
            found.append(mode)
    except ValueError as error:
        show(found, error)


def functions(value: Any) -> list[Any]:
    """Entrypoints that return the value, alone or among others, and call functions that do."""

    @task
    def call(given: Any = None) -> Any:
        return value

    @task
    def wrap(given: Any = None) -> Any:
        return {"key": [value]}

    @entrypoint()
    def plain(_: Any) -> Any:
        return call().result()

    @entrypoint()
    def wrapped(_: Any) -> Any:
        wrap().result()
        return {"other": value}

    @entrypoint()
    def knowing(_: Any) -> Any:
        return [call(given=value).result(), wrap([value]).result(), wrap({"deep": value}).result()]

    @entrypoint(checkpointer=InMemorySaver())
    def final(_: Any) -> Any:
        return entrypoint.final(value=value, save=said("s"))

    return [plain, wrapped, knowing, final]


def in_what_functions_return(show: Any) -> None:
    for value in (said("a"), [said("a")], {"key": said("a")}, Record(one=said("a"))):
        for function in functions(value):
            show(heard(function, 1, config={"configurable": {"thread_id": "t"}}))


def in_graphs_that_nodes_stream(show: Any) -> None:
    """Both the stream inside and the one around it hear of them."""
    inner = graph_of(lambda state: [Command(update={"one": said("a")}), {"other": said("b")}])

    def outer(state: State) -> Any:
        return {"other": heard(inner, {})}

    show(heard(graph_of(outer), {}), heard(graph_of(outer), {}, subgraphs=True))
    show(graph_of(outer).invoke({})["other"])


def by_handlers_of_the_caller_what_nodes_push(show: Any) -> None:
    """Of the caller's handlers, those of the engine's class hear of a pushed message, with nothing left out."""
    from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
    from langgraph.graph.message import push_message
    from langgraph.pregel._messages import StreamMessagesHandler

    class Own(StreamMessagesHandler):
        def _emit(self, meta: Any, message: Any, *, dedupe: bool = False) -> None:
            about = {key: value for key, value in meta[1].items() if not key.endswith("checkpoint_ns")}
            about.pop("ls_integration", None)
            show([ns.partition(":")[0] for ns in meta[0]], sorted(about.items()), message.content, dedupe)
            super()._emit(meta, message, dedupe=dedupe)

    class Other(BaseCallbackHandler):
        def _emit(self, *_: Any, **__: Any) -> None:
            show("never")

    def pushes(state: State) -> Any:
        push_message(said("a"))
        push_message(said("a"), state_key=None)
        return {"messages": [said("b")]}

    inner = graph_of(pushes)
    for graph in (inner, StateGraph(State).add_node("outer", inner).add_edge(START, "outer").compile()):
        for made in (list, lambda handlers: CallbackManager([], handlers)):
            out: list[Any] = []
            callbacks: Any = made([Other(), Own(out.append, True)])
            graph.invoke({}, {"callbacks": callbacks, "metadata": {"m": 1}})
            show([(mode, message.content) for _, mode, (message, _) in out])
    out = []
    list(inner.with_config(callbacks=[Own(out.append, True)]).stream({}, stream_mode="messages"))
    asyncio.run(inner.ainvoke({}, {"callbacks": [Own(out.append, True)]}))
    show(len(out))
