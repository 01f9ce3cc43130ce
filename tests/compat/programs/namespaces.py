"""Where chunks say that they come from, when functions, tools and graphs inside a run write them."""

import asyncio
import operator
from typing import Annotated, Any

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Send, StreamWriter
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


class Chat(TypedDict):
    messages: Annotated[list, operator.add]


@task
def upper(x: Any) -> Any:
    get_stream_writer()(f"upper {x}")
    return lower(x).result()


@task
def lower(x: Any) -> Any:
    get_stream_writer()(f"lower {x}")
    return x


@entrypoint()
def flow(x: Any, writer: StreamWriter) -> Any:
    writer("flow")
    return [upper(x).result(), upper(x + 1).result()]


def deep(s: State) -> Any:
    get_stream_writer()("deep")
    return {"log": ["deep"]}


inner = StateGraph(State).add_node(deep).add_edge(START, "deep").compile()


@task
def runs_a_graph(x: Any) -> Any:
    get_stream_writer()("runs a graph")
    return inner.invoke({"log": []})


def chunks(show: Any, app: Any, input: Any) -> None:
    """In every form, called either way; what runs at once comes in any order."""

    async def listed(**options: Any) -> list[Any]:
        return [each async for each in app.astream(input, **options)]

    for modes in ("custom", ["custom", "updates", "tasks"]):
        for subgraphs in (False, True):
            for version in ("v1", "v2"):
                options: Any = {"stream_mode": modes, "subgraphs": subgraphs, "version": version}
                for found in (list(app.stream(input, **options)), asyncio.run(listed(**options))):
                    show(*sorted(found, key=without_ids))


def without_ids(chunk: Any) -> str:
    return "".join(each for each in repr(chunk) if each not in "0123456789abcdef-")


def functions(show: Any) -> None:
    chunks(show, flow, 1)

    @entrypoint()
    def outer(x: Any) -> Any:
        return [runs_a_graph(x).result(), inner.invoke({"log": []}), flow.invoke(1)]

    chunks(show, outer, 1)


def nodes(show: Any) -> None:
    def calls(s: State) -> Any:
        get_stream_writer()("calls")
        inner.invoke({"log": []})
        return {"log": [upper(5).result(), *inner.invoke({"log": []})["log"]]}

    g = StateGraph(State).add_node(calls).add_node("added", inner)
    g.add_edge(START, "calls").add_conditional_edges("calls", lambda s: [Send("added", {"log": []})])
    chunks(show, g.compile(), {"log": []})


def tools(show: Any) -> None:
    @tool
    def look(what: str) -> str:
        """Look it up."""
        get_stream_writer()("look " + what)
        inner.invoke({"log": []})
        return what

    call = {"name": "look", "args": {"what": "a"}, "id": "1"}
    app = StateGraph(Chat).add_node("tools", ToolNode([look])).add_edge(START, "tools").compile()
    chunks(show, app, {"messages": [AIMessage("", tool_calls=[call], id="m")]})
