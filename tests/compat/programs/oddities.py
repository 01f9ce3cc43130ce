"""What hardly anybody writes: no stream mode, Runnables as routers, policies of Sends, the channels behind edges."""

import asyncio
import operator
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Annotated, Any

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.channels import BinaryOperatorAggregate, EphemeralValue, LastValue, Topic, UntrackedValue
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeError
from langgraph.graph import START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.pregel._algo import (
    LazyAtomicCounter,
    PregelTaskWrites,
    apply_writes,
    checkpoint_null_version,
    increment,
    local_read,
    prepare_next_tasks,
    sanitize_untracked_values_in_send,
    should_interrupt,
)
from langgraph.pregel._checkpoint import channels_from_checkpoint
from langgraph.pregel._io import map_command, map_input, map_output_values, read_channel, read_channels
from langgraph.pregel._utils import get_new_channel_versions, is_xxh3_128_hexdigest
from langgraph.pregel._write import ChannelWrite, ChannelWriteEntry, ChannelWriteTupleEntry
from langgraph.runtime import Runtime
from langgraph.types import Command, Interrupt, Overwrite, Send, TimeoutPolicy, interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    n: int


def attempt(show: Any, play: Callable[[], Any]) -> None:
    try:
        show(play())
    except Exception as error:
        show(type(error).__name__, str(error)[:25])


def two(router: Any = None, path_map: Any = None) -> StateGraph:
    g = StateGraph(State)
    g.add_node("a", lambda s: {"log": ["a"]})
    g.add_node("b", lambda s: {"log": ["b"], "n": s.get("n", 0)})
    g.add_edge(START, "a")
    if router is None:
        g.add_edge("a", "b")
    else:
        g.add_conditional_edges("a", router, path_map)
    return g


def threads() -> Iterator[Any]:
    return ({"configurable": {"thread_id": str(each)}} for each in count())


def modes(show: Any) -> None:
    """No mode is the graph's own one, for `invoke` too; none at all is an empty stream."""
    app, configs = two().compile(checkpointer=InMemorySaver()), threads()
    for mode in (None, "values", "updates", ["updates"], ["values", "updates"], [], "debug", ["custom"], ("values",)):
        for version in ("v1", "v2"):
            given: Any = {"stream_mode": mode, "version": version}
            attempt(show, lambda given=given: app.invoke({"log": []}, next(configs), **given))
            attempt(show, lambda given=given: asyncio.run(app.ainvoke({"log": []}, next(configs), **given)))
            attempt(show, lambda given=given: list(app.stream({"log": []}, next(configs), **given)))
    for options in ({"output_keys": None}, {"output_keys": "log"}, {"interrupt_before": []}, {"print_mode": ()}):
        attempt(show, lambda options=options: app.invoke({"log": []}, next(configs), **options))
    attempt(show, lambda: two().compile().invoke({"log": []}, None, stream_mode=None))


def routers(show: Any) -> None:
    """Runnables as routers, sync and async, and routers that answer with one."""

    def one(s: State) -> str:
        return "b"

    async def twice(s: State) -> Any:
        return [Send("b", {"n": 5}), Send("b", {"n": 6})]

    async def later(s: State) -> str:
        return "b"

    found: list[Any] = [
        RunnableLambda(one),
        RunnableLambda(one, afunc=twice),
        RunnableLambda(one) | RunnableLambda(lambda name: {"b": "b"}[name]),
        lambda s: RunnableLambda(one),
        lambda s: RunnableLambda(one, afunc=twice),
        lambda s: RunnableLambda(lambda _: RunnableLambda(lambda inner: "b" if "log" in inner else "?")),
    ]
    for router in found:
        for path_map in (None, {"b": "b"}, ["b"]):
            attempt(show, lambda r=router, p=path_map: list(two(r, p).branches["a"]))
            attempt(show, lambda r=router, p=path_map: two(r, p).compile().invoke({"log": []}))
            attempt(show, lambda r=router, p=path_map: asyncio.run(two(r, p).compile().ainvoke({"log": []})))
    for router in (later, lambda s: RunnableLambda(one, afunc=later)):
        attempt(show, lambda r=router: asyncio.run(two(r).compile().ainvoke({"log": []})))


def beside_others(show: Any) -> None:
    """Parallel nodes, one of which has a router that answers with a Runnable."""

    def one(s: State) -> str:
        return "b" if s["log"] == ["start", "a"] else "nowhere"

    g = two(lambda s: RunnableLambda(one), ["b"])
    g.add_node("c", lambda s: {"log": ["c"]}).add_edge(START, "c").add_edge("c", "b")
    app = g.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    show(list(app.stream({"log": ["start"]}, config, stream_mode=["values", "updates", "tasks"])))
    show([(each.next, each.values) for each in app.get_state_history(config)])


