"""Graphs of messages and models."""

import asyncio
import operator
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.func import entrypoint, task
from langgraph.graph import START, MessagesState, StateGraph, add_messages


class Recorder(BaseCallbackHandler):
    def __init__(self) -> None:
        self.runs: list[Any] = []
        self.names: dict[Any, str] = {}

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        tags: Any = None,
        metadata: Any = None,
        **kw: Any,
    ) -> None:
        self.names[run_id] = kw.get("name")
        interesting = {
            k: v
            for k, v in (metadata or {}).items()
            if k in ("langgraph_step", "langgraph_node", "langgraph_triggers", "langgraph_path", "mine")
        }
        self.runs.append(("start", kw.get("name"), self.names.get(parent_run_id), sorted(tags or []), interesting))

    def on_chain_end(self, outputs: Any, *, run_id: Any, **kw: Any) -> None:
        self.runs.append(("end", self.names.get(run_id), outputs))

    def on_chain_error(self, error: Any, *, run_id: Any, **kw: Any) -> None:
        self.runs.append(("error", self.names.get(run_id), type(error).__name__))

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: Any,
        *,
        run_id: Any,
        parent_run_id: Any = None,
        tags: Any = None,
        metadata: Any = None,
        **kw: Any,
    ) -> None:
        self.runs.append(
            ("model", self.names.get(parent_run_id), sorted(tags or []), (metadata or {}).get("langgraph_node"))
        )


def messages(show: Any) -> None:
    def bot(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"{len(state['messages'])}", id="ai")]}

    graph = StateGraph(MessagesState).add_node(bot).add_edge(START, "bot").compile()
    out = graph.invoke({"messages": [("user", "hello"), {"role": "system", "content": "x"}]})
    show([(m.type, m.content) for m in out["messages"]])
    both = add_messages(
        [HumanMessage("a", id="1"), HumanMessage("b", id="2")], [RemoveMessage("1"), AIMessage("c", id="2")]
    )
    show([(m.type, m.content, m.id) for m in both])


def models_hear_of_their_node(show: Any) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("one two"), AIMessage("three four"), AIMessage("five six")]))

    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node(ask).add_edge(START, "ask").compile()
    recorder = Recorder()
    graph.invoke({"messages": [("user", "hi")]}, {"callbacks": [recorder]})
    show(*[run for run in recorder.runs if run[0] == "model"])
    chunks = list(graph.stream({"messages": [("user", "hi")]}, stream_mode="messages"))
    show([(chunk.content, metadata["langgraph_node"], metadata["langgraph_step"]) for chunk, metadata in chunks])


def events(show: Any) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("one two"), AIMessage("three four")]))

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node(ask).add_edge(START, "ask").compile()

    async def main() -> None:
        found = []
        async for event in graph.astream_events({"messages": [("user", "hi")]}, version="v2"):
            found.append(
                (
                    event["event"],
                    event["name"],
                    sorted(event["tags"]),
                    event["metadata"].get("langgraph_node"),
                    len(event["parent_ids"]),
                )
            )
        show(*found)

    asyncio.run(main())


def merging(show: Any) -> None:
    from langgraph.graph.message import REMOVE_ALL_MESSAGES

    old = [HumanMessage("a", id="1"), AIMessage("b", id="2")]

    def brief(messages: Any) -> Any:
        return [(each.type, each.content, each.id) for each in messages]

    show(brief(add_messages(old, AIMessage("c", id="3"))))
    show(brief(add_messages(old, [RemoveMessage("1"), HumanMessage("again", id="1")])))
    show(brief(add_messages(old, [RemoveMessage("2"), RemoveMessage("1")])))
    show(
        brief(
            add_messages(old, [HumanMessage("x", id="9"), RemoveMessage(REMOVE_ALL_MESSAGES), AIMessage("y", id="8")])
        )
    )
    for wrong in (lambda: add_messages(old, [RemoveMessage("7")]), lambda: add_messages(old, None)):
        try:
            wrong()
        except ValueError as error:
            show(str(error))
    show([type(each).__name__ for each in add_messages([], [AIMessage("z").__class__(content="q"), ("user", "u")])])
    formatted = add_messages(format="langchain-openai")
    show([each.content for each in formatted([], [HumanMessage([{"type": "text", "text": "hi"}], id="5")])])


