"""Graphs made of langchain-core's parts: Runnables and callbacks."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnablePassthrough
from langgraph.config import get_config
from langgraph.graph import START, StateGraph


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def graphs_are_runnables(show: Any) -> None:
    graph = StateGraph(Log).add_node("a", lambda s: {"log": ["a"]}).add_edge(START, "a").compile()
    chain = RunnableLambda(lambda x: {"log": [x]}) | graph | (lambda out: out["log"])
    show(chain.invoke("hi"), asyncio.run(chain.ainvoke("hi")))
    show(graph.pipe(lambda out: len(out["log"])).invoke({"log": ["x", "y"]}))
    show(graph.batch([{"log": ["1"]}, {"log": ["2"]}]), asyncio.run(graph.abatch([{"log": ["3"]}])))
    show(graph.pick("log").invoke({"log": []}), graph.with_config(tags=["t"]).invoke({"log": []}))
    show((RunnablePassthrough() | graph).invoke({"log": ["z"]}))


def runnables_are_nodes(show: Any) -> None:
    builder = StateGraph(Log)
    builder.add_node("lam", RunnableLambda(lambda s: {"log": ["lam"]}))
    builder.add_node("seq", RunnableLambda(lambda s: s["log"]) | RunnableLambda(lambda log: {"log": [str(len(log))]}))
    builder.add_node("map", {"log": RunnableLambda(lambda s: ["from a dict"])})
    builder.add_edge(START, "lam").add_edge("lam", "seq").add_edge("seq", "map")
    graph = builder.compile()
    show(graph.invoke({"log": []}), asyncio.run(graph.ainvoke({"log": []})))


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


class AsyncRecorder(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.runs: list[Any] = []

    async def on_chain_start(self, serialized: Any, inputs: Any, *, tags: Any = None, **kw: Any) -> None:
        self.runs.append(("start", kw.get("name"), sorted(tags or [])))

    async def on_chain_end(self, outputs: Any, *, run_id: Any, **kw: Any) -> None:
        self.runs.append(("end", outputs))


def callbacks(show: Any) -> None:
    def route(state: Log) -> str:
        return "b"

    def a(state: Log, config: RunnableConfig) -> dict[str, Any]:
        RunnableLambda(lambda x: x, name="inner").invoke(1)
        RunnableLambda(lambda x: x, name="given").invoke(1, config)
        return {"log": ["a"]}

    builder = StateGraph(Log)
    builder.add_node(a)
    builder.add_node("b", lambda s: {"log": ["b"]}, metadata={"mine": 1})
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", route, ["b"])
    graph = builder.compile()
    recorder = Recorder()
    show(
        graph.invoke(
            {"log": []}, {"callbacks": [recorder], "tags": ["top"], "run_name": "whole", "metadata": {"mine": 0}}
        )
    )
    show(*recorder.runs)
    recorder = AsyncRecorder()
    show(asyncio.run(graph.ainvoke({"log": []}, {"callbacks": [recorder]})))
    show(*recorder.runs)


def callbacks_of_subgraphs(show: Any) -> None:
    inner = StateGraph(Log).add_node("i", lambda s: {"log": ["i"]}).add_edge(START, "i").compile(name="inside")
    graph = StateGraph(Log).add_node("sub", inner).add_edge(START, "sub").compile()
    recorder = Recorder()
    show(graph.invoke({"log": []}, {"callbacks": [recorder]}))
    show(*recorder.runs)


def callbacks_of_failures(show: Any) -> None:
    def bad(state: Log) -> None:
        raise ValueError("no")

    graph = StateGraph(Log).add_node(bad).add_edge(START, "bad").compile()
    recorder = Recorder()
    try:
        graph.invoke({"log": []}, {"callbacks": [recorder]})
    except ValueError as error:
        show(str(error))
    show(*recorder.runs)


def configs(show: Any) -> None:
    def look(state: Log, config: RunnableConfig) -> dict[str, Any]:
        here = get_config()
        return {
            "log": [
                str(config["configurable"].get("user")),
                str(here["configurable"].get("user")),
                str(config["metadata"].get("m")),
                str(sorted(config["tags"])),
                str(config["metadata"]["langgraph_node"]),
            ]
        }

    graph = StateGraph(Log).add_node(look).add_edge(START, "look").compile().with_config({"tags": ["bound"]})
    show(graph.invoke({"log": []}, {"configurable": {"user": "u1"}, "metadata": {"m": 1}, "tags": ["call"]}))
    show(
        RunnableLambda(lambda x: graph.invoke({"log": []})).invoke(
            1, {"configurable": {"user": "outer"}, "tags": ["around"]}
        )
    )


def tools_with_fallbacks(show: Any) -> None:
    """Snapshots, drawings and subgraphs look into what stands behind a node; a tool node behind fallbacks is one."""
    from langchain_core.messages import AIMessage, ToolMessage
    from langchain_core.runnables import RunnableLambda
    from langchain_core.tools import tool
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode

    @tool
    def half(number: int) -> str:
        """Halve an even number."""
        if number % 2:
            raise ValueError("odd")
        return str(number // 2)

    def told(state: Any) -> Any:
        return {"messages": [ToolMessage(f"failed: {state['error']!r}", tool_call_id="1", id="told")]}

    tools = ToolNode([half], handle_tool_errors=False).with_fallbacks([RunnableLambda(told)], exception_key="error")
    graph = StateGraph(MessagesState).add_node("tools", tools).add_edge(START, "tools")
    app = graph.compile(checkpointer=InMemorySaver(), interrupt_before=["tools"])
    show(app.get_graph(xray=True).draw_mermaid(), list(app.get_subgraphs()))
    for number in (4, 3):
        config: Any = {"configurable": {"thread_id": str(number)}}
        call = {"name": "half", "args": {"number": number}, "id": "1"}
        app.invoke({"messages": [AIMessage("", id="ask", tool_calls=[call])]}, config)
        show(app.get_state(config, subgraphs=True).next, len(list(app.get_state_history(config))))
        show([each.content for each in app.invoke(None, config)["messages"]])
