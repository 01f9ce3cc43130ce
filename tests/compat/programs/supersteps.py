"""The superstep's exact rules, as stored checkpoints and streams show them: versions, orders, tasks, what resumes."""

# ruff: noqa: B023  what is made in a loop runs at once

import asyncio
import operator
from typing import Annotated, Any

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict


class Log(TypedDict):
    log: Annotated[list, operator.add]
    x: int


def kind(call: Any) -> Any:
    try:
        return call()
    except BaseException as error:
        return type(error).__name__


def thread(name: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}}


def named(name: str) -> Any:
    return lambda s: {"log": [name]}


def numbers(versions: Any) -> Any:
    return {key: int(str(version).split(".")[0]) for key, version in versions.items()}


def stored(saver: Any, ns: str = "") -> list[Any]:
    found = []
    for each in reversed(list(saver.list(thread("t", checkpoint_ns=ns)))):
        cp = each.checkpoint
        found.append(
            {
                "v": cp["v"],
                "step": each.metadata["step"],
                "source": each.metadata["source"],
                "values": dict(sorted(cp["channel_values"].items())),
                "versions": dict(sorted(numbers(cp["channel_versions"]).items())),
                "seen": {key: dict(sorted(numbers(value).items())) for key, value in cp["versions_seen"].items()},
                "updated": cp["updated_channels"],
                "writes": sorted((str(channel), repr(value)) for _, channel, value in each.pending_writes),
            }
        )
    return found


def a_chain(show: Any) -> None:
    saver = InMemorySaver()
    app = (
        StateGraph(Log).add_node("a", lambda s: {"log": ["a"], "x": 1}).add_node("b", lambda s: {}).add_edge(START, "a")
    )
    app = app.add_edge("a", "b").compile(checkpointer=saver)
    app.invoke({"log": []}, thread())
    for each in stored(saver):
        show(each)
    app.invoke({"x": 5}, thread())
    for each in stored(saver)[4:]:
        show(each)
    ids = [each.checkpoint["id"] for each in saver.list(thread())]
    show(ids == sorted(ids, reverse=True), len(set(ids)))


def joins_and_deferred_nodes(show: Any) -> None:
    saver = InMemorySaver()
    g = StateGraph(Log)
    for name in ("a", "b", "b2", "c"):
        g.add_node(name, named(name))
    g.add_node("late", named("late"), defer=True).add_node("after", named("after"))
    g.add_edge(START, "a").add_edge(START, "b").add_edge("b", "b2").add_edge(["a", "b2"], "c").add_edge(
        "a", "late"
    ).add_edge("late", "after")
    app = g.compile(checkpointer=saver)
    show(*(app.invoke({"log": []}, thread(), durability="sync") for _ in range(2)))
    for each in stored(saver):
        show(each)


def orders_of_writes(show: Any) -> None:
    """By path, whoever ends first: nodes by name, then Sends by position, the 11th after the 10th."""
    delays = {"a": 0.03, "b": 0.0, "z": 0.01}

    def node(name: str) -> Any:
        async def body(s: Any) -> dict:
            await asyncio.sleep(delays[name])
            return {"log": [name]}

        return body

    async def pushed(n: Any) -> dict:
        await asyncio.sleep(0.03 if n == 0 else 0)
        return {"log": [n]}

    g = StateGraph(Log).add_node("pushed", pushed)
    for name in ("z", "b", "a"):
        g.add_node(name, node(name)).add_edge(START, name)
    app = g.add_conditional_edges(START, lambda s: [Send("pushed", n) for n in range(12)]).compile()
    show(asyncio.run(app.ainvoke({"log": []})))


def what_siblings_share(show: Any) -> None:
    """A node's input is a copy of the top level only: what is inside is shared with siblings, and with the state."""
    seen: list[Any] = []

    class State(TypedDict):
        box: dict
        plain: int
        log: Annotated[list, operator.add]

    def a(s: State) -> dict:
        s["box"]["a"] = 1
        s["plain"] = 9
        return {}

    def b(s: State) -> dict:
        seen.append((dict(s["box"]), s["plain"]))
        return {"log": [1]}

    app = StateGraph(State).add_sequence([a, b]).add_edge(START, "a").compile()
    show(app.invoke({"box": {}, "plain": 1}), seen)


def unknown_keys_of_input(show: Any) -> None:
    app = StateGraph(Log).add_node("a", named("a")).add_edge(START, "a").compile(checkpointer=InMemorySaver())
    for given in (
        {"nope": 1},
        {},
        {"log": [], "nope": 1},
        None,
        [],
        "text",
        {"log": None},
        3,
        [("log", ["pair"])],
        (("log", [1]),),
        Command(update={"nope": 1}),
    ):
        show((repr(given), kind(lambda: app.invoke(given, thread(repr(given))))))


def new_input_drops_what_waits(show: Any) -> None:
    def ask(s: Log) -> dict:
        return {"log": [interrupt("q")]}

    saver = InMemorySaver()
    g = StateGraph(Log).add_node(ask).add_node("done", named("done")).add_node("after", named("after"))
    app = g.add_edge(START, "ask").add_edge(START, "done").add_edge("done", "after").compile(checkpointer=saver)
    app.invoke({"log": ["one"]}, thread())
    app.invoke({"log": ["two"]}, thread())
    for each in stored(saver):
        show(each)
    show(app.invoke(Command(resume="yes"), thread()))
    for each in stored(saver)[2:]:
        show(each)


