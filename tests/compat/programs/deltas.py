"""DeltaChannels: handled directly, with messages, and what savers hold of them."""

from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph._internal._typing import MISSING
from langgraph.channels import DeltaChannel
from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.errors import InvalidUpdateError
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import _messages_delta_reducer
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, Overwrite


def fold(state: list, writes: Sequence[Any]) -> list:
    return [*state, *(item for write in writes for item in write)]


def thread(name: str = "1") -> Any:
    return {"configurable": {"thread_id": name}}


def held(saver: Any, key: str, config: Any = None) -> list[Any]:
    """What each checkpoint holds of a channel, and what is stored on it, oldest first."""
    return [
        (
            each.metadata["step"],
            each.metadata.get("counters_since_delta_snapshot"),
            repr(each.checkpoint["channel_values"].get(key)),
            [(channel, value) for _, channel, value in each.pending_writes if channel == key],
        )
        for each in reversed(list(saver.list(config or thread())))
    ]


def a_channel_by_itself(show: Any) -> None:
    channel = DeltaChannel(fold, list).from_checkpoint(MISSING)
    show(channel.get(), channel.is_available(), channel.update([]), channel.update([["a"], ["b"]]), channel.get())
    show(channel.checkpoint() is MISSING, channel.ValueType, channel.UpdateType)
    channel.replay_writes([("t", "k", ["c"]), ("t", "k", Overwrite(["d"])), ("t", "k", ["e"])])
    show(channel.get(), channel.copy().get())
    show(channel.from_checkpoint(_DeltaSnapshot(["s"])).get(), channel.from_checkpoint(["plain"]).get())
    show(channel.update([["f"], Overwrite(["g"]), ["h"]]), channel.get())
    try:
        channel.update([Overwrite(["g"]), Overwrite(["h"])])
    except InvalidUpdateError as error:
        show("only one Overwrite" in str(error))
    show(channel.update([Overwrite(None)]), channel.get())
    show(BinaryOperatorAggregate(list, fold).from_checkpoint(_DeltaSnapshot([1])).get())


def messages_get_ids(show: Any) -> None:
    """All forms of messages; the same ids on every read."""

    class State(TypedDict):
        messages: Annotated[list, DeltaChannel(_messages_delta_reducer)]
        other: Annotated[list, DeltaChannel(fold)]

    given = AIMessage("object")

    def speak(s: State) -> Any:
        return {
            "messages": ["text", ("ai", "pair"), {"role": "user", "content": "dict"}, given],
            "other": [HumanMessage("whole"), {"role": "user", "content": "role"}, {"role": "cook"}, "text"],
        }

    def revise(s: State) -> Any:
        first = s["messages"][0]
        return Command(
            update={"messages": [RemoveMessage(first.id), HumanMessage("new", id=s["messages"][1].id)]}, goto="last"
        )

    def last(s: State) -> Any:
        return {"messages": RemoveMessage("nobody")}

    g = StateGraph(State).add_node(speak).add_node(revise, destinations=("last",)).add_node(last)
    g.add_edge(START, "speak").add_edge("speak", "revise").add_edge("last", END)
    for saver in (None, InMemorySaver()):
        app = g.compile(checkpointer=saver)
        result = app.invoke({"messages": "hello"}, thread())
        show([(type(each).__name__, each.content, bool(each.id)) for each in result["messages"]])
        show([(type(each).__name__, bool(getattr(each, "id", None))) for each in result["other"]], bool(given.id))
        if saver is not None:
            ids = [each.id for each in result["messages"]]
            show([each.id for each in app.get_state(thread()).values["messages"]] == ids)
            app.update_state(thread(), {"messages": [{"role": "user", "content": "by hand"}]}, as_node="last")
            once, twice = (app.get_state(thread()).values["messages"][-1].id for _ in range(2))
            show(once == twice, bool(once))


