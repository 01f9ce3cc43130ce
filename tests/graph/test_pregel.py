"""Graphs of channels and nodes that subscribe to them."""

from __future__ import annotations

import asyncio
import logging
import operator
from typing import Any, TypedDict

import pytest

from stepgraph import (
    START,
    BinaryOperatorAggregate,
    ChannelWriteEntry,
    Command,
    CompiledStateGraph,
    EmptyInputError,
    EphemeralValue,
    GraphRecursionError,
    InvalidUpdateError,
    LastValue,
    LastValueAfterFinish,
    NamedBarrierValueAfterFinish,
    NodeBuilder,
    Pregel,
    StateGraph,
    Topic,
    interrupt,
)
from stepgraph.graph.pregel import of_all
from stepgraph.persist import MemoryCheckpointer
from stepgraph.schema.managed import IsLastStepManager


def node(source: str, action: Any, *targets: Any, **writes: Any) -> NodeBuilder:
    return NodeBuilder().subscribe_only(source).do(action).write_to(*targets, **writes)


def doubled(text: Any) -> Any:
    return text + text


def chain(**options: Any) -> Pregel:
    return Pregel(
        nodes={"one": node("a", doubled, "b"), "two": node("b", doubled, "c")},
        channels={"a": EphemeralValue(str), "b": LastValue(str), "c": LastValue(str)},
        **{"input_channels": "a", "output_channels": "c", **options},
    )


def test_a_node_runs_after_its_channel_was_written() -> None:
    assert chain().invoke("x") == "xxxx"
    assert list(chain().stream("x", stream_mode="updates")) == [{"one": {"b": "xx"}}, {"two": {"c": "xxxx"}}]


def test_streams_show_values_of_all_channels_unless_told_otherwise() -> None:
    assert list(chain().stream("x")) == [{"b": "xx"}, {"b": "xx", "c": "xxxx"}]
    assert list(chain(stream_channels="c").stream("x")) == ["xxxx"]


def test_the_result_is_the_output_when_it_was_last_written() -> None:
    app = Pregel(
        nodes={
            "grow": node(
                "text",
                lambda text: doubled(text) if len(text) < 5 else None,
                ChannelWriteEntry("text", skip_none=True),
            )
        },
        channels={"text": EphemeralValue(str)},
        input_channels=["text"],
        output_channels=["text"],
    )  # fmt: skip
    assert app.invoke({"text": "a"}) == {"text": "aaaaaaaa"}
    assert app.invoke({"text": "aaaaaa"}) is None


def test_several_nodes_write_to_one_topic_in_one_superstep() -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "all"), "two": node("a", str.upper, "all"), "count": node("all", len, "n")},
        channels={"a": EphemeralValue(str), "all": Topic(str), "n": BinaryOperatorAggregate(int, operator.add)},
        input_channels="a",
        output_channels=["n"],
    )
    assert list(app.stream("x")) == [{"all": ["xx", "X"], "n": 0}, {"n": 2}]


def test_a_channel_after_finish_is_read_once_nothing_else_is_ready() -> None:
    app = Pregel(
        nodes={
            "one": node("a", doubled, "b", late=lambda _: "one", last=str),
            "two": node("b", doubled, "c", late=lambda _: "two"),
            "both": NodeBuilder().subscribe_to("late").read_from("last", "b").do(sorted).write_to("keys"),
        },
        channels={
            **{name: LastValue(str) for name in "abc"},
            "late": NamedBarrierValueAfterFinish(str, {"one", "two"}),
            "last": LastValueAfterFinish(str),
            "keys": LastValue(list),
        },
        input_channels="a",
        output_channels=["keys", "late"],
    )
    names = [next(iter(chunk)) for chunk in app.stream("x", stream_mode="updates")]
    assert names == ["one", "two", "both"]
    assert app.invoke("x") == {"keys": ["b", "last", "late"]}


def test_managed_values_can_be_read() -> None:
    app = Pregel(
        nodes={
            "one": NodeBuilder().subscribe_to("a").read_from("is_last").do(lambda given: given["is_last"]).write_to("b")
        },
        channels={"a": LastValue(int), "b": LastValue(bool), "is_last": IsLastStepManager},
        input_channels="a",
        output_channels="b",
    )  # fmt: skip
    assert app.invoke(1) is False
    assert app.invoke(1, {"recursion_limit": 1}) is True


def test_threads_go_on_with_their_channels() -> None:
    app = Pregel(
        nodes={"add": NodeBuilder().subscribe_to("n").do(lambda given: given["n"]).write_to("sum", "log")},
        channels={
            "n": EphemeralValue(int),
            "sum": BinaryOperatorAggregate(int, operator.add),
            "log": Topic(int, accumulate=True),
        },
        input_channels="n",
        output_channels=["sum", "log"],
        checkpointer="memory://",
    )
    assert app.invoke(1, thread="t") == {"sum": 1, "log": [1]}
    assert app.invoke(2, thread="t") == {"sum": 3, "log": [1, 2]}
    history = list(app.get_state_history(thread="t"))
    assert [(each.metadata["step"], each.next) for each in history if each.metadata] == [
        (2, ()), (1, ("add",)), (0, ()), (-1, ("add",)),
    ]  # fmt: skip
    assert app.invoke(None, history[3].config) == {"sum": 1, "log": [1]}


