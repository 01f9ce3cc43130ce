"""Nodes of graphs of channels made by hand, as code that builds its own graphs on LangGraph makes them."""

import asyncio
import operator
from typing import Any

from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnableParallel
from langgraph._internal._runnable import RunnableCallable, RunnableSeq
from langgraph.channels import AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue, Topic
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.pregel._read import DEFAULT_BOUND, ChannelRead, PregelNode
from langgraph.pregel._write import (
    PASSTHROUGH,
    SKIP_WRITE,
    ChannelWrite,
    ChannelWriteEntry,
    ChannelWriteTupleEntry,
)
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, TimeoutPolicy, interrupt
from typing_extensions import TypedDict


def made(channels: Any, bound: Any = None, *writes: Any, **more: Any) -> PregelNode:
    """A node that is made ready by what it reads, and writes these entries."""
    entries = [ChannelWriteEntry(each) if isinstance(each, str) else each for each in writes]
    triggers = more.pop("triggers", [channels] if isinstance(channels, str) else channels)
    does = None if bound is None else RunnableLambda(bound)
    return PregelNode(channels=channels, triggers=triggers, bound=does, writers=[ChannelWrite(entries)], **more)


def ran(show: Any, app: Any, given: Any, config: Any = None, *, parallel: bool = False) -> None:
    """All that a run says, sync and async. Nodes that run side by side end in any order."""
    for modes in (["values", "updates"], ["tasks"]):
        try:
            chunks = [shown(chunk) for _, chunk in app.stream(given, config, stream_mode=modes)]
        except Exception as error:
            chunks = [repr(error)]
        show(sorted(chunks, key=repr) if parallel else chunks)
    if config is None:
        try:
            show(asyncio.run(app.ainvoke(given)))
        except Exception as error:
            show(repr(error))


def shown(chunk: Any) -> Any:
    keys = ("name", "input", "triggers", "result", "error", "interrupts")
    return {key: chunk[key] for key in keys if key in chunk} if isinstance(chunk, dict) and "name" in chunk else chunk


def chains(show: Any) -> None:
    channels = {"a": LastValue(int), "b": LastValue(int), "c": LastValue(int)}
    nodes = {"one": made("a", lambda n: n + 1, "b"), "two": made(["a", "b"], lambda both: sum(both.values()), "c")}
    nodes["two"].triggers.remove("a")
    app = Pregel(nodes=nodes, channels=channels, input_channels="a", output_channels="c")
    ran(show, app, 3)
    show(app.get_graph().draw_mermaid().split("\n")[3:], app.trigger_to_nodes)
    show(app.nodes["one"].triggers, app.nodes["two"].channels, type(app.nodes["two"].bound).__name__)
    saved = Pregel(
        nodes=nodes, channels=channels, input_channels="a", output_channels=["b", "c"], checkpointer=InMemorySaver()
    )
    config: Any = {"configurable": {"thread_id": "1"}}
    ran(show, saved, 3, config)
    show(saved.get_state(config).values, [each.next for each in saved.get_state_history(config)])


def mappers(show: Any) -> None:
    """`mapper` makes a node's input of what it reads."""
    channels = {"a": LastValue(int), "b": LastValue(str), "c": LastValue(str)}
    nodes = {
        "one": made("a", str, "b", mapper=lambda n: n * 10),
        "two": made(["a", "b"], "-".join, "c", mapper=lambda found: sorted(map(str, found.items()))),
    }  # fmt: skip
    app = Pregel(nodes=nodes, channels=channels, input_channels="a", output_channels=["b", "c"])
    ran(show, app, 4)


