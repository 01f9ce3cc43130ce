"""Limits and ends: timeouts of nodes and supersteps, the recursion limit, draining, cancellation."""

from __future__ import annotations

import asyncio
import operator
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from stepgraph import (
    END,
    START,
    Command,
    GraphDrained,
    GraphRecursionError,
    NodeCancelledError,
    NodeError,
    NodeTimeoutError,
    RetryPolicy,
    RunControl,
    Send,
    StateGraph,
    TimeoutPolicy,
    get_stream_writer,
)
from stepgraph.core.types import sent
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]


CONFIG: Any = {"configurable": {"thread_id": "t"}}
LONG = 30.0
"""Seconds that nothing here ever takes."""
SOON = 0.6
"""Seconds in which whatever does not wait is done, however busy the machine is."""


async def forever(state: Any) -> Any:
    await asyncio.sleep(LONG)


def graph(node: Any, **options: Any) -> StateGraph:
    g = StateGraph(Log)
    g.add_node("a", node, **options)
    g.add_edge(START, "a")
    return g


class TestTimeouts:
    @pytest.mark.parametrize("timeout", [0.2, TimeoutPolicy(run_timeout=0.2), TimeoutPolicy(idle_timeout=0.2)])
    def test_an_attempt_that_takes_too_long_is_cancelled(self, timeout: Any) -> None:
        ends: list[str] = []

        async def slow(state: Log) -> Any:
            try:
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                ends.append("cancelled")
                raise

        with pytest.raises(NodeTimeoutError, match="Node 'a' exceeded its") as caught:
            graph(slow, timeout=timeout).compile().invoke({"log": []})
        assert ends == ["cancelled"]
        assert (caught.value.node, caught.value.timeout) == ("a", 0.2)
        assert caught.value.kind == ("idle" if isinstance(timeout, TimeoutPolicy) and timeout.idle_timeout else "run")
        assert not isinstance(caught.value, TimeoutError)

    def test_one_that_is_in_time_is_left_alone(self) -> None:
        async def quick(state: Log) -> Any:
            await asyncio.sleep(0)
            return {"log": ["done"]}

        assert graph(quick, timeout=LONG).compile().invoke({"log": []}) == {"log": ["done"]}

    def test_a_nodes_own_timeout_error_passes_unchanged(self) -> None:
        async def own(state: Log) -> Any:
            raise TimeoutError("mine")

        with pytest.raises(TimeoutError, match="mine"):
            graph(own, timeout=LONG).compile().invoke({"log": []})

    def test_the_default_retry_policy_tries_again_each_attempt_with_its_own_time(self) -> None:
        calls = Counter[str]()

        async def slow_once(state: Log) -> Any:
            calls["a"] += 1
            if calls["a"] == 1:
                await asyncio.sleep(LONG)
            return {"log": [calls["a"]]}

        app = graph(slow_once, timeout=SOON, retry_policy=RetryPolicy(initial_interval=0, jitter=False)).compile()
        assert app.invoke({"log": []}) == {"log": [2]}

    def test_an_error_handler_gets_it(self) -> None:
        def handler(state: Log, error: NodeError) -> Any:
            return {"log": [type(error.error).__name__]}

        app = graph(forever, timeout=0.02, error_handler=handler).compile()
        assert app.invoke({"log": []}) == {"log": ["NodeTimeoutError"]}

    def test_what_the_node_streams_is_a_sign_of_life_unless_only_the_heartbeat_counts(self) -> None:
        async def talking(state: Log) -> Any:
            write = get_stream_writer()
            for _ in range(6):
                await asyncio.sleep(SOON / 5)
                write("still here")
            return {"log": ["done"]}

        auto = TimeoutPolicy(idle_timeout=SOON)
        assert graph(talking, timeout=auto).compile().invoke({"log": []}) == {"log": ["done"]}
        strict = TimeoutPolicy(idle_timeout=SOON, refresh_on="heartbeat")
        with pytest.raises(NodeTimeoutError):
            graph(talking, timeout=strict).compile().invoke({"log": []})

    def test_a_graph_that_the_node_calls_is_a_sign_of_life(self) -> None:
        async def tick(state: Log) -> Any:
            await asyncio.sleep(SOON / 4)
            return {"log": ["tick"]}

        inner = StateGraph(Log)
        inner.add_sequence([("one", tick), ("two", tick), ("three", tick), ("four", tick), ("five", tick)])
        inner.add_edge(START, "one")
        app = inner.compile()

        async def calling(state: Log) -> Any:
            return {"log": (await app.ainvoke({"log": []}))["log"]}

        result = graph(calling, timeout=TimeoutPolicy(idle_timeout=SOON)).compile().invoke({"log": []})
        assert result == {"log": ["tick"] * 5}

    def test_what_a_timed_out_attempt_says_late_is_dropped(self) -> None:
        calls = Counter[str]()

        async def stubborn(state: Log) -> Any:
            calls["a"] += 1
            write = get_stream_writer()
            if calls["a"] == 1:
                try:
                    await asyncio.sleep(LONG)
                except asyncio.CancelledError:
                    write("late")
                    return {"log": ["late"]}
            write("in time")
            return {"log": ["in time"]}

        app = graph(stubborn, timeout=SOON, retry_policy=RetryPolicy(initial_interval=0, jitter=False)).compile()
        chunks = list(app.stream({"log": []}, stream_mode=["custom", "updates"]))
        assert chunks == [("custom", "in time"), ("updates", {"a": {"log": ["in time"]}})]

    def test_sync_nodes_are_refused_when_the_graph_is_compiled(self) -> None:
        with pytest.raises(ValueError, match=r"only supported for async nodes .* Node 'a' is sync"):
            graph(lambda state: None, timeout=1).compile()

    def test_a_send_brings_a_timeout_of_its_own(self) -> None:
        g = StateGraph(Log)
        g.add_node("work", forever, timeout=LONG)
        g.add_conditional_edges(START, lambda state: [Send("work", 1, timeout=0.02)], ["work"])
        with pytest.raises(NodeTimeoutError):
            g.compile().invoke({"log": []})
        sync = StateGraph(Log)
        sync.add_node("work", lambda n: {"log": [n]})
        sync.add_conditional_edges(START, lambda state: [Send("work", 1, timeout=5)], ["work"])
        with pytest.raises(ValueError, match="Node 'work' is sync"):
            sync.compile().invoke({"log": []})

    def test_a_subgraph_is_cancelled_with_all_that_runs_in_it(self) -> None:
        inner = graph(forever).compile()
        app = graph(inner, timeout=0.05).compile(MemoryCheckpointer())
        with pytest.raises(NodeTimeoutError):
            asyncio.run(app.ainvoke({"log": []}, CONFIG))

    def test_the_default_is_for_nodes_without_one_and_for_handlers(self) -> None:
        async def failing(state: Log) -> Any:
            raise ConnectionError

        g = graph(failing, error_handler=forever)
        g.set_node_defaults(timeout=0.02)
        with pytest.raises(NodeTimeoutError, match="__error_handler__a"):
            g.compile().invoke({"log": []})

    @pytest.mark.parametrize("node", [forever, lambda state: time.sleep(0.05)], ids=["async", "sync"])
    def test_a_superstep_may_have_a_limit_too(self, node: Any) -> None:
        app = graph(node).compile()
        app.step_timeout = 0.02
        with pytest.raises(TimeoutError, match=r"step_timeout of 0\.02"):
            app.invoke({"log": []})
        app.step_timeout = LONG
        assert graph(lambda state: {"log": [1]}).compile().invoke({"log": []}) == {"log": [1]}

    @pytest.mark.parametrize("limit", [0.1, TimeoutPolicy(idle_timeout=0.1), None], ids=["node", "idle", "superstep"])
    def test_what_the_reader_of_an_async_stream_takes_counts_for_no_limit(self, limit: Any) -> None:
        async def node(state: Any) -> Any:
            return {"log": [len(state["log"])]}

        app = StateGraph(Log).add_sequence([("a", node)]).add_node("b", node, timeout=limit)
        app = app.add_edge(START, "a").add_edge("a", "b").compile()
        app.step_timeout = 0.1 if limit is None else None

        async def read() -> list[Any]:
            chunks = []
            async for chunk in app.astream({"log": []}, stream_mode="updates"):
                chunks.append(chunk)
                await asyncio.sleep(0.15)
            return chunks

        assert asyncio.run(read()) == [{"a": {"log": [0]}}, {"b": {"log": [1]}}]

    def test_what_the_reader_of_a_stream_takes_before_a_superstep_counts_not_for_it(self) -> None:
        app = graph(lambda state: {"log": [1]}).compile()
        app.step_timeout = 0.1
        chunks = []
        for chunk in app.stream({"log": []}, stream_mode="values"):
            chunks.append(chunk)
            time.sleep(0.15)
        assert chunks == [{"log": []}, {"log": [1]}]


