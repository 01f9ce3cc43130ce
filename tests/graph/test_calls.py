"""The options of invoke, ainvoke, stream and astream: one list, nothing swallowed, and what each shows."""

from __future__ import annotations

import asyncio
import inspect
import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

import pytest
from pydantic import BaseModel

from stepgraph import START, GraphOutput, StateGraph, get_config, interrupt
from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10, LangGraphDeprecatedSinceV11
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    x: int


class Model(BaseModel):
    log: Annotated[list[str], operator.add] = []
    x: int = 0


@dataclass
class Data:
    log: Annotated[list[str], operator.add] = field(default_factory=list)
    x: int = 0


def app(schema: Any = State, **options: Any) -> CompiledStateGraph:
    """a, then b."""
    g = StateGraph(schema)
    g.add_node("a", lambda state: {"log": ["a"]})
    g.add_node("b", lambda state: {"log": ["b"], "x": 1})
    g.add_edge(START, "a")
    g.add_edge("a", "b")
    return g.compile(**options)


def asking() -> CompiledStateGraph:
    """One node that asks and keeps the answer."""
    g = StateGraph(State)
    g.add_node("ask", lambda state: {"log": [interrupt("which?")]})
    g.add_edge(START, "ask")
    return g.compile(checkpointer=MemoryCheckpointer())


def call(graph: CompiledStateGraph, way: str, input: Any, **options: Any) -> Any:
    """The result or the chunks of a call."""

    async def collect() -> list[Any]:
        return [chunk async for chunk in graph.astream(input, **options)]

    match way:
        case "invoke":
            return graph.invoke(input, **options)
        case "ainvoke":
            return asyncio.run(graph.ainvoke(input, **options))
        case "stream":
            return list(graph.stream(input, **options))
        case _:
            return asyncio.run(collect())


WAYS = pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
RESULTS = pytest.mark.parametrize("way", ["invoke", "ainvoke"])
STREAMS = pytest.mark.parametrize("way", ["stream", "astream"])
LANGGRAPH = {
    "context", "stream_mode", "print_mode", "output_keys", "interrupt_before", "interrupt_after", "durability",
    "control", "subgraphs", "debug", "version",
}  # fmt: skip


@WAYS
def test_an_unknown_option_is_refused_and_a_near_one_offered(way: str) -> None:
    with pytest.raises(TypeError, match=rf"{way}\(\) got an unexpected keyword argument 'stream_modes'") as error:
        call(app(), way, {"log": []}, stream_modes="values")
    assert "Did you mean 'stream_mode'?" in str(error.value)


@WAYS
def test_the_options_can_be_seen_in_the_signature(way: str) -> None:
    parameters = inspect.signature(getattr(app(), way)).parameters
    assert set(parameters) == {"input", "config", "thread", *LANGGRAPH}
    assert parameters["version"].default == "v1"


@WAYS
def test_a_bad_version_or_durability_is_refused(way: str) -> None:
    with pytest.raises(ValueError, match="version='v4'; the versions are 'v1' and 'v2'"):
        call(app(), way, {"log": []}, version="v4")
    with pytest.raises(ValueError, match="durability='never'"):
        call(app(), way, {"log": []}, durability="never")


@WAYS
def test_durability_without_a_checkpointer_warns(way: str) -> None:
    with pytest.warns(UserWarning, match="`durability` has no effect when no checkpointer is present"):
        call(app(), way, {"log": []}, durability="sync")


@WAYS
def test_checkpoint_during_is_durability_under_its_old_name(way: str) -> None:
    graph = app(checkpointer=MemoryCheckpointer())
    with pytest.warns(LangGraphDeprecatedSinceV10, match="Please use `durability` instead"):
        call(graph, way, {"log": []}, thread="t", checkpoint_during=False)
    assert len(list(graph.get_state_history(thread="t"))) == 1
    with (
        pytest.warns(LangGraphDeprecatedSinceV10),
        pytest.raises(ValueError, match="both `checkpoint_during` and `durability`"),
    ):
        call(graph, way, {"log": []}, thread="t", checkpoint_during=True, durability="sync")


@WAYS
def test_print_mode_prints_and_changes_nothing(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    plain = call(app(), way, {"log": []})
    assert capsys.readouterr().out == ""
    assert call(app(), way, {"log": []}, print_mode="updates") == plain
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if "[updates]" in line and "'a'" in line]
    assert "[values]" not in out