def writers(show: Any) -> None:
    """Several writers, writes of pairs, skipped ones, Sends, and writers that do more than write."""
    channels = {"a": LastValue(int), "b": LastValue(int), "log": BinaryOperatorAggregate(list, operator.add)}
    several = PregelNode(
        channels="a", triggers=["a"], bound=RunnableLambda(lambda n: n + 1),
        writers=[
            ChannelWrite([ChannelWriteEntry("b"), ChannelWriteEntry("log", mapper=lambda n: [n])]),
            ChannelWrite([ChannelWriteEntry("log", ["fixed"]), ChannelWriteEntry("log", None, True)]),
            ChannelWrite([ChannelWriteTupleEntry(lambda n: [("log", [n, n]), ("b", n)] if n > 100 else None)]),
            ChannelWrite([ChannelWriteTupleEntry(lambda n: [("log", [("pair", n)])], PASSTHROUGH)]),
            ChannelWrite([ChannelWriteTupleEntry(lambda n: [("log", [("own", n)])], "value")]),
            ChannelWrite([ChannelWriteEntry("log", mapper=lambda n: SKIP_WRITE)]),
        ],
    )  # fmt: skip
    show(len(several.writers), len(several.flat_writers), type(several.node).__name__, len(several.node.steps))
    ran(show, Pregel(nodes={"n": several}, channels=channels, input_channels="a", output_channels=["b", "log"]), 1)

    def writes(value: Any, config: RunnableConfig) -> Any:
        ChannelWrite.do_write(config, [ChannelWriteEntry("log", [("written", value)])])
        return value * 2

    def reads(value: Any, config: RunnableConfig) -> Any:
        seen = ChannelRead.do_read(config, select=["log", "a"], fresh=True)
        ChannelWrite.do_write(config, [ChannelWriteEntry("log", [("read", seen, value)])])
        return value

    custom = PregelNode(
        channels="a", triggers=["a"], bound=RunnableLambda(lambda n: n + 1),
        writers=[
            ChannelWrite([ChannelWriteEntry("log", mapper=lambda n: [n])]),
            ChannelWrite.register_writer(RunnableLambda(writes)),
            ChannelWrite([ChannelWriteEntry("b"), ChannelWriteEntry("log", ["after"])]),
            RunnableCallable(reads, trace=False),
        ],
    )  # fmt: skip
    show(len(custom.flat_writers), len(custom.node.steps))
    ran(show, Pregel(nodes={"n": custom}, channels=channels, input_channels="a", output_channels=["b", "log"]), 1)
    only = PregelNode(channels="a", triggers=["a"], writers=[ChannelWrite([ChannelWriteEntry("b")])])
    show(only.bound is DEFAULT_BOUND, type(only.node).__name__, only.subgraphs, only.metadata, only.tags)
    ran(show, Pregel(nodes={"n": only}, channels=channels, input_channels="a", output_channels="b"), 1)
    sends = made("a", lambda n: n, Send("log it", {"x": 1}), "b")
    logs = PregelNode(
        channels=["a"], triggers=["__pregel_tasks"], bound=RunnableLambda(lambda given: [given]),
        writers=[ChannelWrite([ChannelWriteEntry("log")])],
    )  # fmt: skip
    tuples = made("b", None, ChannelWriteTupleEntry(lambda n: [("__pregel_tasks", Send("log it", n)), ("log", [0])]))
    del logs.triggers[:]
    app = Pregel(
        nodes={"n": sends, "m": tuples, "log it": logs}, channels=channels, input_channels="a", output_channels="log",
        stream_channels=["a", "b", "log"],
    )  # fmt: skip
    ran(show, app, 7, parallel=True)
    nothing = PregelNode(channels="a", triggers=["a"])
    show(nothing.node, nothing.writers, nothing.flat_writers)
    try:
        ran(show, Pregel(nodes={"n": nothing}, channels=channels, input_channels="a", output_channels="b"), 1)
    except Exception as error:
        show(type(error).__name__)


def subscribed(show: Any) -> None:
    """Lists of topics, values of one superstep, and nodes that read nothing of what makes them ready."""
    channels = {"a": Topic(int, accumulate=True), "b": EphemeralValue(int), "c": AnyValue(int), "d": LastValue(list)}
    nodes = {
        "sum": made("a", sum, "b"),
        "two": made(["a", "b"], lambda found: sorted(found), "d", triggers=["b"]),
        "three": made("b", lambda n: n, "c"),
    }
    app = Pregel(nodes=nodes, channels=channels, input_channels="a", output_channels=["c", "d"])
    ran(show, app, [1, 2, 3], parallel=True)