def sends(show: Any) -> None:
    """A Send's timeout is a policy at once."""
    for make in (
        lambda: Send("a", 1),
        lambda: Send("a", {"x": 1}, timeout=3),
        lambda: Send("a", 1, timeout=timedelta(seconds=2)),
        lambda: Send("a", 1, timeout=TimeoutPolicy(run_timeout=1, idle_timeout=timedelta(seconds=3))),
        lambda: Send("a", 1, timeout=-1),
        lambda: Send("a", 1, timeout="x"),  # type: ignore[arg-type]  # a mistake
        lambda: Send("a", 1, timeout=TimeoutPolicy()),
        lambda: Send(node="a", arg=2),  # type: ignore[call-arg]  # by name
    ):
        attempt(show, make)
        attempt(show, lambda make=make: make().timeout)
    show(Send("a", 1, timeout=3) == Send("a", 1, timeout=3.0), Send("a", 1) == Send("a", 1, timeout=1))
    show(
        Send("a", [1]) == Send("a", [1]), Send("a", 1, timeout=3) == Send("a", 1, timeout=TimeoutPolicy(run_timeout=3))
    )
    show(hash(Send("a", 1, timeout=3)) == hash(Send("a", 1, timeout=3)))
    attempt(show, lambda: hash(Send("a", [1])))
    show(Overwrite(1), Overwrite([1]), Overwrite(1) == Overwrite(1), Overwrite(value=3).value)
    show(Command(), Command(goto="a"), Command(update={"a": 1}, goto=[Send("x", 1, timeout=2)]), Command(graph="p"))
    show(Interrupt("x", id="abc"), Interrupt(value=1, id="q") == Interrupt(value=1, id="q"))


def kept_limits(show: Any) -> None:
    """A Send's timeout is kept while its task waits, and counts when it goes on."""

    async def work(arg: Any) -> Any:
        if arg == "slow":
            await asyncio.sleep(interrupt("how long?"))
        return {"log": [arg]}

    def split(s: State) -> Any:
        policy = TimeoutPolicy(run_timeout=5, idle_timeout=0.2)
        return [Send("work", "slow", timeout=policy), Send("work", "quick", timeout=60)]

    g = StateGraph(State).add_node("work", work).add_conditional_edges(START, split, ["work"])
    app = g.compile(checkpointer=InMemorySaver())
    for thread, answer in (("a", 0.01), ("b", 3)):
        config: Any = {"configurable": {"thread_id": thread}}
        attempt(show, lambda config=config: asyncio.run(app.ainvoke({"log": []}, config)).get("log"))
        attempt(show, lambda c=config, a=answer: asyncio.run(app.ainvoke(Command(resume=a), c))["log"])
        show(app.get_state(config).next, app.get_state(config).values)


def channels(show: Any) -> None:
    """The channels of a graph, and the nodes that they make ready."""
    app = two().compile()
    show({key: type(each).__name__ for key, each in app.channels.items()}, app.channels["__start__"].ValueType.__name__)
    show(app.nodes.keys(), app.input_channels, app.output_channels, app.stream_channels, app.stream_channels_asis)
    show(app.stream_channels_list, app.trigger_to_nodes)
    show({key: (node.triggers, sorted(node.channels), node.tags) for key, node in app.nodes.items()})
    g = StateGraph(State)
    for name in "abcde":
        g.add_node(name, lambda s: {}, defer=name in "de")
    g.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c").add_edge("c", "d").add_edge(["a", "c"], "e")
    app = g.compile()
    # LangGraph keeps joins in a set, so their order is another one in each process.
    show(sorted((key, type(each).__name__) for key, each in app.channels.items()), sorted(app.trigger_to_nodes.items()))
    show({key: (list(node.triggers), sorted(node.channels)) for key, node in app.nodes.items()})


