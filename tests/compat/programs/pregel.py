"""Graphs of channels and nodes, below StateGraph."""

import asyncio
import operator
from typing import Any, TypedDict

from langgraph.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
    Topic,
    UntrackedValue,
)
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import EmptyInputError, GraphRecursionError, InvalidUpdateError
from langgraph.graph import START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.pregel._write import ChannelWriteEntry
from langgraph.types import Command, RetryPolicy, Send, interrupt


def doubled(text: Any) -> Any:
    return text + text


def node(source: str, action: Any, *targets: Any, **writes: Any) -> Any:
    return NodeBuilder().subscribe_only(source).do(action).write_to(*targets, **writes)


def streams(show: Any, app: Any, given: Any, config: Any = None) -> None:
    for mode in ("values", "updates"):
        show(mode, list(app.stream(given, config, stream_mode=mode)))


def alone(show: Any) -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "b")},
        channels={"a": EphemeralValue(str), "b": EphemeralValue(str)},
        input_channels=["a"],
        output_channels=["b"],
    )
    show(app.invoke({"a": "foo"}), app.stream_mode, app.name, sorted(app.nodes), app.input_channels)
    show(list(app.stream({"a": "foo"})), isinstance(app, Pregel), app.output_channels)
    streams(show, app, {"a": "foo"})
    show(asyncio.run(app.ainvoke({"a": "foo"})))
    tasks = list(app.stream({"a": "foo"}, stream_mode="tasks"))
    show([{key: each.get(key) for key in ("name", "input", "triggers", "result", "error")} for each in tasks])


def bare_values(show: Any) -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "b"), "two": node("b", doubled, "c")},
        channels={"a": EphemeralValue(str), "b": LastValue(str), "c": EphemeralValue(str)},
        input_channels="a",
        output_channels="c",
        stream_channels="b",
    )
    show(app.invoke("x"), list(app.stream("x", stream_mode="values")))
    streams(show, app, "x")
    show(app.invoke("x", output_keys="b"), app.invoke("x", output_keys=["a", "b", "c"]))


def two_outputs(show: Any) -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "b"), "two": node("b", doubled, "c")},
        channels={"a": EphemeralValue(str), "b": LastValue(str), "c": EphemeralValue(str)},
        input_channels=["a"],
        output_channels=["b", "c"],
    )
    show(app.invoke({"a": "foo"}))
    streams(show, app, {"a": "foo"})


def fan_in(show: Any) -> None:
    for accumulate in (True, False):
        app = Pregel(
            nodes={
                "one": node("a", doubled, "b", "c"),
                "two": NodeBuilder().subscribe_to("b").do(lambda given: doubled(given["b"])).write_to("c"),
                "three": node("c", lambda items: sorted(items), seen=len),
            },
            channels={
                "a": EphemeralValue(str),
                "b": EphemeralValue(str),
                "c": Topic(str, accumulate=accumulate),
                "seen": BinaryOperatorAggregate(int, operator.add),
            },
            input_channels=["a"],
            output_channels=["c", "seen"],
        )
        show(accumulate, app.invoke({"a": "foo"}))
        streams(show, app, {"a": "foo"})


def reducers(show: Any) -> None:
    def joined(before: Any, update: Any) -> Any:
        return f"{before} | {update}" if before else update

    app = Pregel(
        nodes={"one": node("a", doubled, "b", "c"), "two": node("b", doubled, "c")},
        channels={
            "a": EphemeralValue(str),
            "b": EphemeralValue(str),
            "c": BinaryOperatorAggregate(str, operator=joined),
        },
        input_channels=["a"],
        output_channels=["c"],
    )
    show(app.invoke({"a": "foo"}))
    streams(show, app, {"a": "foo"})


def a_circle_that_ends(show: Any) -> None:
    app = Pregel(
        nodes={
            "more": node(
                "value", lambda text: doubled(text) if len(text) < 10 else None, ChannelWriteEntry("value", None, True)
            ),
            "grow": NodeBuilder()
            .subscribe_only("text")
            .do(lambda text: doubled(text) if len(text) < 10 else None)
            .write_to(ChannelWriteEntry("text", skip_none=True)),
        },
        channels={"value": EphemeralValue(str), "text": EphemeralValue(str)},
        input_channels=["text", "value"],
        output_channels=["text"],
    )
    show(app.invoke({"text": "a"}), app.invoke({"text": "a", "value": "b"}))
    streams(show, app, {"text": "a"})
    endless = Pregel(
        nodes={"same": node("text", lambda text: text, "text")},
        channels={"text": LastValue(str)},
        input_channels="text",
        output_channels="text",
    )
    try:
        endless.invoke("a", {"recursion_limit": 4})
    except GraphRecursionError:
        show("without end")


