"""LangGraph's own callback handlers, made and handed over by the program."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from langchain_core.callbacks import CallbackManager
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import tool
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.pregel import _messages as heard
from langgraph.pregel import _tools as told
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

RUN = UUID(int=7)


def brief(chunks: list[Any]) -> list[Any]:
    """Chunks with what of their metadata tells something."""
    found = []
    for ns, mode, (message, metadata) in chunks:
        kept = {key: metadata[key] for key in sorted(metadata) if key in ("langgraph_node", "langgraph_step", "tags")}
        levels = [part.split(":")[0] for part in ns]
        said = message if isinstance(message, dict) else (type(message).__name__, message.content)
        found.append((levels, mode, said, kept, "run_id" in metadata))
    return found


def model(*words: str) -> Any:
    return GenericFakeChatModel(messages=iter([AIMessage(word, id=word) for word in words]))


def by_themselves(show: Any) -> None:
    """A handler given to models that no graph runs, in all ways of giving it."""
    for kind in (heard.StreamMessagesHandler, heard.StreamMessagesHandlerV2):
        chunks: list[Any] = []
        handler = kind(chunks.append, False)
        show(handler.run_inline, handler.subgraphs, handler.parent_ns, handler.seen, handler.metadata, handler.stream)
        where = {"langgraph_checkpoint_ns": "n:1", "langgraph_node": "n", "langgraph_step": 3}
        config: Any = {"callbacks": [handler], "metadata": where, "tags": ["mine", "seq:step:2"]}
        show(model("one two").invoke("?", config).content, brief(chunks))
        show("".join(str(each.content) for each in model("three four").stream("?", config)), brief(chunks[2:]))
        show(asyncio.run(model("five").ainvoke("?", config)).content, len(chunks), sorted(map(str, handler.seen))[:2])
        show(FakeListChatModel(responses=["six"]).with_config(tags=["nostream"]).invoke("?", config).content)
        show(len(chunks), handler.metadata)
        token = var_child_runnable_config.set({"callbacks": [handler], "metadata": {"langgraph_checkpoint_ns": "x"}})
        model("seven").invoke("?")
        var_child_runnable_config.reset(token)
        show(len(chunks), chunks[-1][0])
        manager = CallbackManager(handlers=[], inheritable_handlers=[handler])
        bound = RunnableLambda(lambda _, config: model("eight").invoke("?", config))
        show(bound.invoke("?", {"callbacks": manager, "metadata": where}).content, len(chunks))
        show(model("nine").invoke("?", {"callbacks": [handler]}).content, len(chunks))


def namespaces(show: Any) -> None:
    for levels in ("a:1", "a:1|b:2", "a:1|b:2|c:3"):
        show(heard.graph_namespace({"langgraph_checkpoint_ns": levels}))
        path: Any = ("__pregel_push", ("__pregel_pull", "a"), 0, True)
        show(heard.graph_namespace({"langgraph_checkpoint_ns": levels, "langgraph_path": path}))
        deeper: Any = ("__pregel_push", path, 0, True)
        show(heard.graph_namespace({"langgraph_checkpoint_ns": levels, "langgraph_path": deeper}))
        sent: Any = ("__pregel_push", ("__pregel_pull", "a"), 0, False)
        show(heard.graph_namespace({"langgraph_checkpoint_ns": levels, "langgraph_path": sent}))
    for parent in (None, ("a:1",), ("b:1",)):
        for subgraphs in (False, True):
            chunks: list[Any] = []
            handler = heard.StreamMessagesHandler(chunks.append, subgraphs, parent_ns=parent)
            where = {"langgraph_checkpoint_ns": "a:1|b:2", "langgraph_node": "b"}
            model("word").invoke("?", {"callbacks": [handler], "metadata": where})
            show(parent, subgraphs, brief(chunks))


class Fields(BaseModel):
    one: Any = None
    more: Any = None


@dataclass
class Parts:
    one: Any
    more: Any


def returned_by_nodes(show: Any) -> None:
    """What is found in a node's result, and what it was given, which is not told again."""
    said, again = AIMessage("said", id="s"), AIMessage("again", id="g")
    results = (
        said, [said, "x", again, said], (said,), {"messages": [again, said], "other": said, "word": "said", "n": 1},
        Fields(one=said, more=[again]), Parts(said, (again, 3)), Command(update={"m": [said]}), "said", None, 7,
        [Command(update={"m": said}), {"m": again}], Command(goto="x"), {"m": ToolMessage("t", tool_call_id="1")},
        {"m": [RemoveMessage(id="s")]}, {"m": AIMessage("no id")}, Command(update=[("m", said)]), {"m": {"k": said}},
    )  # fmt: skip
    where = {"langgraph_checkpoint_ns": "n:1", "langgraph_node": "n"}
    for kind in (heard.StreamMessagesHandler, heard.StreamMessagesHandlerV2):
        for result in results:
            chunks: list[Any] = []
            handler = kind(chunks.append, True)
            handler.on_chain_start({}, {"given": [again]}, run_id=RUN, metadata=dict(where), name="n")
            handler.on_chain_end(result, run_id=RUN)
            show(type(result).__name__, brief(chunks), handler.metadata, len(handler.seen))
    chunks = []
    handler = heard.StreamMessagesHandler(chunks.append, True)
    for given in ({"a": said}, [said], said, Fields(one=said), Parts(1, [said, again]), "text", None):
        handler.seen.clear()
        handler.on_chain_start({}, given, run_id=RUN, metadata=dict(where), name="n")
        show(sorted(handler.seen))
    for more in ({"name": "other"}, {"name": "n", "tags": ["langsmith:hidden"]}, {}):
        handler.metadata.clear()
        handler.on_chain_start({}, {"a": said}, run_id=RUN, metadata=dict(where), **more)
        show(handler.metadata)
    handler.on_chain_start({}, {"a": said}, run_id=RUN, metadata=dict(where), name="n")
    handler.on_chain_error(ValueError(), run_id=RUN)
    handler.on_chain_end({"a": said}, run_id=RUN)
    show(len(chunks))
    states: Any = ({"a": 1}, Fields(one=2), Parts(3, 4), "text", [1], None)
    show([list(heard._state_values(each)) for each in states])
    show([heard._is_message_dict(each) for each in ({"role": "user"}, {"type": "ai"}, {"type": "x"}, {})])