def a_graph_of_messages(show: Any) -> None:
    from langgraph.graph.message import MessageGraph

    builder = MessageGraph()
    builder.add_node("bot", lambda messages: AIMessage(f"you said {messages[-1].content}", id="b"))
    builder.set_entry_point("bot")
    builder.set_finish_point("bot")
    out = builder.compile().invoke(HumanMessage("hey", id="h"))
    show([(each.type, each.content, each.id) for each in out])


def writing_before_the_end(show: Any) -> None:
    from langgraph._internal._constants import CONFIG_KEY_READ, CONFIG_KEY_SEND
    from langgraph.config import get_config
    from langgraph.graph.message import push_message
    from langgraph.graph.ui import push_ui_message, ui_message_reducer

    class State(MessagesState):
        seen: Annotated[list[str], operator.add]
        ui: Annotated[list[Any], ui_message_reducer]

    def node(state: State) -> dict[str, Any]:
        configurable = get_config()["configurable"]
        configurable[CONFIG_KEY_SEND]([("seen", ["sent"])])
        push_message(AIMessage("pushed", id="p"))
        push_ui_message("card", {"x": 1}, id="u")
        read = configurable[CONFIG_KEY_READ]
        fresh = read(["seen"], True)
        return {"seen": [f"returned {read('seen', False)} {fresh}"], "messages": [AIMessage("returned", id="r")]}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile()
    out = graph.invoke({"messages": [], "seen": ["in"], "ui": []})
    show(out["seen"], [(each.content, each.id) for each in out["messages"]], [each["props"] for each in out["ui"]])
    start = {"messages": [], "seen": [], "ui": []}
    show([(chunk.content, chunk.id) for chunk, _ in graph.stream(start, stream_mode="messages")])


def components_say_in_which_call_they_were_made(show: Any) -> None:
    from langgraph.graph.ui import push_ui_message, ui_message_reducer

    class State(MessagesState):
        ui: Annotated[list[Any], ui_message_reducer]

    def node(_: State) -> dict[str, Any]:
        push_ui_message("card", {"x": 1}, id="u")
        return {}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile()
    around = StateGraph(State).add_node("inner", graph).add_edge(START, "inner").compile()
    named = {"run_name": "r", "run_id": "12345678-1234-5678-1234-567812345678", "tags": ["t"]}
    for app in (graph, around):
        for config in ({}, {"tags": []}, named):
            show(app.invoke({"messages": [], "ui": []}, config)["ui"][0]["metadata"])


def messages_that_functions_are_given(show: Any) -> None:
    """Only those in the fields of what they get are known: they are not shown when they are returned."""

    @task
    def echo(given: Any, *, more: Any = None) -> Any:
        return [given, AIMessage("told", id="told")] if isinstance(given, HumanMessage) else given

    @task
    def outer(given: Any) -> Any:
        return echo(given).result()

    @entrypoint()
    def calls(given: Any) -> Any:
        echo(given).result()
        echo(HumanMessage("one", id="one"), more=[HumanMessage("two", id="two")]).result()
        echo({"deep": HumanMessage("three", id="three")}).result()
        outer(HumanMessage("four", id="four")).result()
        return given

    @entrypoint()
    def plain(given: Any) -> Any:
        return given

    def place(metadata: Any) -> Any:
        names = [part.partition(":")[0] for part in metadata["langgraph_checkpoint_ns"].split("|")]
        return names, metadata["langgraph_node"], metadata.get("checkpoint_ns") is None

    hello = HumanMessage("hello", id="hello")
    for given in (hello, [hello], {"key": hello}, {"key": [hello]}, [HumanMessage("new")]):
        for app in (calls, plain):
            chunks = list(app.stream(given, stream_mode="messages"))
            show([(message.content, message.id is not None, place(metadata)) for message, metadata in chunks])


