"""What listeners are not told, stops that are none, signals of a program's own, and hints and parts that are none."""

import asyncio
import operator
import re
from typing import TYPE_CHECKING, Annotated, Any

from langgraph.channels import LastValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphBubbleUp
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from somewhere import Nowhere  # type: ignore[import-not-found]  # no hint that names it can be resolved

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MODES = ["values", "updates", "tasks", "debug", "messages"]
HIDDEN: Any = {"tags": ["langsmith:hidden"], "configurable": {"thread_id": "t"}}
THREAD: Any = {"configurable": {"thread_id": "t"}}


class Log(TypedDict):
    log: Annotated[list, operator.add]


def chain(last: Any, **options: Any) -> Any:
    builder = StateGraph(Log).add_node("a", lambda _: {"log": ["a"]}).add_node("last", last)
    return builder.add_edge(START, "a").add_edge("a", "last").compile(checkpointer=InMemorySaver(), **options)


def said(graph: Any, given: Any, config: Any, **options: Any) -> list[Any]:
    """All chunks, by mode and namespace's length, and what was raised."""
    found: list[Any] = []
    try:
        for ns, mode, chunk in graph.stream(given, config, stream_mode=MODES, subgraphs=True, **options):
            found.append((len(ns), mode, (chunk["type"], chunk["step"]) if mode == "debug" else chunk))
    except Exception as error:
        found.append(repr(error))
    return found


def hidden_runs(show: Any) -> None:
    asking = chain(lambda _: {"log": [interrupt("why?")]})
    show(said(asking, {"log": []}, HIDDEN), asking.get_state(HIDDEN).interrupts)
    show(said(asking, Command(resume="so"), HIDDEN))
    show(said(chain(lambda _: {"log": [1 / 0]}), {"log": []}, HIDDEN))
    inner = StateGraph(Log).add_node("i", lambda _: {"log": ["i"]}).add_edge(START, "i")
    show(said(chain(inner.compile()), {"log": []}, HIDDEN))
    show(said(chain(lambda s: inner.compile().invoke(s)).with_config(tags=["langsmith:hidden"]), {"log": []}, THREAD))

    @task
    def more(n: int) -> int:
        return n + 1

    @entrypoint(checkpointer=InMemorySaver())
    def flow(n: int) -> int:
        return more(n).result()

    show(said(flow, 1, HIDDEN))


def hidden_stops(show: Any) -> None:
    for stops in ({"interrupt_before": "*"}, {"interrupt_after": "*"}, {"interrupt_before": ["last"]}):
        show(said(chain(lambda _: {"log": ["z"]}, **stops), {"log": []}, HIDDEN))
        show(said(chain(lambda _: {"log": ["z"]}), {"log": []}, HIDDEN, **stops))


def hidden_nodes(show: Any) -> None:
    first = NodeBuilder().subscribe_only("a").do(lambda n: n + 1).write_to("b").meta("langsmith:hidden")
    then = NodeBuilder().subscribe_only("b").do(lambda n: n + 1).write_to("c").meta("mine")
    channels = {name: LastValue(int) for name in "abc"}
    graph = Pregel(nodes={"f": first, "t": then}, channels=channels, input_channels="a", output_channels=["b", "c"])
    show(said(graph, 1, {}), said(graph, 1, {}, interrupt_before="*"), said(graph, 1, {}, interrupt_after="*"))


def stars_in_lists(show: Any) -> None:
    for stops in (["*"], ["*", "last"]):
        show(said(chain(lambda _: {"log": ["z"]}), {"log": []}, THREAD, interrupt_before=stops))
        show(said(chain(lambda _: {"log": ["z"]}, interrupt_after="*"), {"log": []}, THREAD, interrupt_after=stops))
        try:
            chain(lambda _: {"log": []}, interrupt_before=stops)
        except ValueError as error:
            show(str(error).startswith("Interrupt node `*` not found"))


class Mine(GraphBubbleUp):
    """A program's own signal."""


def signals(show: Any) -> None:
    def leave(_: Any) -> Any:
        raise Mine("out")

    for graph in (chain(leave), chain(StateGraph(Log).add_node("i", leave).add_edge(START, "i").compile())):
        show(said(graph, {"log": []}, THREAD))
        show([(each.name, each.error, each.result) for each in graph.get_state(THREAD).tasks])
        show(said(graph, None, THREAD))
    beside = StateGraph(Log).add_node("leave", leave).add_node("stay", lambda _: {"log": ["s"]})
    graph = beside.add_edge(START, "leave").add_edge(START, "stay").compile(checkpointer=InMemorySaver())
    show(sorted(ID.sub("", str(each)) for each in said(graph, {"log": []}, THREAD)))
    show([(each.name, each.error, each.result) for each in graph.get_state(THREAD).tasks])

    @task
    def called() -> None:
        raise Mine("called")

    @entrypoint(checkpointer=InMemorySaver())
    def flow(_: Any) -> None:
        called().result()

    show(said(flow, 1, THREAD), [(each.name, each.error) for each in flow.get_state(THREAD).tasks])


class Lost(TypedDict):
    key: "Nowhere"


def unresolved_hints(show: Any) -> None:
    def lost(s: Lost) -> Any:
        return {"log": [sorted(s)]}

    def nowhere(s: "Nowhere") -> "Nowhere":
        return {"log": [sorted(s)]}

    show(said(chain(lost), {"log": []}, THREAD), said(chain(nowhere), {"log": []}, THREAD))

    def route(_: Any) -> "Nowhere":
        return END

    for hint in (route, nowhere):
        try:
            StateGraph(Log).add_node("a", nowhere).add_conditional_edges("a", hint)
        except NameError as error:
            show(str(error))


class Yielding:
    """A generator only when it is called."""

    def __call__(self, _: Any) -> Any:
        yield {"log": ["y"]}


def objects_that_yield(show: Any) -> None:
    for call in (lambda g: g.invoke({"log": []}, THREAD), lambda g: asyncio.run(g.ainvoke({"log": []}, THREAD))):
        try:
            call(chain(Yielding()))
        except Exception as error:
            show(type(error).__name__, str(error).partition("object")[0])


def parts_of_nodes(show: Any) -> None:
    for wrong in (3, None, ["a"]):
        for make in (lambda w: NodeBuilder().do(w), lambda w: NodeBuilder().write_to(w).build()):
            try:
                made = make(wrong)
                Pregel(nodes={"n": made}, channels={"a": LastValue(int)}, input_channels="a", output_channels="a")
            except Exception as error:
                show(type(error).__name__)