def run_ids(show: Any) -> None:
    """The run's id is the outermost graph's."""
    seen = []

    def leaf(s: State, runtime: Runtime) -> Any:
        found = runtime.execution_info
        assert found is not None
        seen.append((found.run_id, found.thread_id, found.checkpoint_ns.split(":")[0], found.node_attempt))
        return {"log": ["leaf"]}

    inner = StateGraph(State).add_node("leaf", leaf).add_edge(START, "leaf").compile()

    def call(s: State) -> Any:
        return inner.invoke({"log": []})

    def with_config(s: State, config: RunnableConfig) -> Any:
        return inner.invoke({"log": []}, config)

    g = StateGraph(State).add_sequence([("own", leaf), ("sub", inner), call, with_config]).add_edge(START, "own")
    given: list[Any] = [{}, {"run_id": "11111111-1111-1111-1111-111111111111"}, {"metadata": {"run_id": "mine"}}]
    for saver in (None, InMemorySaver()):
        for extra in given:
            app = g.compile(checkpointer=saver)
            config: Any = {"configurable": {"thread_id": "t"}, **extra}
            attempt(show, lambda app=app, config=config: app.invoke({"log": []}, config)["log"][-1])
            attempt(show, lambda app=app, config=config: asyncio.run(app.ainvoke({"log": []}, config))["log"][-1])
            show(list(seen))
            seen.clear()


def default_handler(show: Any) -> None:
    """A default handler of errors."""

    def handler(s: State, error: NodeError) -> Any:
        return {"log": [type(error.error).__name__]}

    def bad(s: State) -> Any:
        raise ValueError("x")

    g = StateGraph(State).set_node_defaults(error_handler=handler)
    g.add_node("a", bad).add_edge(START, "a")
    app = g.compile()
    show(app.invoke({"log": []}), asyncio.run(app.ainvoke({"log": []})), list(app.stream({"log": []})))


def experimental(show: Any) -> None:
    """Version 3 says that it is experimental, once of each of its parts."""
    app = two().compile()

    async def later() -> Any:
        run = await app.astream_events({"log": []}, version="v3")
        return await run.output()

    for play in (lambda: app.stream_events({"log": []}, version="v3").output, lambda: asyncio.run(later())) * 2:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            show(play())
        show([(each.category.__name__, str(each.message)) for each in heard])


def written(show: Any) -> None:
    """Runnables that write to channels, and send."""

    def of(*writes: Any) -> Any:
        step: Any = RunnableLambda(lambda x: x) | ChannelWrite(list(writes))
        node = NodeBuilder().subscribe_only("in").do(step).write_to("out").build()
        other = NodeBuilder().do(lambda x: ("other", x)).write_to("out2").build()
        channels: Any = {"in": EphemeralValue(int), "out": LastValue(int), "out2": Topic(tuple)}
        return Pregel(
            nodes={"a": node, "w": other}, channels=channels, input_channels="in", output_channels=["out", "out2"]
        ).invoke(3)

    pairs = ChannelWriteTupleEntry(lambda x: [("out2", ("t", x)), ("__pregel_tasks", Send("w", 9))])
    for writes in (
        [Send("w", 5)],
        [Send("w", 5), Send("w", 6), ChannelWriteEntry("out2", ("direct", 1))],
        [ChannelWriteEntry("__pregel_tasks", 1)],
        [pairs],
        [ChannelWriteEntry("out2"), ChannelWriteEntry("out2", None, skip_none=True)],
    ):
        attempt(show, lambda writes=writes: of(*writes))
    show(ChannelWrite([Send("w", 5)]).get_name(), ChannelWrite([ChannelWriteEntry("x", 1), Send("w", 5)]).get_name())

    def step(s: State, config: RunnableConfig) -> Any:
        ChannelWrite.do_write(config, [ChannelWriteEntry("log", ["written"]), Send("b", {"log": []})])
        return {"log": ["returned"]}

    later: Any = RunnableLambda(lambda s: {"log": ["x"]}) | ChannelWrite([Send("b", {"log": []})])
    for node in (step, later):
        g = StateGraph(State).add_node("a", node).add_node("b", lambda s: {"log": ["b"]}).add_edge(START, "a")
        app = g.compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "t"}}
        show(list(app.stream({"log": []}, config)), asyncio.run(app.ainvoke({"log": []}, config)))
        show([(each.next, each.values) for each in app.get_state_history(config)])


def joins(show: Any) -> None:
    """Drawings of joins some of whose sources are not reached."""

    def draw(names: str, edges: Any, **options: Any) -> None:
        g = StateGraph(State)
        for name in names:
            g.add_node(name, lambda s: {}, **options.get(name, {}))
        for start, end in edges:
            g.add_edge(start, end)
        drawn = g.compile().get_graph()
        show(sorted((each.source, each.target, each.conditional) for each in drawn.edges), drawn.draw_mermaid())

    draw("abc", [(START, "a"), (["a", "b"], "c")])
    draw("abcd", [(START, "a"), ("a", "b"), (["b", "d"], "c"), ("c", "d")])
    draw("abcd", [(START, "a"), (["a", "d"], "c"), (["a"], "d")])
    draw("abc", [(START, "a"), (["a", "b"], "c"), ("c", "b")])
    draw("abcx", [(START, "a"), (START, "b"), (["a", "b"], "c"), (["c", "x"], "a")])
    draw("abc", [(START, "a"), (["a", "b"], "c")], a={"destinations": ("b",)})
    draw("abc", [(START, "a"), (["a", "b"], "c")], c={"defer": True})