def what_savers_hold(show: Any) -> None:
    class State(TypedDict):
        log: Annotated[list, DeltaChannel(fold, snapshot_frequency=2)]
        n: int

    g = StateGraph(State).add_node("a", lambda s: {"log": [len(s["log"])], "n": 1})
    g.add_node("b", lambda s: {"n": 2}).add_edge(START, "a").add_edge("a", "b")
    saver = InMemorySaver()
    app = g.compile(checkpointer=saver)
    for n in range(3):
        app.invoke({"log": [f"in {n}"]}, thread(), durability="sync")
    app.update_state(thread(), {"log": ["edit"]}, as_node="a")
    show(*held(saver, "log"))
    histories = saver.get_delta_channel_history(config=saver.get_tuple(thread()).config, channels=["log"])
    show({key: ([value for _, _, value in each["writes"]], each.get("seed")) for key, each in histories.items()})
    app.invoke({"log": ["x"]}, thread("exit"), durability="exit")
    app.invoke({"log": ["y"]}, thread("exit"), durability="exit")
    show(*held(saver, "log", thread("exit")), app.get_state(thread("exit")).values)


def input_channels(show: Any) -> None:
    """Graphs whose input is a DeltaChannel."""

    def built(saver: Any, frequency: int) -> Any:
        return Pregel(
            nodes={
                "one": NodeBuilder()
                .subscribe_to("log", read=True)
                .do(lambda s: [f"one {len(s['log'])}"])
                .write_to("out"),
                "two": NodeBuilder().subscribe_only("out").do(lambda s: s[-1:]).write_to("end"),
            },
            channels={
                "log": DeltaChannel(fold, list, snapshot_frequency=frequency),
                "out": DeltaChannel(fold, list, snapshot_frequency=frequency),
                "end": DeltaChannel(fold, list),
            },
            input_channels=["log"],
            output_channels=["log", "out", "end"],
            checkpointer=saver,
        )

    for frequency in (1, 2, 100):
        saver = InMemorySaver()
        app = built(saver, frequency)
        for n in range(3):
            show(app.invoke({"log": [n]}, thread(), durability="sync"))
        past = list(app.get_state_history(thread()))
        show(app.invoke({"log": ["past"]}, past[3].config), app.invoke(None, past[4].config))
        app.update_state(thread(), {"log": ["as input"]}, as_node="__input__")
        show(app.get_state(thread()).values, app.invoke({"log": ["end"]}, thread(), durability="exit"))
        show(*(held(saver, key) for key in ("log", "out", "end")))
        show([each.values for each in app.get_state_history(thread())])


def a_key_becomes_one(show: Any) -> None:
    """A thread of an ordinary reducer goes on with a DeltaChannel, and back."""
    import operator

    def built(kind: Any, saver: Any) -> Any:
        class State(TypedDict):
            log: Annotated[list, kind]

        g = StateGraph(State).add_node("a", lambda s: {"log": [len(s["log"])]}).add_edge(START, "a")
        return g.compile(checkpointer=saver)

    for make in (InMemorySaver, lambda: SqliteSaver.from_conn_string(":memory:")):
        saver = make()
        if not isinstance(saver, InMemorySaver):
            manager = saver
            saver = manager.__enter__()
        for kind in (operator.add, DeltaChannel(fold), DeltaChannel(fold, snapshot_frequency=1), operator.add):
            app = built(kind, saver)
            show(app.invoke({"log": ["in"]}, thread()), app.get_state(thread()).values)
            app.update_state(thread(), {"log": ["edit"]})
        show([each.values for each in app.get_state_history(thread())])
        if not isinstance(saver, InMemorySaver):
            manager.__exit__(None, None, None)


def in_a_file_read_by_async_code(show: Any) -> None:
    import asyncio

    class State(TypedDict):
        log: Annotated[list, DeltaChannel(fold, snapshot_frequency=3)]

    async def a(s: State) -> Any:
        return {"log": [f"a{len(s['log'])}"]}

    g = StateGraph(State).add_node(a).add_node("b", lambda s: {"log": ["b"]})
    g.add_edge(START, "a").add_edge("a", "b")

    async def main() -> None:
        async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
            app = g.compile(checkpointer=saver)
            for n in range(3):
                show(await app.ainvoke({"log": [n]}, thread()))
            states = [each async for each in app.aget_state_history(thread())]
            show(
                [each.values for each in states],
                [each.metadata.get("counters_since_delta_snapshot") for each in states],
            )
            show(await app.ainvoke(None, states[3].config), (await app.aget_state(thread())).values)
            await app.aupdate_state(states[2].config, {"log": ["fork"]}, as_node="a")
            show(await app.ainvoke(None, thread()))
            async for chunk in app.astream({"log": ["exit"]}, thread("exit"), durability="exit"):
                show(chunk)
            show([each.values async for each in app.aget_state_history(thread("exit"))])

    asyncio.run(main())