class TestRecursionLimit:
    @pytest.mark.parametrize("listens", [False, True])
    def test_the_error_shows_the_circle(self, listens: bool) -> None:
        g = StateGraph(Log)
        for name, following in (("a", "b"), ("b", "c"), ("c", "b")):
            g.add_node(name, lambda state: None)
            g.add_edge(name, following)
        g.add_edge(START, "a")
        run = g.compile().stream if listens else g.compile().invoke
        with pytest.raises(GraphRecursionError, match=r"go round in a circle: (b -> c -> b|c -> b -> c)\. "):
            list(run({"log": []}, {"recursion_limit": 100}))

    def test_the_circle_names_parallel_nodes_together(self) -> None:
        g = StateGraph(Log)
        g.add_node("x", lambda state: None)
        g.add_node("y", lambda state: None)
        for source in (START, "x", "y"):
            g.add_edge(source, "x")
            g.add_edge(source, "y")
        with pytest.raises(GraphRecursionError, match=r"circle: x \+ y -> x \+ y\."):
            g.compile().invoke({"log": []}, {"recursion_limit": 10})

    @pytest.mark.parametrize(("length", "limit"), [(1, 2), (2, 4), (3, 5), (3, 10), (4, 7), (6, 25), (12, 50)])
    def test_a_circle_is_shown_as_soon_as_it_was_gone_round_twice(self, length: int, limit: int) -> None:
        names = [f"n{number}" for number in range(length)]
        g = StateGraph(Log)
        for name, following in zip(names, [*names[1:], names[0]], strict=True):
            g.add_node(name, lambda state: None)
            g.add_edge(name, following)
        g.add_edge(START, names[0])
        with pytest.raises(GraphRecursionError, match="go round in a circle: ") as caught:
            g.compile().invoke({"log": []}, {"recursion_limit": limit})
        shown = str(caught.value).partition("circle: ")[2].partition(".")[0].split(" -> ")
        assert shown[0] == shown[-1]
        assert sorted(shown[1:]) == sorted(names)

    def test_a_circle_through_sends_counts_nodes_and_not_tasks(self) -> None:
        g = StateGraph(Log)
        g.add_node("split", lambda state: Command(goto=[Send("work", {})] * (1 + len(state["log"]))))
        g.add_node("work", lambda state: {"log": [1]})
        g.add_edge(START, "split").add_edge("work", "split")
        with pytest.raises(GraphRecursionError, match=r"circle: (split -> work -> split|work -> split -> work)\. "):
            g.compile().invoke({"log": []}, {"recursion_limit": 6})

    def test_a_long_chain_has_no_circle(self) -> None:
        g = StateGraph(Log)
        g.add_sequence([(f"n{i}", lambda state: None) for i in range(8)])
        g.add_edge(START, "n0")
        with pytest.raises(GraphRecursionError) as caught:
            g.compile().invoke({"log": []}, {"recursion_limit": 5})
        assert "circle" not in str(caught.value)