def schemas_of_a_graph_of_messages(show: Any) -> None:
    import warnings

    from langgraph.graph import MessageGraph

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = MessageGraph()
    graph.add_node("say", lambda state: AIMessage("said", id="said")).add_edge(START, "say")
    app = graph.compile()
    for schema in (app.get_input_jsonschema(), app.get_output_jsonschema()):
        show(schema["title"], schema["type"], sorted(schema["$defs"]), len(schema["items"]["oneOf"]))


def pushed_before_a_question(show: Any) -> None:
    """What a task sent before it asked is in what the caller is shown, not in the thread."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph.message import push_message
    from langgraph.graph.ui import push_ui_message, ui_message_reducer
    from langgraph.types import Command, interrupt

    class Talk(MessagesState):
        ui: Annotated[list, ui_message_reducer]
        answer: str

    def asking(s: Talk) -> dict[str, Any]:
        push_message(AIMessage("wait", id="wait"))
        push_ui_message("card", {"a": 1}, id="card")
        return {"answer": interrupt("well?")}

    def beside(s: Talk) -> dict[str, Any]:
        return {"messages": [AIMessage("beside", id="beside")]}

    def said(values: Any) -> Any:
        return [each.content for each in values.get("messages", ())], len(values.get("ui", ())), values.get("answer")

    for nodes in ([asking], [asking, beside], [beside, asking]):
        graph = StateGraph(Talk)
        for node in nodes:
            graph.add_node(node.__name__, node).add_edge(START, node.__name__)
        app = graph.compile(checkpointer=InMemorySaver())
        for thread in ("streamed", "called", "updates"):
            config = {"configurable": {"thread_id": thread}}
            for given in ({"answer": ""}, None, Command(resume="yes")):
                if thread == "called":
                    show(said(app.invoke(given, config)))
                elif thread == "updates":
                    show(sorted(sorted(each) for each in app.stream(given, config, output_keys=["answer"])))
                else:
                    values = list(app.stream(given, config, stream_mode="values"))
                    show([said(each) for each in values], said(values[-1]))
                show(said(app.get_state(config).values))


def what_was_over_is_told_first(show: Any) -> None:
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.types import Command, interrupt

    def asking(s: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(interrupt("well?"), id="asked")]}

    graph = StateGraph(MessagesState).add_node("asking", asking).add_edge(START, "asking")
    for name in ("one", "two"):
        graph.add_node(name, lambda s, name=name: {"messages": [AIMessage(name, id=name)]}).add_edge(START, name)
    app = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    app.invoke({"messages": []}, config)
    for mode, kind in app.stream(Command(resume="yes"), config, stream_mode=["updates", "tasks", "values"]):
        show(mode, sorted(kind), kind.get("name"))


def messages_that_are_sent_up(show: Any) -> None:
    """Those of a Command for the graph around are not streamed; those that come with it neither."""
    from langchain_core.messages import ToolMessage
    from langgraph.types import Command

    def up(s: MessagesState) -> Any:
        told = {"messages": [ToolMessage("up", tool_call_id="1", id="up")]}
        return Command(graph=Command.PARENT, update=told, goto="end")

    def several(s: MessagesState) -> Any:
        return [up(s), {"messages": [AIMessage("beside", id="beside")]}]

    def again(s: MessagesState) -> dict[str, Any]:
        return {"messages": [s["messages"][-1], AIMessage("end", id="end")]}

    hello = {"messages": [HumanMessage("hello", id="hello")]}
    for node in (up, several):
        inner = StateGraph(MessagesState).add_node("inner", node).add_edge(START, "inner").compile()

        def calling(s: MessagesState, inner: Any = inner) -> Any:
            return inner.invoke(s)

        for added in (inner, calling):
            graph = StateGraph(MessagesState).add_node("added", added).add_node("end", again).add_edge(START, "added")
            app = graph.compile()
            for options in ({}, {"subgraphs": True}):
                chunks = list(app.stream(hello, stream_mode=["messages", "values"], **options))
                show([each[-1][0].content for each in chunks if each[-2] == "messages"])
                show([message.content for message in chunks[-1][-1]["messages"]])