def failures_and_resumes(show: Any) -> None:
    calls: list[str] = []

    def flaky(s: Log) -> dict:
        calls.append("flaky")
        if calls.count("flaky") < 2:
            raise ValueError("no")
        return {"log": ["flaky"]}

    def fine(s: Log) -> dict:
        calls.append("fine")
        return {"log": ["fine"]}

    saver = InMemorySaver()
    app = StateGraph(Log).add_node(flaky).add_node(fine).add_node("end", named("end"))
    app = (
        app.add_edge(START, "flaky")
        .add_edge(START, "fine")
        .add_edge(["flaky", "fine"], "end")
        .compile(checkpointer=saver)
    )
    show(kind(lambda: app.invoke({"log": []}, thread())))
    state = app.get_state(thread())
    show(state.next, state.values, [(task.name, task.error, task.result) for task in state.tasks])
    show(app.invoke(None, thread()), calls)
    for each in stored(saver):
        show({**each, "writes": [channel for channel, _ in each["writes"]]})


def old_layouts(show: Any) -> None:
    """Checkpoints of earlier versions of LangGraph go on: edges under other names, Sends kept apart."""
    for version, versions, values, seen, sends in (
        (
            1,
            {"__start__": 2, "start:a": 2, "log": 2},
            {"log": ["old"], "start:a": "__start__"},
            {"__start__": {"__start__": 1}},
            [],
        ),
        (
            1,
            {"__start__": 2, "a": 3, "log": 3},
            {"log": ["old"], "a": "a"},
            {"__start__": {"__start__": 1}, "a": {"start:a": 2}},
            [],
        ),
        (
            2,
            {"__start__": 2, "branch:a:route:b": 3, "log": 3},
            {"log": ["old"], "branch:a:route:b": "a"},
            {"__start__": {"__start__": 1}, "a": {"start:a": 2}},
            [],
        ),
        (
            3,
            {"__start__": 2, "branch:to:b": 3, "log": 3},
            {"log": ["old"], "branch:to:b": None},
            {"__start__": {"__start__": 1}, "a": {"branch:to:a": 2}},
            [],
        ),
        (3, {"__start__": 2, "log": 3}, {"log": ["old"]}, {"__start__": {"__start__": 1}}, [Send("b", {"log": []})]),
    ):
        saver = InMemorySaver()
        g = StateGraph(Log).add_node("a", named("a")).add_node("b", named("b")).add_edge(START, "a").add_edge("a", "b")
        app = g.compile(checkpointer=saver)
        cp = {
            **empty_checkpoint(),
            "v": version,
            "channel_versions": {k: f"{v:032}.0" for k, v in versions.items()},
            "channel_values": values,
            "versions_seen": {n: {k: f"{v:032}.0" for k, v in each.items()} for n, each in seen.items()},
        }
        if sends:
            cp["pending_sends"] = sends
        cp.pop("updated_channels", None)
        config = saver.put(
            thread("t", checkpoint_ns=""), cp, {"source": "loop", "step": 1, "parents": {}}, cp["channel_versions"]
        )
        show(
            (
                version,
                kind(lambda: app.get_state(thread()).next),
                kind(lambda: app.get_state(config).values),
                kind(lambda: app.invoke(None, thread())),
            )
        )


def own_run_ids(show: Any) -> None:
    """The same run id on the same thread goes on with the run instead of taking the input."""

    def ask(s: Log) -> dict:
        return {"log": [interrupt("q")]}

    app = StateGraph(Log).add_node(ask).add_edge(START, "ask").compile(checkpointer=InMemorySaver())
    config = {**thread(), "metadata": {"run_id": "r1"}}
    show(
        app.invoke({"log": ["in"]}, config),
        app.invoke({"log": ["again"]}, config),
        app.invoke({"log": ["other"]}, {**thread(), "metadata": {"run_id": "r2"}}),
    )


def sequence_of_streams(show: Any) -> None:
    """In each superstep: checkpoint of the one before, starts, results with updates, values."""
    app = StateGraph(Log).add_node("a", named("a")).add_node("b", named("b")).add_edge(START, "a").add_edge("a", "b")
    app = app.compile(checkpointer=InMemorySaver())
    modes = ["values", "updates", "tasks", "checkpoints"]
    show(
        [
            (mode, sorted(chunk) if isinstance(chunk, dict) else chunk)
            for mode, chunk in app.stream({"log": []}, thread(), stream_mode=modes)
        ]
    )
    for mode, chunk in app.stream({"log": ["two"]}, thread(), stream_mode=["tasks", "checkpoints", "debug"]):
        chunk = {
            key: value for key, value in chunk.items() if key not in ("id", "timestamp", "config", "parent_config")
        }
        if mode == "debug":
            chunk["payload"] = sorted(chunk["payload"])
        else:
            chunk.pop("metadata", None)
            chunk["tasks"] = [(task["name"], task.get("state"), task.get("result")) for task in chunk.get("tasks", ())]
        show(mode, chunk)
