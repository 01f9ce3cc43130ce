"""The functional API: what is refused, what is recorded, and what runs at once."""

from __future__ import annotations

import asyncio
import operator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event, Lock
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from stepgraph import (
    START,
    CachePolicy,
    Command,
    NodeTimeoutError,
    RetryPolicy,
    RunnableConfig,
    StateGraph,
    TimeoutPolicy,
    entrypoint,
    interrupt,
    task,
)
from stepgraph.cache import InMemoryCache, SqliteCache
from stepgraph.core.deprecated import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10
from stepgraph.graph.functional import final
from stepgraph.persist import MemoryCheckpointer
from stepgraph.run.threads import pool

SECONDS = 10.0
"""How long a test waits for what should happen at once."""


def test_generators_and_functions_without_a_parameter_are_refused() -> None:
    def generator(x: int) -> Any:
        yield x

    async def async_generator(x: int) -> Any:
        yield x

    for function in (generator, async_generator):
        with pytest.raises(NotImplementedError, match=r"Generators are not supported in the Functional API\."):
            entrypoint()(function)
    with pytest.raises(ValueError, match="Entrypoint function must have at least one parameter"):
        entrypoint()(lambda: 1)


def test_both_types_of_final_are_needed() -> None:
    def half(x: int) -> Any:
        return x

    half.__annotations__["return"] = final[int, str]
    assert [c.type for c in entrypoint()(half).plan.channels.values()] == [int, str]
    half.__annotations__["return"] = final
    assert [c.type for c in entrypoint()(half).plan.channels.values()] == [Any, Any]


def test_a_task_is_called_in_nodes_only() -> None:
    with pytest.raises(RuntimeError, match="outside of a runnable context"):
        task(lambda x: x)(1)


def test_an_async_task_in_sync_code_says_what_to_do() -> None:
    @task
    async def later(x: int) -> int:
        return x

    with pytest.raises(RuntimeError, match="In an sync context async tasks cannot be called: 'later' is async"):
        entrypoint()(lambda x: later(x).result()).invoke(1)


def test_sync_runs_inside_an_event_loop_call_tasks_as_they_do_without_one() -> None:
    """As in a notebook's cell: nobody can ask the loop, which waits, to run the tasks."""

    @task
    def double(x: int) -> int:
        return 2 * x

    flow = entrypoint()(lambda x: [double(x).result(), double(x + 1).result()])
    g = StateGraph(dict).add_node("call", lambda x: {"x": double(3).result()}).add_edge(START, "call")
    inner = g.compile()
    outer = StateGraph(dict).add_node("inner", inner).add_edge(START, "inner").compile()
    around = StateGraph(dict).add_node("call", lambda x: inner.invoke(x)).add_edge(START, "call").compile()

    async def cell() -> list[Any]:
        found = [flow.invoke(1), *flow.stream(1, stream_mode="values")]
        return [*found, *(each.invoke({"x": 1}) for each in (inner, outer, around)), await around.ainvoke({"x": 1})]

    assert pool.submit(asyncio.run, cell()).result(SECONDS) == [[2, 4], [2, 4], *[{"x": 6}] * 4]


def test_a_sync_run_inside_an_async_one_refuses_async_tasks() -> None:
    @task
    async def later(x: int) -> int:
        return x

    inner = entrypoint()(lambda x: later(x).result())
    with pytest.raises(RuntimeError, match="In an sync context async tasks cannot be called: 'later' is async"):
        asyncio.run(entrypoint()(lambda x: inner.invoke(x)).ainvoke(1))


def test_tasks_run_at_once() -> None:
    all_three = Barrier(3)

    @task
    def meet(x: int) -> int:
        all_three.wait(SECONDS)
        return x

    flow = entrypoint()(lambda xs: [future.result() for future in [meet(x) for x in xs]])
    assert flow.invoke([1, 2, 3]) == [1, 2, 3]