class TestDraining:
    def test_the_run_stops_before_its_next_superstep_and_can_be_resumed(self) -> None:
        control = RunControl()

        def a(state: Log) -> Any:
            control.request_drain("deploy")
            return {"log": ["a"]}

        g = graph(a)
        g.add_node("b", lambda state: {"log": ["b"]})
        g.add_edge("a", "b")
        app = g.compile(MemoryCheckpointer())
        with pytest.raises(GraphDrained, match="Graph drained: deploy") as caught:
            app.invoke({"log": []}, CONFIG, control=control)
        assert caught.value.reason == "deploy"
        assert app.get_state(CONFIG).next == ("b",)
        assert app.get_state(CONFIG).tasks[0].error is None
        assert app.invoke(None, CONFIG) == {"log": ["a", "b"]}

    def test_a_run_that_has_nothing_left_to_do_ends_as_usual(self) -> None:
        control = RunControl()

        def a(state: Log) -> Any:
            control.request_drain()
            return {"log": ["a"]}

        assert graph(a).compile().invoke({"log": []}, control=control) == {"log": ["a"]}

    @pytest.mark.parametrize("control", ["x", 5, {}, RunControl])
    def test_what_is_no_run_control_is_refused(self, control: Any) -> None:
        app = graph(lambda _: {"log": ["a"]}).compile()
        for call in (app.invoke, lambda *args, **options: list(app.stream(*args, **options))):
            with pytest.raises(TypeError, match=r"\(\) got control=.*; make one with `control = RunControl\(\)`"):
                call({"log": []}, control=control)

    def test_breakpoints_come_first(self) -> None:
        control = RunControl()
        control.request_drain()
        app = graph(lambda state: {"log": ["a"]}).compile(MemoryCheckpointer())
        with pytest.raises(GraphDrained):
            app.invoke({"log": []}, CONFIG, control=control)
        assert app.get_state(CONFIG).next == (START,)
        app.invoke(None, CONFIG, interrupt_before=["a"])
        assert app.invoke(None, CONFIG, interrupt_before=["a"]) == {"log": ["a"]}

    def test_a_graph_inside_stops_too_and_nothing_runs_twice(self) -> None:
        control, calls = RunControl(), Counter[str]()

        def x(state: Log) -> Any:
            calls["x"] += 1
            control.request_drain()
            return {"log": ["x"]}

        inner = StateGraph(Log)
        inner.add_sequence([("x", x), ("y", lambda state: {"log": ["y"]})])
        inner.add_edge(START, "x")
        app = graph(inner.compile()).compile(MemoryCheckpointer())
        with pytest.raises(GraphDrained):
            app.invoke({"log": []}, CONFIG, control=control)
        assert app.invoke(None, CONFIG) == {"log": ["x", "y"]}
        assert calls["x"] == 1


