"""Retry policies: a failed node runs again, with nothing left of the attempt before."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from stepgraph import END, START, Command, RetryPolicy, Send, StateGraph, interrupt
from stepgraph.core import events as ev
from stepgraph.core.channels import LastValue
from stepgraph.core.errors import NodeCancelledError, Rejected
from stepgraph.graph.node_builder import NodeBuilder
from stepgraph.graph.pregel import Pregel
from stepgraph.graph.pregel_node import PregelNode
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
from stepgraph.run.sync import SyncDriver


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]


AT_ONCE = RetryPolicy(initial_interval=0, jitter=False)
CONFIG: Any = {"configurable": {"thread_id": "t"}}


class Flaky:
    """A node that fails the first `times` calls."""

    def __init__(self, times: int, error: type[Exception] = ConnectionError) -> None:
        self.times = times
        self.calls = 0
        self.error = error
        self.__name__ = "flaky"

    def __call__(self, state: Any) -> Any:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error(f"call {self.calls}")
        return {"log": [f"call {self.calls}"]}


def graph(node: Any, policy: Any = AT_ONCE, **options: Any) -> StateGraph:
    g = StateGraph(Log)
    g.add_node("a", node, retry_policy=policy, **options)
    g.add_node("b", lambda state: {"log": ["b"]})
    g.add_edge(START, "a")
    g.add_edge("a", "b")
    return g


def as_coroutine(node: Any) -> Any:
    async def a(state: Any) -> Any:
        return node(state)

    return a


@pytest.mark.parametrize("wrap", [lambda node: node, as_coroutine], ids=["sync", "async"])
def test_a_node_runs_again_until_it_succeeds(wrap: Any) -> None:
    node = Flaky(2)
    assert graph(wrap(node)).compile().invoke({"log": []}) == {"log": ["call 3", "b"]}


@pytest.mark.parametrize("wrap", [lambda node: node, as_coroutine], ids=["sync", "async"])
def test_also_on_a_running_loop(wrap: Any) -> None:
    run = graph(wrap(Flaky(2))).compile().ainvoke({"log": []})
    assert asyncio.run(run) == {"log": ["call 3", "b"]}


def test_the_last_error_is_raised_with_one_note_when_the_attempts_are_used_up() -> None:
    node = Flaky(9)
    with pytest.raises(ConnectionError, match="call 3") as caught:
        graph(node).compile().invoke({"log": []})
    assert node.calls == 3
    assert len([note for note in caught.value.__notes__ if "During task" in note]) == 1


def test_errors_that_no_policy_is_for_are_raised_at_once() -> None:
    node = Flaky(9, ValueError)
    with pytest.raises(ValueError, match="call 1"):
        graph(node).compile().invoke({"log": []})
    assert node.calls == 1


def test_several_policies_share_one_count_of_attempts() -> None:
    calls = Counter[str]()

    def node(state: Log) -> Any:
        calls["a"] += 1
        raise KeyError if calls["a"] % 2 else OSError

    policies = [
        AT_ONCE._replace(retry_on=KeyError, max_attempts=5),
        AT_ONCE._replace(retry_on=OSError, max_attempts=3),
    ]
    with pytest.raises(OSError):
        graph(node, policies).compile().invoke({"log": []})
    assert calls["a"] == 4  # KeyError, OSError, KeyError, and the fourth attempt is over OSError's three


def test_listeners_hear_of_each_retry_and_the_run_counts_them() -> None:
    heard: list[Any] = []
    policy = RetryPolicy(initial_interval=0.001, backoff_factor=2, jitter=False)
    engine = graph(Flaky(2), policy).compile().engine({"log": []}, {}, emit=heard.append)
    SyncDriver().run(engine.run())
    retried = [each for each in heard if isinstance(each, ev.TaskRetried)]
    assert [(each.node, each.attempt, str(each.error), each.delay) for each in retried] == [
        ("a", 1, "call 1", 0.001),
        ("a", 2, "call 2", 0.002),
    ]
    assert [each.attempt for each in heard if isinstance(each, ev.TaskStarted) and each.node == "a"] == [1, 2, 3]
    assert engine.scope.counts.retries == 2
    assert engine.scope.counts.reruns == 0


def test_a_failing_router_is_tried_again_alone() -> None:
    calls = Counter[str]()

    def node(state: Log) -> Any:
        calls["node"] += 1
        return {"log": ["a"]}

    def route(state: Log) -> str:
        calls["router"] += 1
        if calls["router"] < 3:
            raise ConnectionError("no answer")
        return END

    g = StateGraph(Log)
    g.add_node("a", node, retry_policy=AT_ONCE)
    g.add_edge(START, "a")
    g.add_conditional_edges("a", route, [END])
    assert g.compile().invoke({"log": []}) == {"log": ["a"]}
    assert calls == {"node": 1, "router": 3}


def test_answers_given_before_an_attempt_failed_are_given_again() -> None:
    calls = Counter[str]()

    def node(state: Log) -> Any:
        answer = interrupt("who?")
        calls["answered"] += 1
        if calls["answered"] < 3:
            raise ConnectionError
        return {"log": [answer, interrupt("sure?")]}

    app = graph(node).compile(MemoryCheckpointer())
    app.invoke({"log": []}, CONFIG)
    assert app.invoke(Command(resume="ana"), CONFIG)["__interrupt__"][0].value == "sure?"
    assert app.invoke(Command(resume="yes"), CONFIG) == {"log": ["ana", "yes", "b"]}
    assert calls["answered"] == 4


def test_questions_parent_commands_and_rejections_are_never_retried() -> None:
    calls = Counter[str]()
    anything = AT_ONCE._replace(retry_on=lambda error: True)

    def asks(state: Log) -> Any:
        calls["asks"] += 1
        return {"log": [interrupt("?")]}

    app = graph(asks, anything).compile(MemoryCheckpointer())
    app.invoke({"log": []}, CONFIG)
    assert calls["asks"] == 1

    def rejected(state: Log) -> Any:
        calls["rejected"] += 1
        raise Rejected("no")

    with pytest.raises(Rejected):
        graph(rejected, anything).compile().invoke({"log": []})
    assert calls["rejected"] == 1

    def up(state: Log) -> Any:
        calls["up"] += 1
        return Command(graph=Command.PARENT, update={"log": ["from inside"]})

    outer = StateGraph(Log)
    outer.add_node("child", graph(up, anything).compile())
    outer.add_edge(START, "child")
    assert outer.compile().invoke({"log": []}) == {"log": ["from inside"]}
    assert calls["up"] == 1


def test_a_subgraph_that_is_tried_again_goes_on_where_it_failed() -> None:
    calls = Counter[str]()

    def first(state: Log) -> Any:
        calls["first"] += 1
        return {"log": ["first"]}

    second = Flaky(1)
    inner = StateGraph(Log)
    inner.add_sequence([("first", first), ("second", second)])
    inner.add_edge(START, "first")
    app = graph(inner.compile()).compile(MemoryCheckpointer())
    assert app.invoke({"log": []}, CONFIG)["log"] == ["first", "call 2", "b"]
    assert (calls["first"], second.calls) == (1, 2)


SAVERS = {
    "memory": MemoryCheckpointer,
    "SQLite": lambda: SqliteCheckpointer(":memory:"),
    "LangGraph's": lambda: pytest.importorskip("langgraph.checkpoint.memory").InMemorySaver(),
}


def lone(node: Any) -> StateGraph:
    """A graph of one node that is tried again."""
    return StateGraph(Log).add_node("a", node, retry_policy=AT_ONCE).add_edge(START, "a")


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("lasting", [None, True], ids=["fresh", "lasting"])
def test_a_called_graph_that_had_ended_is_run_anew_in_the_next_attempt(
    lasting: Any, saver: str, durability: Any
) -> None:
    """With the new input, without what the failed attempt left, and with the history that it had before the task."""
    talk = lone(lambda state: {"log": [len(state["log"])]}).compile(checkpointer=lasting)
    failures: list[str] = []

    def calls(state: Log) -> Log:
        said = talk.invoke({"log": [f"{state['log'][-1]}, failed {len(failures)}"]})["log"]
        if len(failures) % 3 != 2:
            failures.append("again")
            raise ConnectionError
        failures.append("no more")
        return {"log": [said]}

    app = lone(calls).compile(checkpointer=SAVERS[saver]())
    config: Any = {"configurable": {"thread_id": "t"}}
    first = app.invoke({"log": ["one"]}, config, durability=durability)["log"][-1]
    assert first == ["one, failed 2", 1]
    second = app.invoke({"log": ["two"]}, config, durability=durability)["log"][-1]
    assert second == ([*first, "two, failed 5", 3] if lasting else ["two, failed 5", 1])


@pytest.mark.parametrize("saver", SAVERS)
@pytest.mark.parametrize("how", ["node", "called"])
def test_a_lasting_subgraph_that_failed_goes_on_in_the_next_attempt(how: str, saver: str) -> None:
    """It takes its input in once."""
    steps: list[str] = []

    def fails_every_other_time(state: Log) -> Log:
        steps.append("fails")
        if steps.count("fails") % 2:
            raise ConnectionError
        return {"log": ["over"]}

    inner = StateGraph(Log).add_node("first", lambda state: steps.append("first") or {"log": ["first"]})
    inner.add_node("second", fails_every_other_time).add_edge(START, "first").add_edge("first", "second")
    inside = inner.compile(checkpointer=True)
    app = lone(inside if how == "node" else lambda state: inside.invoke(state)).compile(checkpointer=SAVERS[saver]())
    assert app.invoke({"log": ["one"]}, CONFIG)["log"] == ["one", "one", "first", "over"]
    given = ["one", "one", "first", "over", "two"]
    assert app.invoke({"log": ["two"]}, CONFIG)["log"] == [*given, "one", "first", "over", *given, "first", "over"]
    assert steps == ["first", "fails", "fails"] * 2


def test_tasks_made_by_sends_are_retried_one_by_one() -> None:
    calls = Counter[int]()

    def work(n: int) -> Any:
        calls[n] += 1
        if calls[n] <= n:
            raise ConnectionError
        return {"log": [n]}

    g = StateGraph(Log)
    g.add_node("work", work, retry_policy=AT_ONCE)
    g.add_conditional_edges(START, lambda state: [Send("work", n) for n in (2, 0, 1)], ["work"])
    assert g.compile().invoke({"log": []}) == {"log": [2, 0, 1]}
    assert calls == {2: 3, 0: 1, 1: 2}


def test_the_default_policy_is_for_nodes_without_one_and_for_handlers() -> None:
    a, b, handler = Flaky(1), Flaky(9), Flaky(2)
    g = graph(a, None)
    g.add_node("c", b, retry_policy=AT_ONCE._replace(max_attempts=1), error_handler=handler)
    g.add_edge(START, "c")
    g.set_node_defaults(retry_policy=AT_ONCE)
    assert g.compile().invoke({"log": []})["log"] == ["call 2", "call 3", "b"]
    assert (a.calls, b.calls, handler.calls) == (2, 1, 3)


def test_defaults_are_not_for_the_nodes_of_subgraphs() -> None:
    node = Flaky(1)
    inner = StateGraph(Log)
    inner.add_node("deep", node)
    inner.add_edge(START, "deep")
    outer = StateGraph(Log)
    outer.add_node("child", inner.compile(), retry_policy=AT_ONCE._replace(max_attempts=1))
    outer.add_edge(START, "child")
    outer.set_node_defaults(retry_policy=AT_ONCE)
    with pytest.raises(ConnectionError):
        outer.compile().invoke({"log": []})
    assert node.calls == 1


@pytest.mark.parametrize("several", [False, True])
def test_the_class_of_an_installed_langgraph_is_a_policy_too(several: bool) -> None:
    from langgraph.types import RetryPolicy as Theirs

    policy: Any = Theirs(initial_interval=0, jitter=False, max_attempts=2)
    node = Flaky(2)
    g = StateGraph(Log).add_node(node, retry_policy=[policy, AT_ONCE] if several else policy).add_edge(START, "flaky")
    with pytest.raises(ConnectionError, match="call 2"):
        g.compile().invoke({"log": []})


def test_policies_that_can_be_gone_through_once_are_kept() -> None:
    node = Flaky(2)
    graph(node, (each for each in [AT_ONCE])).compile().invoke({"log": []})
    assert node.calls == 3


def test_nodes_of_graphs_of_channels_take_the_same_policies() -> None:
    class Like:
        max_attempts, initial_interval, jitter = 2, 0.0, False

    with pytest.raises(TypeError, match="retry_policy is a RetryPolicy"):
        PregelNode(channels="a", triggers=["a"], retry_policy=3)
    with pytest.raises(TypeError, match="retry_policy is a RetryPolicy"):
        NodeBuilder().add_retry_policies(3)  # type: ignore[arg-type]  # on purpose
    for policy in (AT_ONCE, Like()):
        made = NodeBuilder().subscribe_only("a").add_retry_policies(policy).do(Flaky(1)).write_to("b").build()
        app = Pregel(
            nodes={"n": made},
            channels={"a": LastValue(int), "b": LastValue(dict)},
            input_channels="a",
            output_channels="b",
        )
        assert app.invoke(1) == {"log": ["call 2"]}


async def raises_cancelled(_: Any) -> Any:
    raise asyncio.CancelledError


async def cancels_itself(_: Any) -> Any:
    current = asyncio.current_task()
    assert current is not None
    current.cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("ends", [raises_cancelled, cancels_itself])
def test_a_node_that_cancelled_itself_is_not_tried_again(ends: Any, beside: bool) -> None:
    runs: list[str] = []

    async def node(state: Log) -> Any:
        runs.append("n")
        await ends(state)

    async def waits(_: Log) -> None:
        await asyncio.sleep(0)

    g = StateGraph(Log).add_node("n", node, retry_policy=EVERYTHING).add_edge(START, "n")
    if beside:
        g.add_node("m", waits).add_edge(START, "m")
    with pytest.raises(NodeCancelledError, match="'n'"):
        asyncio.run(g.compile().ainvoke({"log": []}))
    assert runs == ["n"]


def test_a_sync_node_that_raised_cancelled_error_is_not_tried_again() -> None:
    runs: list[str] = []

    def node(_: Log) -> None:
        runs.append("n")
        raise asyncio.CancelledError

    with pytest.raises(NodeCancelledError, match="'a'"):
        graph(node, EVERYTHING).compile().invoke({"log": []})
    assert runs == ["n"]


def test_a_node_is_tried_again_whose_inner_graph_had_a_node_that_cancelled_itself() -> None:
    runs: list[str] = []

    async def inner(_: Log) -> Log:
        runs.append("inner")
        if len(runs) < 2:
            raise asyncio.CancelledError
        return {"log": ["inner"]}

    child = StateGraph(Log).add_node("inner", inner).add_edge(START, "inner").compile()
    g = StateGraph(Log).add_node("n", child, retry_policy=EVERYTHING).add_edge(START, "n")
    assert asyncio.run(g.compile().ainvoke({"log": []})) == {"log": ["inner"]}


EVERYTHING = RetryPolicy(initial_interval=0, jitter=False, retry_on=lambda _: True)