def test_what_is_not_waited_for_ends_before_the_run_does() -> None:
    done: list[int] = []
    left = Event()
    """Set when the body that called has come to its last line."""

    @task
    def slow(x: int) -> None:
        assert left.wait(SECONDS)
        done.append(x)

    @task
    async def slow_too(x: int) -> None:
        while not left.is_set():  # noqa: ASYNC110  it is set on another thread too
            await asyncio.sleep(0)
        done.append(x)

    def first(x: int) -> None:
        slow(x)
        left.set()

    async def later(x: int) -> None:
        left.clear()
        slow_too(x)
        left.set()

    def node(state: dict[str, int]) -> dict[str, int]:
        left.clear()
        slow(3)
        left.set()
        return state

    entrypoint()(first).invoke(1)
    assert done == [1]
    asyncio.run(entrypoint()(later).ainvoke(2))
    assert done == [1, 2]
    g = StateGraph(dict)
    g.add_node("node", node)
    g.set_entry_point("node")
    g.compile().invoke({"x": 1})
    assert done == [1, 2, 3]


def test_a_failure_of_what_is_not_waited_for_is_nobodys() -> None:
    @task
    def fails(x: int) -> None:
        raise ValueError(x)

    assert entrypoint()(lambda x: fails(x) and x).invoke(1) == 1


def test_results_outlive_the_process(tmp_path: Path) -> None:
    calls: list[int] = []

    @task
    def count(x: int) -> int:
        calls.append(x)
        return x + 1

    def work(x: int) -> Any:
        made = [count(x).result(), count(10).result()]
        return [*made, interrupt("go on?"), count(100).result()]

    for durability in ("sync", "async", "exit"):
        calls.clear()
        url = f"sqlite:///{tmp_path / durability}.db"
        flow = entrypoint(checkpointer=url)(work)
        first = flow.invoke(1, thread="t", durability=durability)
        flow.checkpointer.close()
        assert [each.value for each in first["__interrupt__"]] == ["go on?"]
        made = entrypoint(checkpointer=url)(work).invoke(Command(resume="yes"), thread="t", durability=durability)
        assert made == [2, 11, "yes", 101]
        assert calls == [1, 10, 100]


def test_a_task_asks_for_what_nodes_ask_for() -> None:
    @task
    def first(runtime: Any, x: int = 0) -> Any:
        return runtime.context, runtime.store, x

    @task
    def named(x: int, *, config: RunnableConfig | None = None) -> Any:
        assert config is not None
        return x, config["metadata"]["langgraph_node"]

    flow = entrypoint(store=("the store",))(lambda x: [first(x=x).result(), named(x).result()])
    assert flow.invoke(1, context="c") == [("c", ("the store",), 1), (1, "named")]


def test_a_task_may_be_a_method() -> None:
    class Shop:
        price = 3

        @task
        def cost(self, amount: int) -> int:
            return self.price * amount

    assert entrypoint()(lambda n: Shop().cost(n).result()).invoke(2) == 6


def test_a_value_is_kept_for_the_next_run() -> None:
    @entrypoint(checkpointer="memory://")
    def total(x: int, *, previous: int | None = None) -> Any:
        return entrypoint.final(value=previous, save=(previous or 0) + x)

    assert [total.invoke(x, thread="t") for x in (3, 4, 5)] == [None, 3, 7]
    assert total.get_state(thread="t").values == 7
    assert total.invoke(1, thread="other") is None


def test_sync_entrypoints_run_in_a_coroutine() -> None:
    """As in a notebook's cell, where a loop runs; and in async functions, whose loop then drives no call of theirs."""

    @task
    def add(x: int) -> int:
        return x + 1

    @entrypoint()
    def inner(x: int) -> int:
        return max(each.result() for each in (add(x), add(x + 1)))

    @task
    async def later(x: int) -> int:
        return int(inner.invoke(x))

    @entrypoint()
    async def outer(x: int) -> int:
        return int(await later(x)) + int(inner.invoke(10)) + int(await add(0))

    @entrypoint()
    def around(x: int) -> int:
        return int(later(x).result())

    async def cell() -> list[int]:
        streamed = list(inner.stream(1, stream_mode="values"))
        return [inner.invoke(1), *streamed, await outer.ainvoke(1), await around.ainvoke(1)]

    assert asyncio.run(cell()) == [3, 3, 3 + 12 + 1, 3]