def test_an_answer_goes_on_with_the_node_that_asked() -> None:
    app = Pregel(
        nodes={"ask": node("a", lambda text: text + interrupt("?"), "b"), "beside": node("a", doubled, "c")},
        channels={"a": EphemeralValue(str), "b": LastValue(str), "c": LastValue(str)},
        input_channels="a",
        output_channels=["b", "c"],
        checkpointer="memory://",
    )
    asked = app.invoke("x", thread="t")
    assert asked["__interrupt__"][0].value == "?"
    state = app.get_state(thread="t")
    assert (state.next, state.values) == (("ask",), {"c": "xx"})
    assert app.invoke(Command(resume="!"), thread="t") == {"b": "x!", "c": "xx"}


def test_breakpoints_stop_before_and_after_nodes() -> None:
    app = chain(checkpointer="memory://", interrupt_before_nodes=["two"], interrupt_after_nodes="*")
    assert app.invoke("x", thread="t") is None
    assert app.get_state(thread="t").next == ("two",)
    assert app.invoke(None, thread="t") == "xxxx"


def test_it_is_a_node_of_a_node_and_holds_graphs_itself() -> None:
    outer = Pregel(
        nodes={"inside": node("x", chain(), "y")},
        channels={"x": LastValue(str), "y": LastValue(str)},
        input_channels="x",
        output_channels="y",
    )
    assert outer.invoke("x") == "xxxx"
    assert [ns for ns, _ in outer.stream("x", stream_mode="updates", subgraphs=True)][-1] == ()


def test_actions_follow_one_another_sync_or_async() -> None:
    async def late(text: str) -> str:
        return text + "?"

    app = Pregel(
        nodes={"one": NodeBuilder().subscribe_only("a").do(late).do(doubled).write_to("b")},
        channels={"a": LastValue(str), "b": LastValue(str)},
        input_channels="a",
        output_channels="b",
    )
    assert asyncio.run(app.ainvoke("x")) == "x?x?"


def test_an_endless_circle_meets_the_recursion_limit() -> None:
    app = Pregel(
        nodes={"same": node("a", str, "a")}, channels={"a": LastValue(str)}, input_channels="a", output_channels="a"
    )
    with pytest.raises(GraphRecursionError, match="Recursion limit of 3"):
        app.invoke("x", {"recursion_limit": 3})


def test_two_writers_of_a_plain_channel_are_named() -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "b"), "two": node("a", doubled, "b")},
        channels={"a": LastValue(str), "b": LastValue(str)},
        input_channels="a",
        output_channels="b",
    )
    with pytest.raises(InvalidUpdateError, match=r"(?s)At key 'b'.*written by 'one', 'two'"):
        app.invoke("x")


def test_inputs_that_write_nothing_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    app = chain(input_channels=["a"])
    with pytest.raises(EmptyInputError, match="Received no input"):
        app.invoke(None)
    with pytest.raises(TypeError, match="Expected chunk to be a dict, got str"):
        app.invoke("x")
    with caplog.at_level(logging.WARNING, "stepgraph"), pytest.raises(EmptyInputError):
        app.invoke({"other": 1})
    assert "Input channel other not found in ['a']" in caplog.text


def test_a_write_to_an_unknown_channel_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    app = Pregel(
        nodes={"one": node("a", doubled, "b", "nowhere")},
        channels={"a": LastValue(str), "b": LastValue(str)},
        input_channels="a",
        output_channels="b",
    )
    with caplog.at_level(logging.WARNING, "stepgraph"):
        assert app.invoke("x") == "xx"
    assert "Node 'one' wrote to unknown channel nowhere" in caplog.text


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"channels": {"__input__": LastValue(str)}}, "Channel name '__input__' is reserved"),
        ({"nodes": {"__error__": node("a", doubled)}}, "Node name '__error__' is reserved"),
        ({"nodes": {"one": node("z", doubled)}}, "Node one reads channel 'z' not in known channels"),
        ({"nodes": {"one": NodeBuilder().subscribe_to("z", read=False)}}, "Subscribed channel 'z' not in known"),
        ({"input_channels": "z"}, "Input channel 'z' not in known channels"),
        ({"input_channels": "b"}, "Input channel b is not subscribed to by any node"),
        ({"input_channels": ["b"]}, r"None of the input channels \['b'\] are subscribed to by any node"),
        ({"output_channels": ["b", "z"]}, "Output channel 'z' not in known channels"),
        ({"interrupt_before_nodes": ["z"]}, "Node z not in nodes"),
    ],
)  # fmt: skip
def test_a_graph_that_can_t_run_is_refused(changed: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "nodes": {"one": node("a", doubled, "b")},
        "channels": {"a": LastValue(str), "b": LastValue(str)},
        "input_channels": "a",
        "output_channels": "b",
    }
    with pytest.raises(ValueError, match=message):
        Pregel(**{**given, **changed})