def by_hand(show: Any) -> None:
    """Its methods called as a test would."""
    for kind in (heard.StreamMessagesHandler, heard.StreamMessagesHandlerV2):
        chunks: list[Any] = []
        handler: Any = kind(chunks.append, subgraphs=False)
        handler.metadata[RUN] = ((), {"langgraph_node": "x"})
        chunk = ChatGenerationChunk(message=AIMessageChunk("tok", id="t"))
        handler.on_llm_new_token("tok", chunk=chunk, run_id=RUN)
        handler.on_llm_new_token("tok", run_id=RUN)
        if hasattr(handler, "on_stream_event"):
            handler.on_stream_event({"event": "message-start", "message_id": "t"}, run_id=RUN)
            handler.on_stream_event({"event": "message-start"}, run_id=UUID(int=8))
        ended = LLMResult(generations=[[ChatGeneration(message=AIMessage("tok", id="u"))]])
        handler.on_llm_end(ended, run_id=RUN)
        handler.on_llm_end(ended, run_id=RUN)
        show(brief(chunks), sorted(handler.seen), handler.metadata)
        handler._emit(((), {}), AIMessage("made", id="u"), dedupe=True)
        handler._emit(((), {}), AIMessage("made", id="u"))
        show(brief(chunks)[-1])
        handler.metadata[RUN] = ((), {})
        handler.on_llm_error(ValueError(), run_id=RUN)
        handler.on_llm_end(LLMResult(generations=[]), run_id=RUN)
        show(handler.metadata, len(chunks), list(handler.tap_output_iter(RUN, iter([1]))))

    class Loud(heard.StreamMessagesHandler):
        def _emit(self, meta: Any, message: Any, *, dedupe: bool = False) -> None:
            super()._emit(meta, message.model_copy(update={"content": message.content.upper()}), dedupe=dedupe)

    loud: list[Any] = []
    where = {"langgraph_checkpoint_ns": "n:1", "langgraph_node": "n"}
    model("quiet").invoke("?", {"callbacks": [Loud(loud.append, True)], "metadata": where})
    show(brief(loud))