def test_calls_are_told_of_in_their_order() -> None:
    """Whichever of their threads begins first."""

    @task
    def square(x: int) -> int:
        return x * x

    @entrypoint()
    def flow(xs: list[int]) -> list[int]:
        return [each.result() for each in [square(x) for x in xs]]

    numbers = list(range(40))
    chunks = list(flow.stream(numbers, stream_mode="tasks"))
    assert [chunk["input"][0][0] for chunk in chunks if chunk["name"] == "square" and "input" in chunk] == numbers


def test_async_entrypoints_run_under_invoke_too() -> None:
    @task
    async def later(x: int) -> int:
        await asyncio.sleep(0)
        return x + 1

    @entrypoint()
    async def flow(xs: list[int]) -> list[int]:
        return list(await asyncio.gather(*(later(x) for x in xs)))

    assert flow.invoke([1, 2]) == [2, 3]
    assert list(flow.stream([1], stream_mode="updates")) == [{"later": 2}, {"flow": [2]}]


class TestMaxConcurrency:
    """It limits the calls of each caller too."""

    @staticmethod
    def counted(at_once: list[int], most: list[int]) -> Any:
        def step(by: int) -> None:
            at_once[0] += by
            most[0] = max(most[0], at_once[0])

        return step

    @pytest.mark.parametrize("width", [1, 2, 5])
    @pytest.mark.parametrize("nested", [False, True])
    def test_async(self, width: int, nested: bool) -> None:
        most = [0]
        step = self.counted([0], most)

        @task
        async def one(x: int) -> int:
            step(1)
            await asyncio.sleep(0.001)
            step(-1)
            return x

        @task
        async def through(x: int) -> int:
            return int(await one(x))

        @entrypoint()
        async def flow(xs: list[int]) -> list[int]:
            return list(await asyncio.gather(*((through if nested else one)(x) for x in xs)))

        async def run() -> Any:
            return await asyncio.wait_for(flow.ainvoke([*range(6)], {"max_concurrency": width}), SECONDS)

        assert asyncio.run(run()) == [*range(6)]
        assert 1 <= most[0] <= width

    @pytest.mark.parametrize("width", [1, 2, 5])
    @pytest.mark.parametrize("way", ["invoke", "stream", "node"])
    def test_sync(self, width: int, way: str) -> None:
        most, lock = [0], Lock()
        step = self.counted([0], most)

        @task
        def one(x: int) -> int:
            with lock:
                step(1)
            Event().wait(0.002)
            with lock:
                step(-1)
            if x == 3:
                raise ValueError("three")
            return x

        def each(xs: list[int]) -> list[Any]:
            futures = [one(x) for x in xs]
            return [future.exception() or future.result() for future in futures]

        @entrypoint()
        def flow(xs: list[int]) -> list[Any]:
            return each(xs)

        def node(state: Any) -> Any:
            return {"xs": each(state["xs"])}

        config: RunnableConfig = {"max_concurrency": width}
        if way == "invoke":
            found = flow.invoke([*range(6)], config)
        elif way == "stream":
            found = next(chunk["flow"] for chunk in flow.stream([*range(6)], config) if "flow" in chunk)
        else:
            inner = StateGraph(TypedDict("Xs", {"xs": list})).add_node("node", node).add_edge(START, "node").compile()
            outer = (
                StateGraph(TypedDict("Ys", {"xs": list})).add_node("inner", inner).add_edge(START, "inner").compile()
            )
            found = outer.invoke({"xs": [*range(6)]}, config)["xs"]

        assert list(map(repr, found)) == ["0", "1", "2", "ValueError('three')", "4", "5"]
        assert 1 <= most[0] <= width

    def test_a_call_that_is_given_up_before_its_turn_does_not_begin(self) -> None:
        ran: list[int] = []

        @task
        async def one(x: int) -> None:
            ran.append(x)
            await asyncio.sleep(0.001)

        @entrypoint()
        async def flow(x: int) -> bool:
            first, second, third = one(1), one(2), one(3)
            await asyncio.sleep(0)
            second.cancel()
            await first
            await third
            return bool(second.cancelled())

        assert asyncio.run(flow.ainvoke(1, {"max_concurrency": 1})) is True
        assert ran == [1, 3]


