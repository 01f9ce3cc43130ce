"""Error handlers: when a node has failed for good, its handler runs in its place, in the same superstep, once."""

from __future__ import annotations

import operator
from collections import Counter
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from stepgraph import END, START, Command, NodeError, StateGraph, interrupt
from stepgraph.core import events as ev
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]


class DearError(Exception):
    """An error of the test's own."""


def failing(state: Log) -> Any:
    raise DearError("9 euros")


def noting(state: Log, error: NodeError) -> Any:
    return {"log": [f"{error.node}: {error.error!r}"]}


def logging(name: str) -> Any:
    return lambda state: {"log": [name]}


def graph(handler: Any = noting, node: Any = failing, **options: Any) -> StateGraph:
    """START > a (fails) > b."""
    g = StateGraph(Log)
    g.add_node("a", node, error_handler=handler, **options)
    g.add_node("b", logging("b"))
    g.add_edge(START, "a")
    g.add_edge("a", "b")
    return g


CONFIG: Any = {"configurable": {"thread_id": "t"}}


def test_the_handler_runs_in_the_same_superstep_and_the_nodes_own_edges_are_not_taken() -> None:
    app = graph().compile(MemoryCheckpointer())
    assert app.invoke({"log": ["in"]}, CONFIG) == {"log": ["in", "a: DearError('9 euros')"]}
    assert [shown.metadata["step"] for shown in app.get_state_history(CONFIG)] == [1, 0, -1]


def test_it_gets_what_the_node_got_and_may_go_anywhere_by_a_command() -> None:
    def handler(state: Log, error: NodeError) -> Command[Any]:
        return Command(update={"log": [list(state["log"])]}, goto="b")

    assert graph(handler).compile().invoke({"log": ["in"]}) == {"log": ["in", ["in"], "b"]}


def test_a_handler_can_be_async_and_need_not_want_the_error() -> None:
    async def handler(state: Log) -> Any:
        return {"log": ["handled"]}

    assert graph(handler).compile().invoke({"log": []}) == {"log": ["handled"]}


def test_its_update_takes_the_place_of_the_failed_tasks_in_the_order_of_updates() -> None:
    g = graph(lambda state: {"log": ["handled"]})
    g.add_node("0", logging("0"))
    g.add_node("c", logging("c"))
    g.add_edge(START, "0")
    g.add_edge(START, "c")
    assert g.compile().invoke({"log": []})["log"] == ["0", "handled", "c"]


def test_a_failing_router_keeps_the_nodes_update_and_calls_the_handler() -> None:
    def route(state: Log) -> str:
        raise DearError("no way")

    g = StateGraph(Log)
    g.add_node("a", logging("a"), error_handler=noting)
    g.add_edge(START, "a")
    g.add_conditional_edges("a", route, [END])
    app = g.compile()
    assert app.invoke({"log": []}) == {"log": ["a", "a: DearError('no way')"]}
    assert list(app.stream({"log": []})) == [
        {"a": {"log": ["a"]}},
        {"__error_handler__a": {"log": ["a: DearError('no way')"]}},
    ]


def test_a_task_that_a_send_made_is_handled_with_its_own_input() -> None:
    from stepgraph import Send

    def work(n: int) -> Any:
        if n == 2:
            raise DearError(str(n))
        return {"log": [n]}

    g = StateGraph(Log)
    g.add_node("work", work, error_handler=lambda n: {"log": [-n]})
    g.add_conditional_edges(START, lambda state: [Send("work", 1), Send("work", 2), Send("work", 3)], ["work"])
    assert g.compile().invoke({"log": []})["log"] == [1, -2, 3]


def test_a_handler_that_fails_fails_the_run_with_its_own_error() -> None:
    def worse(state: Log, error: NodeError) -> Any:
        raise KeyError("worse") from error.error

    with pytest.raises(KeyError) as caught:
        graph(worse).compile().invoke({"log": []})
    assert isinstance(caught.value.__cause__, DearError)
    assert any("'__error_handler__a'" in note for note in caught.value.__notes__)


def test_siblings_of_a_handled_failure_go_on() -> None:
    async def slow(state: Log) -> Any:
        import asyncio

        await asyncio.sleep(0.01)
        return {"log": ["slow"]}

    g = graph()
    g.add_node("slow", slow)
    g.add_edge(START, "slow")
    assert g.compile().invoke({"log": []})["log"] == ["a: DearError('9 euros')", "slow"]


def test_a_question_is_no_failure() -> None:
    app = graph(node=lambda state: {"log": [interrupt("well?")]}).compile(MemoryCheckpointer())
    assert app.invoke({"log": []}, CONFIG)["__interrupt__"][0].value == "well?"
    assert app.invoke(Command(resume="yes"), CONFIG) == {"log": ["yes", "b"]}


@pytest.mark.parametrize("where", ["memory", "sqlite"])
def test_a_handler_that_asks_goes_on_with_the_answer_and_the_node_does_not_run_again(where: str, tmp_path: Any) -> None:
    calls: Counter[str] = Counter()

    def node(state: Log) -> Any:
        calls["node"] += 1
        raise DearError("9 euros")

    def handler(state: Log, error: NodeError) -> Any:
        calls["handler"] += 1
        return {"log": [interrupt("pay?"), str(error.error), type(error.error).__name__]}

    saver = MemoryCheckpointer() if where == "memory" else SqliteCheckpointer(str(tmp_path / "t.db"))
    app = graph(handler, node).compile(saver)
    (asked,) = app.invoke({"log": []}, CONFIG)["__interrupt__"]
    state = app.get_state(CONFIG)
    assert state.next == ("a",)
    assert state.tasks[0].error == "DearError('9 euros')"
    assert state.interrupts == state.tasks[0].interrupts == (asked,)
    assert app.invoke(Command(resume="ok"), CONFIG) == {"log": ["ok", "9 euros", "DearError"]}
    assert calls == {"node": 1, "handler": 2}
    saver.close()