class TestCancellation:
    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    @pytest.mark.parametrize("parallel", [False, True], ids=["alone", "beside another"])
    def test_a_node_that_raises_cancelled_error_itself_has_failed(self, is_async: bool, parallel: bool) -> None:
        def sync(state: Log) -> Any:
            raise asyncio.CancelledError

        async def coroutine(state: Log) -> Any:
            raise asyncio.CancelledError

        g = graph(coroutine if is_async else sync)
        if parallel:
            g.add_node("b", lambda state: {"log": ["b"]})
            g.add_edge(START, "b")
        app = g.compile()
        with pytest.raises(NodeCancelledError, match=r"Node 'a' raised asyncio\.CancelledError"):
            app.invoke({"log": []})
        with pytest.raises(NodeCancelledError):
            asyncio.run(app.ainvoke({"log": []}))

    def test_it_can_be_handled(self) -> None:
        def sync(state: Log) -> Any:
            raise asyncio.CancelledError

        assert graph(sync, error_handler=lambda state: {"log": ["handled"]}).compile().invoke({"log": []}) == {
            "log": ["handled"]
        }

    def test_a_cancelled_run_leaves_no_task_behind_and_loses_no_write(self) -> None:
        ends: list[str] = []
        quick_is_over = asyncio.Event()

        async def quick(state: Log) -> Any:
            quick_is_over.set()
            return {"log": ["quick"]}

        async def slow(state: Log) -> Any:
            try:
                await asyncio.sleep(LONG)
            finally:
                ends.append("slow")

        g = graph(quick)
        g.add_node("slow", slow)
        g.add_edge(START, "slow")
        app = g.compile(MemoryCheckpointer())

        async def main() -> None:
            before = asyncio.all_tasks()
            run = asyncio.ensure_future(app.ainvoke({"log": []}, CONFIG))
            await asyncio.wait_for(quick_is_over.wait(), 20)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            assert asyncio.all_tasks() <= before

        asyncio.run(main())
        assert ends == ["slow"]
        assert app.get_state(CONFIG).values == {"log": ["quick"]}

    def test_a_failure_cancels_async_siblings_and_waits_for_them(self) -> None:
        ends: list[str] = []

        async def slow(state: Log) -> Any:
            try:
                await asyncio.sleep(LONG)
            finally:
                await asyncio.sleep(0)
                ends.append("slow")

        async def failing(state: Log) -> Any:
            await asyncio.sleep(0.01)
            raise ConnectionError("down")

        g = graph(failing)
        g.add_node("slow", slow)
        g.add_edge(START, "slow")
        with pytest.raises(ConnectionError):
            asyncio.run(g.compile().ainvoke({"log": []}))
        assert ends == ["slow"]