class TestGivingUpACall:
    """Cancelling what a call gave cancels the call."""

    @pytest.mark.parametrize("way", ["cancel", "wait_for", "timeout", "group"])
    def test_it_is_cancelled_and_the_run_goes_on(self, way: str) -> None:
        told: list[str] = []
        begun = asyncio.Event()

        @task
        async def stuck() -> None:
            told.append("begun")
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                told.append("ended")

        async def fails() -> None:
            await begun.wait()
            raise ValueError("beside it")

        async def awaited(call: Any) -> None:
            await call

        async def give_up(call: Any) -> None:
            match way:
                case "cancel":
                    call.cancel()
                    await call
                case "wait_for":
                    await asyncio.wait_for(call, 0.001)
                case "timeout":
                    async with asyncio.timeout(0.001):
                        await call
                case _:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(awaited(call))
                        group.create_task(fails())

        @entrypoint(checkpointer=MemoryCheckpointer())
        async def flow(x: int) -> int:
            call = stuck()
            await begun.wait()
            with pytest.raises((asyncio.CancelledError, TimeoutError, ExceptionGroup)):
                await give_up(call)
            assert call.cancelled()
            return x

        async def run() -> Any:
            return await asyncio.wait_for(flow.ainvoke(1, {"configurable": {"thread_id": "t"}}), SECONDS)

        assert asyncio.run(run()) == 1
        assert told == ["begun", "ended"], "the run ends after what it has called"

    def test_another_attempt_calls_again(self) -> None:
        told: list[str] = []
        begun = asyncio.Event()

        @task
        async def stuck_once() -> str:
            told.append("begun")
            begun.set()
            if len(told) > 1:
                return "done"
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        @entrypoint(retry_policy=RetryPolicy(initial_interval=0.001, retry_on=TimeoutError))
        async def flow(x: int) -> str:
            call = stuck_once()
            await begun.wait()
            return await asyncio.wait_for(call, 0.001 if len(told) == 1 else SECONDS)

        assert asyncio.run(asyncio.wait_for(flow.ainvoke(1), SECONDS)) == "done"
        assert told == ["begun", "begun"]

    def test_a_sync_call_that_has_not_begun_does_not_begin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        jobs: list[Any] = []
        monkeypatch.setattr(pool, "start", jobs.append)
        ran: list[int] = []

        @task
        def one(x: int) -> None:
            ran.append(x)

        @entrypoint()
        def flow(x: int) -> bool:
            call = one(x)
            assert call.cancel()
            while jobs:
                jobs.pop()()
            return call.cancelled()

        assert flow.invoke(1) is True
        assert not ran

    @pytest.mark.parametrize("awaited", [True, False])
    def test_a_cancelled_run_waits_for_what_it_has_called(self, awaited: bool) -> None:
        told: list[str] = []
        begun = asyncio.Event()

        @task
        async def stuck() -> None:
            told.append("begun")
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                for _ in range(9):
                    await asyncio.sleep(0)
                told.append("ended")

        @entrypoint()
        async def flow(x: int) -> None:
            call = stuck()
            if awaited:
                await call

        async def run() -> None:
            running = asyncio.ensure_future(flow.ainvoke(1))
            await begun.wait()
            for _ in range(9):  # by then the entrypoint that does not wait has returned
                await asyncio.sleep(0)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert told == ["begun", "ended"]

        asyncio.run(run())


def flaky(called: list[Any], times: int) -> Any:
    def attempt(x: int) -> int:
        called.append(x)
        if len(called) <= times:
            raise ConnectionError(f"call {len(called)}")
        return x

    return attempt


QUICK = RetryPolicy(initial_interval=0.001, jitter=False)