def writes_of_every_kind(show: Any) -> None:
    app = Pregel(
        nodes={
            "one": NodeBuilder()
            .subscribe_to("a")
            .read_from("old")
            .do(lambda given: sorted(given.items()))
            .do(len)
            .write_to("plain", fixed="value", mapped=lambda count: count * 10),
            "two": NodeBuilder().subscribe_to("mapped", read=False).read_from("plain", "absent").write_to("given"),
            "three": NodeBuilder().subscribe_only("fixed").write_to("passed", "nowhere"),
        },
        channels={
            name: LastValue(Any) for name in ("a", "old", "plain", "fixed", "mapped", "absent", "given", "passed")
        },
        input_channels=["a", "old"],
        output_channels=["plain", "fixed", "mapped", "given", "passed"],
    )
    show(app.invoke({"a": 1, "old": 2, "unknown": 3}))
    streams(show, app, {"a": 1})


def all_at_once(show: Any) -> None:
    app = Pregel(
        nodes={
            "one": node("a", lambda value: value + 1, "last"),
            "two": node("a", lambda value: value + 2, "last"),
        },
        channels={"a": EphemeralValue(int), "last": LastValue(int)},
        input_channels="a",
        output_channels="last",
    )
    try:
        app.invoke(1)
    except InvalidUpdateError as error:
        show("Can receive only one value per step" in str(error))
    app = Pregel(
        nodes={"one": node("a", lambda value: value + 1, "any"), "two": node("a", lambda value: value + 2, "any")},
        channels={"a": EphemeralValue(int), "any": AnyValue(int)},
        input_channels="a",
        output_channels="any",
    )
    show(app.invoke(1))


def what_waits_for_the_end(show: Any) -> None:
    app = Pregel(
        nodes={
            "one": node("a", lambda text: text + "1", "b", late=lambda text: text),
            "two": node("b", lambda text: text + "2", "c"),
            "last": node("late", lambda text: text + "!", "d"),
        },
        channels={
            "a": EphemeralValue(str),
            "b": LastValue(str),
            "c": LastValue(str),
            "late": LastValueAfterFinish(str),
            "d": LastValue(str),
        },
        input_channels="a",
        output_channels=["b", "c", "d", "late"],
    )
    show(app.invoke("x"))
    streams(show, app, "x")


def barriers(show: Any) -> None:
    for kind in (NamedBarrierValue, NamedBarrierValueAfterFinish):
        app = Pregel(
            nodes={
                "one": node("a", doubled, "b", gate=lambda _: "one"),
                "two": node("b", doubled, "c", gate=lambda _: "two"),
                "three": node("c", doubled, "d"),
                "both": NodeBuilder().subscribe_to("gate").read_from("b").do(lambda given: given).write_to("joined"),
            },
            channels={
                **{name: LastValue(str) for name in ("a", "b", "c", "d")},
                "gate": kind(str, {"one", "two"}),
                "joined": Topic(dict, accumulate=True),
            },
            input_channels="a",
            output_channels=["d", "joined"],
            checkpointer=InMemorySaver(),
        )
        config: Any = {"configurable": {"thread_id": "1"}}
        show(app.invoke("x", config))
        show([(each.metadata["step"], each.next, each.values) for each in app.get_state_history(config)])
        show(app.invoke("y", config))


def nothing_given(show: Any) -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "b"), "quiet": NodeBuilder().subscribe_only("q")},
        channels={"a": LastValue(str), "b": LastValue(str), "q": LastValue(str)},
        input_channels=["a", "q"],
        output_channels=["b"],
    )
    show(app.invoke({"q": "x"}), list(app.stream({"q": "x"})))
    for given in (None, {}, {"other": 1}, "text"):
        try:
            show(app.invoke(given))
        except Exception as error:
            show(type(error).__name__)