def test_every_runnable_graph_counts_as_a_pregel() -> None:
    builder = StateGraph(dict)
    builder.add_node("one", lambda _: None)
    builder.set_entry_point("one")
    graph = builder.compile()
    assert isinstance(graph, Pregel)
    assert issubclass(CompiledStateGraph, Pregel)
    assert isinstance(chain(), CompiledStateGraph)
    assert not isinstance(builder, Pregel)


def test_drawings_show_who_subscribes_to_what_a_node_writes() -> None:
    edges = {(edge.source, edge.target) for edge in chain().get_graph().edges}
    assert {("__start__", "one"), ("one", "two")} <= edges


def count() -> CompiledStateGraph[Any]:
    return StateGraph(dict).add_node("n", lambda x: {"n": x["n"] + 1}).add_edge("__start__", "n").compile()


def test_what_is_assigned_to_pregel_is_the_method_of_all_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As tracing libraries do; what they replaced is theirs to call, and to put back."""
    kind, seen = of_all(), []
    own = {name: getattr(kind, name) for name in ("invoke", "ainvoke", "get_state")}

    def told(name: str) -> Any:
        def method(self: Any, *args: Any, **options: Any) -> Any:
            seen.append((name, self.name))
            return own[name](self, *args, **options)

        return method

    for name in own:
        monkeypatch.setattr(kind, name, told(name))
    graph = count()
    assert graph.invoke({"n": 1}) == asyncio.run(graph.ainvoke({"n": 1})) == {"n": 2}
    assert chain(name="low").invoke("x") == "xxxx"
    assert seen == [("invoke", "LangGraph"), ("ainvoke", "LangGraph"), ("invoke", "low")]
    monkeypatch.undo()
    assert {name: getattr(kind, name) for name in own} == own
    count().invoke({"n": 1})
    assert len(seen) == 3


@pytest.mark.parametrize("again", range(2))
def test_a_replaced_stream_hears_of_invoke_too(again: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, seen = of_all(), []
    stream, astream = kind.stream, kind.astream

    def told(self: Any, *args: Any, **options: Any) -> Any:
        seen.append(options["stream_mode"])
        yield from stream(self, *args, **options)

    async def atold(self: Any, *args: Any, **options: Any) -> Any:
        seen.append(options["stream_mode"])
        async for chunk in astream(self, *args, **options):
            yield chunk

    monkeypatch.setattr(kind, "stream", told)
    monkeypatch.setattr(kind, "astream", atold)
    graph = StateGraph(dict).add_node("ask", lambda x: {"n": interrupt("n?")}).add_edge("__start__", "ask")
    asking, thread = graph.compile(checkpointer=MemoryCheckpointer()), {"configurable": {"thread_id": "t"}}
    assert asking.invoke({"n": 1}, thread)["__interrupt__"][0].value == "n?"
    assert asyncio.run(asking.ainvoke(Command(resume=5), thread)) == {"n": 5}
    assert seen == [["updates", "values"]] * 2
    assert count().invoke({"n": 1}, stream_mode="updates") == [{"n": {"n": 2}}]
    assert count().invoke({"n": 1}, version="v2").value == {"n": 2}
    monkeypatch.undo()
    assert count().invoke({"n": 1}) == {"n": 2}
    assert len(seen) == 4
    with pytest.raises(AttributeError):
        del kind.stream


def test_a_replaced_stream_changes_no_result() -> None:
    class Given(TypedDict, total=False):
        x: int
        y: int

    class Shown(TypedDict, total=False):
        y: int

    def graph(node: Any) -> Any:
        return StateGraph(Given, output_schema=Shown).add_node("a", node).add_edge(START, "a").compile()

    writing, silent = graph(lambda _: {"y": 1}), graph(lambda _: {"x": 1})
    own, before = Pregel.stream, Pregel.invoke
    Pregel.stream = lambda self, *args, **options: own(self, *args, **options)  # type: ignore[method-assign]  # as tracers do
    try:
        assert writing.invoke({"x": 2}) == {"y": 1}
        assert silent.invoke({"x": 2}) is None
    finally:
        Pregel.stream = own  # type: ignore[method-assign]  # as above
    assert (Pregel.stream, Pregel.invoke) == (own, before)


@pytest.mark.parametrize("alone", [True, False])
def test_nothing_more_for_an_accumulating_topic_is_no_write(alone: bool) -> None:
    """As in LangGraph: who listens to it is not called again."""
    heard: list[Any] = []
    nodes = {
        "one": node("a", lambda _: [1], "all", "b"),
        "two": node("b", lambda _: [], *(["all"] if alone else ["all", "c"])),
        "listens": NodeBuilder().subscribe_to("all").do(lambda found: heard.append(found["all"])),
    }
    app = Pregel(
        nodes=nodes,
        channels={"a": EphemeralValue(str), "b": EphemeralValue(list), "c": LastValue(list), "all": Topic(int, True)},
        input_channels="a",
        output_channels="all",
    )
    assert app.invoke("go") == [1]
    assert heard == [[1]]