def test_the_policies_of_an_entrypoint_are_for_its_tasks_too() -> None:
    called: list[Any] = []
    attempt = task(flaky(called, 2))
    flow = entrypoint(retry_policy=QUICK)(lambda x: attempt(x).result())
    assert flow.invoke(1) == 1
    assert called == [1, 1, 1]


def test_the_policies_of_a_task_come_first() -> None:
    called: list[Any] = []
    attempt = task(retry_policy=RetryPolicy(max_attempts=1))(flaky(called, 1))
    with pytest.raises(ConnectionError, match="call 1"):
        entrypoint(retry_policy=RetryPolicy(retry_on=KeyError))(lambda x: attempt(x).result()).invoke(1)
    assert called == [1]


def test_an_entrypoint_that_is_tried_again_calls_no_task_again_that_has_ended() -> None:
    called: list[Any] = []
    failed: list[Any] = []
    done, attempt = task(flaky(called, 0)), flaky(failed, 2)
    flow = entrypoint(retry_policy=[QUICK])(lambda x: [done(x).result(), attempt(x)])
    assert flow.invoke(1) == [1, 1]
    assert (called, failed) == ([1], [1, 1, 1])


def test_a_cache_keeps_what_a_task_gave_for_the_same_arguments(tmp_path: Path) -> None:
    called: list[Any] = []

    @task(cache_policy=CachePolicy())
    def add(x: int, y: int = 0) -> int:
        called.append((x, y))
        return x + y

    cache = SqliteCache(path=str(tmp_path / "cache.db"))
    flow = entrypoint(cache=cache)(lambda x: [add(x).result(), add(x, y=1).result()])
    assert [flow.invoke(1), flow.invoke(1), flow.invoke(2)] == [[1, 2], [1, 2], [2, 3]]
    assert called == [(1, 0), (1, 1), (2, 0), (2, 1)]
    add.clear_cache(cache)
    flow.invoke(1)
    assert len(called) == 6
    asyncio.run(add.aclear_cache(cache))
    flow.invoke(1)
    assert len(called) == 8
    assert flow.invoke(1) == [1, 2]
    assert len(called) == 8
    cache.close()


def test_clearing_the_cache_of_one_task_leaves_the_others() -> None:
    called: list[Any] = []
    one, other = (task(name=name, cache_policy=CachePolicy())(flaky(called, 0)) for name in ("one", "other"))
    cache = InMemoryCache()
    flow = entrypoint(cache=cache)(lambda x: [one(x).result(), other(x).result()])
    flow.invoke(1)
    assert called == [1, 1]
    one.clear_cache(cache)
    flow.invoke(1)
    assert called == [1, 1, 1]


def test_a_cached_task_is_recorded_like_one_that_ran() -> None:
    """A run that goes on after a question finds the result in its thread, though the cache is empty by then."""
    called: list[Any] = []
    one = task(cache_policy=CachePolicy())(flaky(called, 0))
    cache = InMemoryCache()
    flow = entrypoint(checkpointer="memory://", cache=cache)(lambda x: [one(x).result(), interrupt("go on?")])
    for thread in ("first", "second"):
        flow.invoke(1, thread=thread)
    assert called == [1]
    cache.clear()
    assert flow.invoke(Command(resume="yes"), thread="second") == [1, "yes"]
    assert called == [1]


def test_a_timeout_is_for_async_functions_only() -> None:
    with pytest.raises(ValueError, match=r"Node timeouts are only supported for async nodes.*Task 'half' is sync"):
        task(timeout=1, name="half")(lambda x: x / 2)
    with pytest.raises(ValueError, match=r"Node timeouts are only supported for async nodes.*Node '<lambda>' is sync"):
        entrypoint(timeout=timedelta(seconds=1))(lambda x: x / 2)
    with pytest.raises(ValueError, match="run_timeout must be greater than 0"):
        task(timeout=-1)