def threads(show: Any) -> None:
    app = Pregel(
        nodes={
            "one": NodeBuilder()
            .subscribe_to("a")
            .read_from("total")
            .do(lambda given: sum(given.values()))
            .write_to("b"),
            "two": node("b", lambda value: value + 100, "total"),
        },
        channels={
            "a": LastValue(int),
            "b": EphemeralValue(int),
            "total": BinaryOperatorAggregate(int, operator.add),
            "hidden": UntrackedValue(int),
        },
        input_channels="a",
        output_channels="total",
        checkpointer=InMemorySaver(),
    )
    config: Any = {"configurable": {"thread_id": "1"}}
    show(app.invoke(1, config), app.invoke(2, config), app.get_state(config).values)
    for each in app.get_state_history(config):
        tasks = [(task.name, task.result) for task in each.tasks]
        show(each.metadata["source"], each.metadata["step"], each.values, each.next, tasks)
    history = list(app.get_state_history(config))
    show(app.invoke(None, history[2].config))
    app.update_state(config, 5, as_node="one")
    show(app.get_state(config).next, app.get_state(config).values, app.invoke(None, config))
    try:
        app.update_state(config, 5, as_node="none")
    except InvalidUpdateError:
        show("no such node")


def stopped(show: Any) -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "b"), "two": node("b", doubled, "c"), "three": node("c", doubled, "d")},
        channels={name: LastValue(str) for name in "abcd"},
        input_channels="a",
        output_channels="d",
        checkpointer=InMemorySaver(),
        interrupt_before_nodes=["two"],
        interrupt_after_nodes=["two"],
    )
    config: Any = {"configurable": {"thread_id": "1"}}
    show(app.invoke("x", config), app.get_state(config).next, app.get_state(config).values)
    show(list(app.stream(None, config)), app.get_state(config).next)
    show(app.invoke(None, config), app.get_state(config).next)
    config = {"configurable": {"thread_id": "2"}}
    show(app.invoke("x", config), app.invoke("new", config), app.get_state(config).values, app.get_state(config).next)


def asked(show: Any) -> None:
    def ask(text: str) -> str:
        return text + str(interrupt("more?"))

    app = Pregel(
        nodes={"one": node("a", ask, "b"), "two": node("b", doubled, "c"), "beside": node("a", doubled, "other")},
        channels={"a": EphemeralValue(str), **{name: LastValue(str) for name in ("b", "c", "other")}},
        input_channels=["a"],
        output_channels=["c", "other"],
        checkpointer=InMemorySaver(),
    )
    config: Any = {"configurable": {"thread_id": "1"}}
    result = app.invoke({"a": "x"}, config)
    show([each.value for each in result["__interrupt__"]], {key: result[key] for key in result if key[0] != "_"})
    show(app.get_state(config).next, app.get_state(config).values)
    show(app.invoke(Command(resume="!"), config), app.get_state(config).values)


def inside_one_another(show: Any) -> None:
    inner = Pregel(
        nodes={"inner": node("a", doubled, "b")},
        channels={"a": EphemeralValue(str), "b": LastValue(str)},
        input_channels="a",
        output_channels="b",
    )
    app = Pregel(
        nodes={"outer": node("x", inner, "y"), "after": node("y", lambda text: text + "!", "z")},
        channels={name: LastValue(str) for name in "xyz"},
        input_channels="x",
        output_channels="z",
    )
    show(app.invoke("t"), [chunk[1] for chunk in app.stream("t", stream_mode="updates", subgraphs=True)])
    show(asyncio.run(app.ainvoke("t")))

    class State(TypedDict):
        a: str
        b: str

    low = Pregel(
        nodes={"low": node("a", doubled, "b")},
        channels={"a": EphemeralValue(str), "b": LastValue(str)},
        input_channels=["a"],
        output_channels=["b"],
    )
    builder = StateGraph(State)
    builder.add_node("low", low)
    builder.add_edge(START, "low")
    show(builder.compile().invoke({"a": "s"}))
    graph = builder.compile()
    show(isinstance(graph, Pregel), isinstance(3, Pregel), issubclass(type(graph), Pregel))
    app = Pregel(
        nodes={"graph": node("x", graph, "y")},
        channels={"x": LastValue(dict), "y": LastValue(dict)},
        input_channels="x",
        output_channels="y",
    )
    show(app.invoke({"a": "u"}))