def policies(show: Any) -> None:
    failed: list[int] = []

    def shaky(n: int) -> int:
        failed.append(n)
        if len(failed) < 3:
            raise ConnectionError(n)
        return n

    quick = RetryPolicy(initial_interval=0.001, jitter=False)
    for given in (quick, [quick], (quick, RetryPolicy())):
        failed.clear()
        node = made("a", shaky, "b", retry_policy=given)
        show(type(node.retry_policy).__name__, len(node.retry_policy))
        channels: Any = {"a": LastValue(int), "b": LastValue(int)}
        app = Pregel(nodes={"n": node}, channels=channels, input_channels="a", output_channels="b")
        show(app.invoke(1), failed)
    for limit in (3, 2.5, TimeoutPolicy(run_timeout=1), None):
        show(made("a", None, timeout=limit).timeout)
    node = made("a", len, "b", cache_policy=CachePolicy(ttl=3), tags=["t"], metadata={"m": 1})
    show(node.cache_policy.ttl, node.tags, node.metadata, node.is_error_handler, node.error_handler_node)
    show(node.trace_policy, node.input_cache_key)
    channels = {"a": LastValue(int), "b": LastValue(Any)}
    fails = made("a", lambda n: 1 // 0, "b", error_handler_node="h")
    handler = made(["a"], lambda found: {"handled": found}, "b", triggers=[], is_error_handler=True)
    app = Pregel(
        nodes={"f": fails, "h": handler}, channels=channels, input_channels="a", output_channels="b",
        node_error_handler_map={"f": "h"},
    )  # fmt: skip
    show(app.nodes["f"].error_handler_node, app.nodes["h"].is_error_handler)
    ran(show, app, 1)


def copies(show: Any) -> None:
    """Attributes may be set, and copies differ in what is asked for."""
    node = made(["a"], str, "b", tags=["x"], metadata={"k": 1})
    other = node.copy({"channels": "a", "triggers": ["a", "c"], "retry_policy": RetryPolicy()})
    show(other.channels, other.triggers, other.tags, other.bound is node.bound, other.writers is node.writers)
    show(node.channels, node.retry_policy, len(other.retry_policy), type(other) is PregelNode)
    node.bound, node.channels = RunnableLambda(repr), "a"
    node.writers.append(ChannelWrite([ChannelWriteEntry("c")]))
    channels = {"a": LastValue(int), "b": LastValue(str), "c": LastValue(str)}
    app = Pregel(nodes={"n": node}, channels=channels, input_channels="a", output_channels=["b", "c"])
    ran(show, app, 5)
    built = NodeBuilder().subscribe_only("a").do(lambda n: str(n)).write_to("b").meta("tag", key=1).build()
    show(type(built).__name__, built.channels, built.triggers, built.tags, built.metadata, len(built.writers))
    show(built.writers is built.writers, built.bound is built.bound, built.invoke(3), built.copy({}).invoke(4))
    built.writers.append(ChannelWrite([ChannelWriteEntry("c", mapper=lambda text: text + "!")]))
    built.triggers.append("c")
    app = Pregel(nodes={"n": built}, channels=channels, input_channels="a", output_channels=["b", "c"])
    show(app.nodes["n"].triggers)


def by_itself(show: Any) -> None:
    """A node's action without its graph, with the node's tags and metadata."""
    seen: list[Any] = []

    def looks(value: Any, config: RunnableConfig) -> Any:
        seen.append((sorted(config.get("tags") or ()), {k: v for k, v in config["metadata"].items() if k in "km"}))
        return value

    node = made(["a"], looks, "b", tags=["x"], metadata={"k": 1})
    show(node.invoke(1), node.invoke(2, {"tags": ["y"], "metadata": {"m": 2}}), list(node.stream(3)))
    show(asyncio.run(node.ainvoke(4, {"tags": ["z"]})), asyncio.run(collected(node)), seen)
    whole = made("a", lambda n: n + 1, "b")
    sent: list[Any] = []
    config: Any = {
        "configurable": {"__pregel_send": sent.extend, "__pregel_read": lambda select, fresh: (select, fresh)}
    }
    show(whole.node.invoke(1, config), sent, type(whole.node) is RunnableSeq)
    show(ChannelRead("a").invoke(None, config), ChannelRead(["a", "b"], fresh=True, mapper=len).invoke(None, config))
    read = ChannelRead("a", tags=["t"])
    show(read.get_name(), read.get_name("X"), read.get_name(name="n"), read.fresh, read.mapper, ChannelRead.fresh)
    write = ChannelWrite([ChannelWriteEntry("a"), Send("n", 1), ChannelWriteTupleEntry(len)])
    show(write.get_name(), write.get_name(name="n"), write.name, read.name)
    write.writes.append(ChannelWriteEntry("z"))
    show(write.get_name())


async def collected(node: Any) -> Any:
    return [chunk async for chunk in node.astream(5)]


class State(TypedDict):
    n: int


def graphs_inside(show: Any) -> None:
    def asks(state: Any) -> Any:
        return {"n": interrupt("more?") + state["n"]}

    inner = StateGraph(State).add_node("asks", asks).add_edge(START, "asks").compile()
    node = PregelNode(
        channels=["n"], triggers=["n"], bound=inner,
        writers=[ChannelWrite([ChannelWriteEntry("out", mapper=lambda state: state["n"])])],
    )  # fmt: skip
    show([type(each).__name__ for each in node.subgraphs])
    app = Pregel(
        nodes={"inner": node}, channels={"n": LastValue(int), "out": LastValue(int)}, input_channels=["n"],
        output_channels="out", checkpointer=InMemorySaver(),
    )  # fmt: skip
    config: Any = {"configurable": {"thread_id": "1"}}
    ran(show, app, {"n": 1}, config)
    show([name for name, _ in app.get_subgraphs()], app.get_state(config, subgraphs=True).tasks[0].name)
    show(app.invoke(Command(resume=5), config))
    given = PregelNode(channels=["n"], triggers=["n"], bound=RunnableLambda(lambda s: s["n"]), subgraphs=[inner])
    show(len(given.subgraphs), RunnableParallel(a=given.bound).invoke({"n": 1}))


def wrong(show: Any) -> None:
    for arguments in ({"channels": "a"}, {"triggers": ["a"]}, {"channels": "a", "triggers": ["a"], "other": 1}):
        try:
            PregelNode(**arguments)
        except TypeError as error:
            show(type(error).__name__)
    try:
        PregelNode("a", ["a"])  # type: ignore[misc]  # by position
    except TypeError as error:
        show(type(error).__name__)
    for name, reads in (("n", "x"), ("__error__", "a")):
        try:
            Pregel(
                nodes={name: made(reads, len, "b")},
                channels={"a": LastValue(int)},
                input_channels="a",
                output_channels="a",
            )
        except (TypeError, ValueError) as error:
            show(type(error).__name__)