def test_async_nodes_run_under_invoke_beside_sync_ones_with_async_routers_and_subgraphs() -> None:
    async def a(state: Log) -> Any:
        await asyncio.sleep(0)
        return {"log": ["a"]}

    async def route(state: Log) -> Any:
        await asyncio.sleep(0)
        return ["child", "plain"]

    g = graph(a)
    g.add_node("plain", lambda state: {"log": ["plain"]})
    g.add_node("child", graph(a).compile())
    g.add_conditional_edges("a", route, ["child", "plain", END])
    app = g.compile()
    want = {"log": ["a", "a", "a", "plain"]}
    assert app.invoke({"log": []}) == want

    async def inside_a_loop() -> Any:
        return app.invoke({"log": []})

    assert asyncio.run(inside_a_loop()) == want
    assert list(app.stream({"log": []}, stream_mode="values"))[-1] == want


def test_durability_without_a_checkpointer_is_warned_about() -> None:
    app = graph(lambda state: Command(update={"log": ["a"]})).compile()
    with pytest.warns(UserWarning, match="`durability` has no effect when no checkpointer is present"):
        app.invoke({"log": []}, durability="sync")


def test_the_default_limit_comes_from_the_environment() -> None:
    code = (
        "from stepgraph import START, RemainingSteps, StateGraph\n"
        "from typing import TypedDict\n"
        "S = TypedDict('S', {'left': RemainingSteps, 'n': int})\n"
        "g = StateGraph(S).add_node('a', lambda s: {'n': s['left']}).add_edge(START, 'a').compile()\n"
        "print(g.invoke({'n': 0})['n'])"
    )
    for given, limit in (({}, 10007), ({"LANGGRAPH_DEFAULT_RECURSION_LIMIT": "9"}, 9)):
        known = {key: value for key, value in os.environ.items() if key != "LANGGRAPH_DEFAULT_RECURSION_LIMIT"}
        ran = subprocess.run(
            [sys.executable, "-c", code], env={**known, **given}, capture_output=True, text=True, check=True
        )
        assert int(ran.stdout) == limit - 1  # the superstep of START is one


class Kept(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    kept: Any


def held_before_work(first: Any, work: Any, saver: Any) -> Any:
    """A graph whose thread "t" is held before what `first` has sent to `work`."""
    g = StateGraph(Kept).add_node("first", first).add_node("work", work).add_edge(START, "first")
    app = g.compile(checkpointer=saver, interrupt_before=["work"])
    app.invoke({"log": []}, thread="t")
    return app


@pytest.mark.parametrize("limits", [7, TimeoutPolicy(run_timeout=5, idle_timeout=2, refresh_on="heartbeat")])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_sends_limits_are_stored_as_they_are(kind: str, limits: Any, tmp_path: Path) -> None:
    saver: Any = MemoryCheckpointer() if kind == "memory" else SqliteCheckpointer(str(tmp_path / "t.db"))

    async def work(arg: Any) -> Any:
        return {"log": [arg]}

    def first(_: Kept) -> Any:
        return Command(update={"kept": Send("work", 2, timeout=limits)}, goto=Send("work", 1, timeout=limits))

    app = held_before_work(first, work, saver)
    stored = saver.load("t", "")
    assert list(map(sent, *zip(*stored.control.sends, strict=True))) == [Send("work", 1, timeout=limits)]
    assert stored.values["kept"] == Send("work", 2, timeout=limits)
    assert app.invoke(None, thread="t")["log"] == [1]
    saver.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("seconds", [0, -1.5])
def test_limits_that_older_versions_stored_unchecked_are_read_and_end_their_task(
    kind: str, seconds: float, tmp_path: Path
) -> None:
    saver: Any = MemoryCheckpointer() if kind == "memory" else SqliteCheckpointer(str(tmp_path / "t.db"))

    async def work(arg: Any) -> Any:
        await asyncio.sleep(60)

    def unchecked(arg: Any) -> Send:
        found = Send("work", arg)
        found.timeout = TimeoutPolicy(run_timeout=seconds)
        return found

    def first(_: Kept) -> Any:
        return Command(update={"kept": unchecked(2)}, goto=unchecked(1))

    app = held_before_work(first, work, saver)
    assert app.get_state(thread="t").values["kept"] == unchecked(2)
    assert next(each.next for each in app.get_state_history(thread="t")) == ("work",)
    with pytest.raises(NodeTimeoutError):
        app.invoke(None, thread="t")
    saver.close()