def async_and_again(show: Any) -> None:
    calls = []

    async def late(text: str) -> str:
        return text + "?"

    def fails_once(text: str) -> str:
        calls.append(text)
        if len(calls) < 2:
            raise ConnectionError("again")
        return text

    app = Pregel(
        nodes={
            "one": NodeBuilder().subscribe_only("a").do(late).do(doubled).write_to("b").meta("tag", note=1),
            "two": node("b", fails_once, "c").add_retry_policies(RetryPolicy(initial_interval=0.001, jitter=False)),
        },
        channels={name: LastValue(str) for name in "abc"},
        input_channels="a",
        output_channels="c",
    )
    show(asyncio.run(app.ainvoke("x")), len(calls))


def sends(show: Any) -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "b", Send("two", "sent")), "two": node("c", doubled, "d")},
        channels={name: LastValue(str) for name in "abcd"},
        input_channels="a",
        output_channels=["b", "d"],
    )
    show(app.invoke("x"))


def refused(show: Any) -> None:
    ab: Any = {"a": LastValue(str), "b": LastValue(str)}
    one: Any = {"one": node("a", doubled, "b")}
    cases: list[dict[str, Any]] = [
        {"channels": {**ab, "__input__": LastValue(str)}},
        {"nodes": {"__error__": one["one"]}},
        {"nodes": {"one": node("x", doubled, "b")}},
        {"nodes": {"one": NodeBuilder().subscribe_to("x", read=False)}},
        {"nodes": {"one": NodeBuilder().subscribe_to("a").read_from("x")}},
        {"input_channels": "x"},
        {"input_channels": "b"},
        {"input_channels": ["x"]},
        {"input_channels": ["b"]},
        {"output_channels": "x"},
        {"output_channels": ["a", "x"]},
        {"stream_channels": ["x"]},
        {"interrupt_before_nodes": ["x"]},
        {"interrupt_after_nodes": ["x"]},
        {"interrupt_after_nodes": "*"},
        {"checkpointer": 3},
    ]
    for case in cases:
        try:
            Pregel(**{"nodes": one, "channels": ab, "input_channels": "a", "output_channels": "b", **case})
            show(sorted(case), "fine")
        except Exception as error:
            show(sorted(case), type(error).__name__)
    for wrong in (
        lambda: NodeBuilder().subscribe_only("a").subscribe_only("b"),
        lambda: NodeBuilder().subscribe_only("a").subscribe_to("b"),
        lambda: NodeBuilder().subscribe_only("a").read_from("b"),
    ):
        try:
            wrong()
        except Exception as error:
            show(type(error).__name__, str(error))


def types_and_drawings(show: Any) -> None:
    lone = {"one": node("text", doubled, "twice"), "two": node("twice", doubled, "again")}
    channels = {"text": EphemeralValue(str), "twice": LastValue(str), "again": Topic(str)}
    for given, inputs, outputs in (
        (lone, "text", "again"),
        (lone, ["text"], ["again", "twice"]),
        (lone, ["text", "twice"], "twice"),
    ):
        app = Pregel(nodes=given, channels=channels, input_channels=inputs, output_channels=outputs, name="drawn")
        show(app.InputType, app.OutputType, app.get_input_jsonschema(), app.get_output_jsonschema())
        show(app.get_input_schema().model_json_schema(), app.get_output_schema().model_json_schema())
        show(app.retry_policy, app.cache_policy)
        if isinstance(inputs, str):  # LangGraph draws no others
            show(app.get_graph().draw_mermaid(), app.get_graph().to_json())
        try:
            app.invoke(None)
        except EmptyInputError as error:
            show(str(error).split(":")[0])


def chunks_of_the_output(show: Any) -> None:
    for outputs in ("twice", ["twice"], ["again", "twice"]):
        app = Pregel(
            nodes={"one": node("text", doubled, "twice"), "two": node("twice", doubled, "again")},
            channels={"text": EphemeralValue(str), "twice": LastValue(str), "again": Topic(str)},
            input_channels="text",
            output_channels=outputs,
        )
        for mode in ("values", "updates", "tasks", "debug", ["values", "updates"]):
            if mode != "debug":
                show(mode, app.invoke("a", stream_mode=mode))
            show(mode, len(app.invoke("a", stream_mode=mode)), list(app.stream("a", stream_mode="updates")))