def parts_of_the_engine(show: Any) -> None:
    """What programs call of LangGraph's engine by itself: pure functions on checkpoints, channels and writes."""
    show(get_new_channel_versions({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 1}), get_new_channel_versions({}, {"a": 1}))
    show(is_xxh3_128_hexdigest("0" * 32), is_xxh3_128_hexdigest("x"), increment(None, None), increment(3, None))
    counter = LazyAtomicCounter()
    show(counter(), counter(), PregelTaskWrites((), "x", [("a", 1)], []))
    rules: Any = {"a": LastValue(int), "u": UntrackedValue(int)}
    show(sanitize_untracked_values_in_send(Send("n", {"a": 1, "u": 2}), rules))
    show(sanitize_untracked_values_in_send(Send("n", 5), rules))
    show(list(map_input(["a", "b"], {"a": 1, "z": 2})), list(map_input("a", 5)), list(map_input("a", None)))
    attempt(show, lambda: list(map_input(["a"], 5)))
    show(list(map_command(Command(goto="x", update={"a": 1}, resume=3))))
    show(list(map_command(Command(goto=[Send("y", 1), "z"], update=[("a", 1), ("a", 2)]))))
    attempt(show, lambda: list(map_command(Command(graph=Command.PARENT))))
    checkpoint: Any = empty_checkpoint()
    show(checkpoint_null_version(checkpoint))
    specs: Any = {"log": BinaryOperatorAggregate(list, operator.add), "n": LastValue(int), "e": EphemeralValue(int)}
    channels, managed = channels_from_checkpoint(specs, checkpoint)
    show(sorted(channels), managed, read_channels(channels, ["log", "n"]), read_channel(channels, "n"))
    show(read_channels(channels, ["log", "n"], skip_empty=False))

    def apply(*tasks: Any) -> None:
        changed = apply_writes(checkpoint, channels, tasks, increment, {"n": ["q"], "e": ["r"]})
        show(sorted(changed), checkpoint["channel_versions"], checkpoint["versions_seen"])
        show(read_channels(channels, ["log", "n", "e"]), [task.name for task in should_interrupt(checkpoint, "*", [])])

    apply(PregelTaskWrites((), "__input__", [("log", [1]), ("n", 2), ("nowhere", 3), ("e", 1)], []))
    apply(
        PregelTaskWrites(("__pregel_pull", "z"), "z", [("log", [5])], ["n"]),
        PregelTaskWrites(("__pregel_pull", "b"), "b", [("log", [6]), ("__no_writes__", None)], ["e", "log"]),
    )
    planned: Any = prepare_next_tasks(checkpoint, [], {}, channels, managed, {}, 0, -1, for_execution=False)
    show(planned)
    task: Any = PregelTaskWrites((), "x", [("log", [9]), ("n", 7)], [])
    scratch: Any = None
    for fresh in (False, True):
        show(local_read(scratch, channels, managed, task, ["log", "n"], fresh))
        show(local_read(scratch, channels, managed, task, "log", fresh))
    show(list(map_output_values(["log"], [("log", 1)], channels)), list(map_output_values("log", [("n", 1)], channels)))
    show(list(map_output_values("log", True, channels)))


def order_of_tasks(show: Any) -> None:
    """Nodes that run together begin by name, and after an edit in the order in which they were added."""
    g = StateGraph(State)
    for name in "zbya":
        g.add_node(name, lambda s, name=name: {"log": [name]})
    for name in "bya":
        g.add_edge("z", name)
    app = g.add_edge(START, "z").compile(checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "t"}}

    def run(given: Any, at: RunnableConfig = config, **options: Any) -> None:
        parts = list(app.stream(given, at, stream_mode="debug", **options))
        show([part["payload"]["name"] for part in parts if part["type"] == "task"])
        show([part["payload"]["next"] for part in parts if part["type"] == "checkpoint"])
        snapshot = app.get_state(config)
        show(snapshot.values["log"], snapshot.next, [each.name for each in snapshot.tasks])

    run({"log": []})
    run({"log": []}, interrupt_after=["z"])
    run(None)
    app.update_state(config, {"log": ["edit"]}, as_node="z")
    run(None)
    before = next(each.config for each in app.get_state_history(config) if set(each.next) == set("bya"))
    run(None, before)