class Words(TypedDict):
    messages: Annotated[list, add_messages]


def talking(*names: str) -> Any:
    builder = StateGraph(Words)
    for name in names:
        builder.add_node(name, lambda state, name=name: {"messages": [model(f"{name} says").invoke(state["messages"])]})
    return builder


def in_graphs(show: Any) -> None:
    """A handler in the config of a run hears its models and nodes, and those of graphs inside where it is to."""
    inner = talking("deep").add_edge(START, "deep").compile()
    outer = talking("a", "b").add_node("inner", inner).add_edge(START, "a").add_edge("a", "inner")
    graph = outer.add_edge("inner", "b").compile()
    given: Any = {"messages": [HumanMessage("hello", id="h")]}
    for subgraphs in (False, True):
        chunks: list[Any] = []
        handler = heard.StreamMessagesHandler(chunks.append, subgraphs)
        show(len(graph.invoke(given, {"callbacks": [handler]})["messages"]), brief(chunks), handler.metadata)
        chunks.clear()
        again = heard.StreamMessagesHandler(chunks.append, subgraphs)
        show(len(asyncio.run(graph.ainvoke(given, {"callbacks": [again]}))["messages"]), brief(chunks))
        chunks.clear()
        beside = heard.StreamMessagesHandler(chunks.append, subgraphs)
        streamed = list(graph.stream(given, {"callbacks": [beside]}, stream_mode="messages", subgraphs=subgraphs))
        show(len(streamed), brief(chunks))

    def returns(state: Any) -> Any:
        return Command(update={"messages": [AIMessage("by hand", id="m"), *state["messages"]]}, goto=END)

    builder = StateGraph(MessagesState).add_node("r", returns).add_edge(START, "r")
    chunks = []
    builder.compile().invoke(given, {"callbacks": [heard.StreamMessagesHandler(chunks.append, True)]})
    show(brief(chunks))


def in_functions(show: Any) -> None:
    @task
    def ask(word: str) -> Any:
        return model(word).invoke("?")

    @entrypoint()
    def flow(word: str) -> Any:
        return [ask(word).result(), model("after").invoke("?")]

    for subgraphs in (False, True):
        chunks: list[Any] = []
        flow.invoke("first", {"callbacks": [heard.StreamMessagesHandler(chunks.append, subgraphs)]})
        show(brief(chunks))


@tool
def add(a: int, b: int) -> int:
    """Add."""
    write = told._tool_call_writer.get()
    if write is not None:
        write("adding")
    if a < 0:
        raise ValueError("negative")
    return a + b


@tool
def ask_back(a: int) -> int:
    """Ask."""
    return interrupt(a)


def tools(show: Any) -> None:
    for subgraphs, parent in ((False, None), (True, None), (False, ("g:1",))):
        chunks: list[Any] = []
        handler = told.StreamToolCallHandler(chunks.append, subgraphs, parent_ns=parent)
        show(handler.run_inline, handler.subgraphs, handler.parent_ns)
        for metadata in ({}, {"langgraph_checkpoint_ns": "n:1"}, {"langgraph_checkpoint_ns": "g:1|n:2"}, {"x": 1}):
            config: Any = {"callbacks": [handler], "metadata": metadata}
            call = {"name": "add", "args": {"a": 1, "b": 2}, "id": "c1", "type": "tool_call"}
            add.invoke(call, config)
            add.invoke({"a": 1, "b": 2}, {**config, "tags": ["nostream"]})
            try:
                add.invoke({**call, "args": {"a": -1, "b": 2}}, config)
            except ValueError:
                chunks.append("raised")
            show(chunks, told._tool_call_writer.get())
            chunks.clear()

    def node(state: Any) -> Any:
        return {"messages": [add.invoke({"name": "add", "args": {"a": 1, "b": 2}, "id": "c2", "type": "tool_call"})]}

    def asks(state: Any) -> Any:
        return {"messages": [str(ask_back.invoke({"a": 1}))]}

    builder = StateGraph(Words).add_node("n", node).add_node("asks", asks).add_edge(START, "n").add_edge("n", "asks")
    chunks = []
    builder.compile().invoke({"messages": []}, {"callbacks": [told.StreamToolCallHandler(chunks.append, False)]})
    show(chunks)