def test_each_attempt_of_a_task_has_its_time() -> None:
    began: list[int] = []

    @task(timeout=TimeoutPolicy(run_timeout=0.5), retry_policy=QUICK)
    async def slow(x: int) -> int:
        began.append(x)
        if len(began) < 3:
            await asyncio.sleep(30)
        return x

    @entrypoint()
    async def flow(x: int) -> int:
        return int(await slow(x))

    assert flow.invoke(1) == 1
    assert began == [1, 1, 1]


def test_an_entrypoint_out_of_time_fails() -> None:
    @entrypoint(timeout=0.05)
    async def flow(x: int) -> None:
        await asyncio.sleep(30)

    with pytest.raises(NodeTimeoutError):
        asyncio.run(flow.ainvoke(1))


def test_old_names_of_settings_are_taken_with_a_warning() -> None:
    called: list[Any] = []
    with pytest.warns(LangGraphDeprecatedSinceV05, match="`retry` is deprecated.*Please use `retry_policy` instead"):
        attempt = task(retry=QUICK)(flaky(called, 2))
    assert entrypoint()(lambda x: attempt(x).result()).invoke(1) == 1
    with (
        pytest.warns(LangGraphDeprecatedSinceV10, match="`config_schema` is deprecated.*`context_schema` instead"),
        pytest.warns(LangGraphDeprecatedSinceV05, match="`retry` is deprecated"),
    ):
        flow = entrypoint(config_schema=dict, retry=QUICK)(flaky([], 1))
    assert flow.context_schema is dict
    assert flow.invoke(1) == 1
    graph = StateGraph(dict)
    with (
        pytest.warns(LangGraphDeprecatedSinceV05, match="`input` is deprecated.*`input_schema` instead") as warned,
        pytest.warns(LangGraphDeprecatedSinceV05, match="`retry` is deprecated"),
    ):
        graph.add_node("a", flaky([], 1), retry=QUICK, input=dict)
    assert warned[0].filename == __file__
    assert graph.nodes["a"].retry_policy == QUICK


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(TypeError, match=r"task\(\) got an unexpected keyword argument 'retries'"):
        task(retries=3)
    with pytest.raises(TypeError, match=r"entrypoint\(\) got an unexpected keyword argument 'saver'"):
        entrypoint(saver="memory://")
    with pytest.raises(TypeError, match=r"add_node\(\) got an unexpected keyword argument 'retries'"):
        StateGraph(dict).add_node("a", lambda s: s, retries=3)


def test_a_question_of_a_function_in_a_graph_inside_is_listed_once() -> None:
    """`DEVIATIONS["asked twice"]`: LangGraph lists it twice, with one id."""

    class State(TypedDict):
        log: Annotated[list[Any], operator.add]

    @task
    def ask(question: str) -> Any:
        return interrupt(question)

    inner = StateGraph(State).add_node("node", lambda state: {"log": [ask("sure?").result()]}).add_edge(START, "node")

    @entrypoint(checkpointer=MemoryCheckpointer())
    def flow(x: int) -> Any:
        return inner.compile().invoke({"log": []})

    assert [each.value for each in flow.invoke(1, thread="t")["__interrupt__"]] == ["sure?"]
    assert [each.value for each in flow.get_state(thread="t").interrupts] == ["sure?"]
    assert flow.invoke(Command(resume="yes"), thread="t") == {"log": ["yes"]}


def test_all_that_functions_ask_in_an_inner_graph_is_listed_and_answered_together() -> None:
    class Log(TypedDict):
        log: Annotated[list[Any], operator.add]

    @task
    def ask(name: str) -> Any:
        return interrupt(name)

    def both(_: Log) -> Any:
        return {"log": [each.result() for each in [ask("one?"), ask("two?")]]}

    inner = StateGraph(Log).add_node("both", both).add_edge(START, "both").compile()
    graph = StateGraph(Log).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=MemoryCheckpointer())

    asked = graph.invoke({"log": []}, thread="t")["__interrupt__"]
    ended = graph.invoke(Command(resume={each.id: f"{each.value} yes" for each in asked}), thread="t")

    assert [each.value for each in asked] == ["one?", "two?"]
    assert ended == {"log": ["one? yes", "two? yes"]}