def test_an_error_whose_class_is_not_loaded_becomes_a_recorded_error() -> None:
    from stepgraph.core.recovery import restored

    assert repr(restored(("h", "builtins:ValueError", "x"))) == "ValueError('x')"
    assert repr(restored(("h", "no.such.module:Odd", "x"))) == "RecordedError('Odd: x')"
    assert repr(restored(("h", "subprocess:CalledProcessError", "x"))) == "RecordedError('CalledProcessError: x')"
    assert repr(restored(("h", "os:system", "true"))) == "RecordedError('system: true')"


def test_a_handler_that_is_over_is_not_run_again_when_its_sibling_is_resumed() -> None:
    calls: Counter[str] = Counter()

    def handler(state: Log) -> Any:
        calls["handler"] += 1
        return Command(update={"log": ["handled"]}, goto="b")

    def once(state: Log) -> Any:
        calls["sibling"] += 1
        if calls["sibling"] == 1:
            raise DearError("sibling")
        return {"log": ["sibling"]}

    g = graph(handler)
    g.add_node("sibling", once)
    g.add_edge(START, "sibling")
    app = g.compile(MemoryCheckpointer())
    with pytest.raises(DearError, match="sibling"):
        app.invoke({"log": []}, CONFIG)
    live = app.get_state(CONFIG)
    assert live.values == {"log": ["handled"]}
    assert live.next == ("sibling",)
    assert app.invoke(None, CONFIG) == {"log": ["handled", "sibling", "b"]}
    assert calls == {"handler": 1, "sibling": 2}


def test_a_handler_that_was_recorded_but_had_not_begun_takes_over_on_resume() -> None:
    calls: Counter[str] = Counter()

    def handler(state: Log) -> Any:
        calls["handler"] += 1
        if calls["handler"] == 1:
            raise DearError("handler")
        return {"log": ["handled"]}

    def node(state: Log) -> Any:
        calls["node"] += 1
        raise DearError("node")

    app = graph(handler, node).compile(MemoryCheckpointer())
    with pytest.raises(DearError, match="handler"):
        app.invoke({"log": []}, CONFIG)
    assert app.invoke(None, CONFIG) == {"log": ["handled"]}
    assert calls == {"node": 1, "handler": 2}


def test_a_subgraphs_failure_reaches_the_handler_of_its_node() -> None:
    inner = StateGraph(Log)
    inner.add_node("deep", failing)
    inner.add_edge(START, "deep")
    assert graph(node=inner.compile()).compile().invoke({"log": []}) == {"log": ["a: DearError('9 euros')"]}


def test_a_graph_can_be_a_handler() -> None:
    inner = StateGraph(Log)
    inner.add_node("repair", logging("repaired"))
    inner.add_edge(START, "repair")
    assert graph(inner.compile()).compile().invoke({"log": ["in"]}) == {"log": ["in", "in", "repaired"]}


def test_the_default_handler_is_for_nodes_without_one_and_never_for_handlers() -> None:
    g = graph()
    g.add_node("other", failing)
    g.add_edge(START, "other")
    g.set_node_defaults(error_handler=lambda state: {"log": ["default"]})
    for _ in range(2):  # compiling changes nothing in the builder
        assert g.compile().invoke({"log": []})["log"] == ["a: DearError('9 euros')", "default"]

    def worse(state: Log) -> Any:
        raise KeyError("worse")

    with pytest.raises(KeyError):
        graph(worse).set_node_defaults(error_handler=noting).compile().invoke({"log": []})


def test_names_of_handlers_that_are_taken_are_refused() -> None:
    g = StateGraph(Log)
    g.add_node("__error_handler__a", logging("mine"))
    with pytest.raises(ValueError, match="Auto-generated error handler node `__error_handler__a` already exists"):
        g.add_node("a", failing, error_handler=noting)
    g.add_node("__default_error_handler__", logging("mine"))
    g.add_edge(START, "__error_handler__a")
    g.set_node_defaults(error_handler=noting)
    with pytest.raises(ValueError, match="default error handler node `__default_error_handler__` already exists"):
        g.compile()
    with pytest.raises(TypeError, match="Node '__error_handler__b' must be a function"):
        g.add_node("b", failing, error_handler=7)


def test_listeners_hear_that_the_task_failed_and_its_handler_ran() -> None:
    app = graph().compile()
    heard: list[Any] = []
    engine = app.engine({"log": []}, {}, emit=heard.append)
    from stepgraph.run.sync import SyncDriver

    SyncDriver().run(engine.run())
    told = [(type(each).__name__, each.node) for each in heard if hasattr(each, "node") and each.node != START]
    assert told == [
        ("TaskStarted", "a"),
        ("TaskFailed", "a"),
        ("TaskStarted", "__error_handler__a"),
        ("TaskFinished", "__error_handler__a"),
    ]
    assert [each.status for each in heard if isinstance(each, ev.RunFinished)] == ["done"]


def test_replaying_an_older_checkpoint_runs_the_node_again() -> None:
    calls: Counter[str] = Counter()

    def node(state: Log) -> Any:
        calls["node"] += 1
        raise DearError("9 euros")

    app = graph(node=node).compile(MemoryCheckpointer())
    app.invoke({"log": []}, CONFIG)
    (before,) = [shown.config for shown in app.get_state_history(CONFIG) if shown.next == ("a",)]
    assert app.invoke(None, before) == {"log": ["a: DearError('9 euros')"]}
    assert calls == {"node": 2}