@WAYS
def test_debug_prints_updates_and_values(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    call(app(), way, {"log": []}, debug=True)
    called = capsys.readouterr().out
    call(app(debug=True), way, {"log": []})
    assert called == capsys.readouterr().out
    assert "[updates]" in called
    assert "[values]" in called


@RESULTS
def test_v2_gives_the_result_and_the_questions_apart(way: str) -> None:
    found = call(app(), way, {"log": []}, version="v2")
    assert found == GraphOutput({"log": ["a", "b"], "x": 1}, ())
    asked = call(asking(), way, {"log": ["in"]}, thread="t", version="v2")
    assert asked.value == {"log": ["in"]}
    assert [each.value for each in asked.interrupts] == ["which?"]


@RESULTS
@pytest.mark.parametrize("schema", [Model, Data])
def test_v2_gives_an_object_of_the_schema(way: str, schema: Any) -> None:
    found = call(app(schema), way, {"log": []}, version="v2")
    assert found.value == schema(log=["a", "b"], x=1)


@RESULTS
def test_the_items_of_a_v2_result_are_deprecated(way: str) -> None:
    found = call(app(Model), way, {"log": []}, version="v2")
    with pytest.warns(LangGraphDeprecatedSinceV11, match=r"result\[key\]"):
        assert found["x"] == 1
    with pytest.warns(LangGraphDeprecatedSinceV11), pytest.raises(KeyError):
        found["y"]
    with pytest.warns(LangGraphDeprecatedSinceV11, match="key in result"):
        assert "x" in found
    with pytest.warns(LangGraphDeprecatedSinceV11):
        assert "__interrupt__" not in found


@RESULTS
def test_a_result_in_another_mode_is_the_list_of_chunks(way: str) -> None:
    assert call(app(), way, {"log": []}, stream_mode="updates") == [
        {"a": {"log": ["a"]}},
        {"b": {"log": ["b"], "x": 1}},
    ]
    assert call(app(), way, {"log": []}, stream_mode="updates", version="v2")[0] == {
        "type": "updates",
        "ns": (),
        "data": {"a": {"log": ["a"]}},
    }


@STREAMS
def test_v2_chunks_are_dicts_for_one_mode_and_for_several(way: str) -> None:
    for modes in ("values", ["values", "updates"]):
        found = call(app(), way, {"log": []}, stream_mode=modes, version="v2")
        assert found[0] == {"type": "values", "ns": (), "data": {"log": []}, "interrupts": ()}


@STREAMS
def test_v2_values_have_the_questions_beside_them(way: str) -> None:
    *_, last = call(asking(), way, {"log": ["in"]}, thread="t", stream_mode="values", version="v2")
    assert last["data"] == {"log": ["in"]}
    assert [each.value for each in last["interrupts"]] == ["which?"]


@STREAMS
def test_v2_checkpoints_hold_objects_once_the_input_is_in(way: str) -> None:
    graph = app(Model, checkpointer=MemoryCheckpointer())
    found = call(graph, way, {"log": ["in"]}, thread="t", stream_mode=["checkpoints", "debug"], version="v2")
    values = [each["data"]["values"] for each in found if each["type"] == "checkpoints"]
    wrapped = [
        each["data"]["payload"]["values"]
        for each in found
        if each["type"] == "debug" and each["data"]["type"] == "checkpoint"
    ]
    assert isinstance(values[0], dict)
    assert values[1:] == [Model(log=["in"]), Model(log=["in", "a"]), Model(log=["in", "a", "b"], x=1)]
    assert values == wrapped


def test_a_graph_called_with_a_nodes_config_streams_values() -> None:
    inner = app()
    seen: dict[str, list[Any]] = {}

    def node(state: State) -> State:
        seen["with"] = list(inner.stream({"log": []}, get_config()))
        seen["without"] = list(inner.stream({"log": []}))
        return {}

    g = StateGraph(State)
    g.add_node("node", node)
    g.add_edge(START, "node")
    g.compile().invoke({"log": []})

    assert seen["with"][-1] == {"log": ["a", "b"], "x": 1}
    assert seen["without"] == [{"a": {"log": ["a"]}}, {"b": {"log": ["b"], "x": 1}}]


def test_breakpoints_of_a_call_reach_a_graph_called_by_a_node() -> None:
    inner = app()
    g = StateGraph(State)
    g.add_node("node", lambda state: inner.invoke(state, interrupt_before="b"))
    g.add_edge(START, "node")
    graph = g.compile(checkpointer=MemoryCheckpointer())

    graph.invoke({"log": []}, thread="t")

    assert graph.get_state(thread="t").next == ("node",)


def test_what_is_printed_of_a_graph_inside(capsys: pytest.CaptureFixture[str]) -> None:
    inner = StateGraph(State).add_node("b", lambda state: {"log": ["b"]}).add_edge(START, "b").compile()
    outer = StateGraph(State).add_node("child", inner).add_edge(START, "child").compile()
    list(outer.stream({"log": []}, print_mode="updates", subgraphs=True))
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("\033[1m[updates]\033[0m \033[1;30;33m[graph=('child:")
    assert first.endswith(")]\033[0m {'b': {'log': ['b']}}")


@WAYS
def test_a_failure_shows_itself_with_a_durability_that_has_no_effect(way: str) -> None:
    def fails(state: State) -> None:
        raise ValueError("the node's own")

    graph = StateGraph(State).add_node("a", fails).add_edge(START, "a").compile()
    for durability in ("sync", "async", "exit"):
        with pytest.warns(UserWarning, match="no effect"), pytest.raises(ValueError, match="the node's own"):
            call(graph, way, {"log": []}, durability=durability)


@pytest.mark.parametrize("keys", [None, "x", ["x"]])
@pytest.mark.parametrize("saver", [None, MemoryCheckpointer], ids=["no saver", "saver"])
def test_a_run_that_writes_no_key_of_the_result_returns_none(saver: Any, keys: Any) -> None:
    class Said(TypedDict):
        x: int

    g = StateGraph(State, output_schema=Said)
    g.add_node("a", lambda state: {"x": 1} if "write" in state["log"][-1:] else None)
    g.add_edge(START, "a")
    graph = g.compile(checkpointer=saver and saver())
    told: Any = {} if keys is None else {"output_keys": keys}

    def result(given: str) -> Any:
        return graph.invoke({"log": [given]}, thread="t", **told)

    said = 1 if keys == "x" else {"x": 1}
    assert [result("no"), result("write"), result("no"), result("write")] == [None, said, None, said]
    if saver is not None:
        assert graph.invoke(None, thread="t", **told) == said
