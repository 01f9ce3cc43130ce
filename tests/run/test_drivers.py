"""What nodes may do under each driver: contexts, threads, loops, cancelling, closing; no node waits for a clock."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from threading import Barrier, Event, Lock, get_ident
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import END, START, Command, RetryPolicy, StateGraph, get_stream_writer
from stepgraph.core.errors import NodeCancelledError
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer

SECONDS = 10.0
"""After this long, something that should have happened did not."""


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def chain(*nodes: Callable[[Any], Any], router: Any = None, **options: Any) -> CompiledStateGraph:
    """Nodes n0, n1 … one after the other."""
    built = StateGraph(State)
    built.add_sequence([(f"n{position}", node) for position, node in enumerate(nodes)]).add_edge(START, "n0")
    if router is not None:
        built.add_conditional_edges(f"n{len(nodes) - 1}", router)
    return built.compile(**options)


def fan(*nodes: Callable[[Any], Any], **options: Any) -> CompiledStateGraph:
    """Nodes n0, n1 … at once."""
    built = StateGraph(State)
    for position, node in enumerate(nodes):
        built.add_node(f"n{position}", node).add_edge(START, f"n{position}")
    return built.compile(**options)


def run(app: CompiledStateGraph, way: str, **options: Any) -> Any:
    """Ways to run: `invoke` and `ainvoke` as they are, and with a listener."""
    given: State = {"log": []}
    match way:
        case "invoke":
            return app.invoke(given, **options)
        case "stream":
            *_, last = app.stream(given, stream_mode="values", **options)
            return last
        case "ainvoke":
            return asyncio.run(app.ainvoke(given, **options))
    return asyncio.run(_streamed(app, given, **options))


async def _streamed(app: CompiledStateGraph, given: Any, **options: Any) -> Any:
    chunks = [chunk async for chunk in app.astream(given, stream_mode="values", **options)]
    return chunks[-1]


WAYS = pytest.mark.parametrize("way", ["invoke", "stream", "ainvoke", "astream"])
DURABILITIES = pytest.mark.parametrize("durability", ["sync", "async", "exit"])
KINDS = pytest.mark.parametrize("kind", ["sync", "async"])


def of(kind: str, body: Callable[[], Any]) -> Callable[[Any], Any]:
    """A node of that kind."""

    def node(state: State) -> Any:
        return body()

    async def coroutine(state: State) -> Any:
        before = body()
        await asyncio.sleep(0)
        return before

    return coroutine if kind == "async" else node


class TestContexts:
    here: ContextVar[str] = ContextVar("here", default="nothing")

    @WAYS
    @KINDS
    def test_what_a_node_sets_stays_its_own(self, kind: str, way: str) -> None:
        def body() -> State:
            seen = self.here.get()
            self.here.set("a node's")
            return {"log": [seen]}

        self.here.set("the caller's")
        app = chain(of(kind, body), of(kind, body))
        parallel = fan(of(kind, body), of(kind, body), of(kind, body))

        assert run(app, way) == {"log": ["the caller's"] * 2}
        assert run(parallel, way) == {"log": ["the caller's"] * 3}
        assert self.here.get() == "the caller's"

    @WAYS
    def test_nodes_in_helper_threads_see_what_the_caller_has_set(self, way: str) -> None:
        together = Barrier(3)

        def body() -> State:
            together.wait(10)  # each needs a thread of its own
            return {"log": [self.here.get()]}

        self.here.set("the caller's")
        nodes = [of("sync", body) for _ in range(3)]

        assert run(fan(*nodes), way) == {"log": ["the caller's"] * 3}

    @WAYS
    @KINDS
    def test_a_router_sees_what_its_node_has_set(self, kind: str, way: str) -> None:
        seen: list[str] = []

        def body() -> State:
            self.here.set("by the node")
            return {"log": ["a"]}

        def route(state: State) -> str:
            seen.append(self.here.get())
            return END

        run(chain(of(kind, body), router=route), way)

        assert seen == ["by the node"]


class TestThreads:
    @WAYS
    def test_slow_sync_nodes_overlap(self, way: str) -> None:
        together = Barrier(3)

        def meet(state: State) -> State:
            together.wait(SECONDS)
            return {"log": ["met"]}

        assert run(fan(meet, meet, meet), way) == {"log": ["met"] * 3}

    def test_a_lone_sync_node_runs_in_the_callers_thread(self) -> None:
        app = chain(lambda s: {"log": [str(get_ident())]})

        assert app.invoke({"log": []}) == {"log": [str(get_ident())]}

    def test_a_loop_goes_on_while_a_sync_node_runs(self) -> None:
        released = Event()

        def slow(state: State) -> State:
            assert released.wait(SECONDS), "the loop stood still"
            return {"log": ["slow"]}

        async def beside() -> Any:
            run = asyncio.ensure_future(chain(slow).ainvoke({"log": []}))
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(released.set)
            return await run

        assert asyncio.run(beside()) == {"log": ["slow"]}

    @pytest.mark.parametrize("width", [1, 2, 3])
    @WAYS
    @KINDS
    def test_max_concurrency_limits_the_tasks_of_a_superstep(self, kind: str, way: str, width: int) -> None:
        count = Count(width)
        app = fan(*[count.node(kind) for _ in range(6)])

        run(app, way, config={"max_concurrency": width})

        assert count.ended == 6
        assert count.most == width

    @WAYS
    @pytest.mark.parametrize(("width", "kind"), [(-1, ValueError), ("2", TypeError), ([1], TypeError)])
    def test_a_max_concurrency_that_is_none_is_refused(self, way: str, width: Any, kind: type[Exception]) -> None:
        lone, pair = fan(lambda _: {}), fan(lambda _: {}, lambda _: {})
        for app, config in ((lone, {"max_concurrency": width}), (pair.with_config(max_concurrency=width), None)):
            with pytest.raises(kind, match=r"max_concurrency is .* number from 1 on; None or 0 sets no limit"):
                run(app, way, config=config)

    @WAYS
    @pytest.mark.parametrize("width", [0, None])
    def test_none_and_0_set_no_limit(self, way: str, width: int | None) -> None:
        count = Count(3)
        node = count.node("async" if way.startswith("a") else "sync")
        run(fan(node, node, node), way, config={"max_concurrency": width})
        assert count.most == 3

    @WAYS
    def test_a_graph_inside_does_not_wait_for_the_slot_that_it_holds(self, way: str) -> None:
        inside = fan(lambda s: {"log": ["x"]}, lambda s: {"log": ["y"]})
        built = StateGraph(State).add_node("one", inside).add_node("two", inside)
        app = built.add_edge(START, "one").add_edge(START, "two").compile()

        assert run(app, way, config={"max_concurrency": 1}) == {"log": ["x", "y", "x", "y"]}


class Count:
    """How many of its nodes run at the same moment. `width` of them have to meet before they end."""

    def __init__(self, width: int) -> None:
        self.now = self.most = self.ended = 0
        self._lock = Lock()
        self._threads, self._coroutines = Barrier(width), asyncio.Barrier(width)

    def _enter(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def _leave(self) -> None:
        with self._lock:
            self.now -= 1
            self.ended += 1

    def node(self, kind: str) -> Callable[[Any], Any]:
        def node(state: State) -> None:
            self._enter()
            self._threads.wait(SECONDS)
            self._leave()

        async def coroutine(state: State) -> None:
            self._enter()
            async with asyncio.timeout(SECONDS):
                await self._coroutines.wait()
            self._leave()

        return coroutine if kind == "async" else node


class TestLoops:
    def test_async_nodes_run_under_invoke(self) -> None:
        app = chain(of("async", lambda: {"log": ["a"]}), of("sync", lambda: {"log": ["b"]}))

        assert app.invoke({"log": []}) == {"log": ["a", "b"]}
        assert list(app.stream({"log": []})) == [{"n0": {"log": ["a"]}}, {"n1": {"log": ["b"]}}]

    def test_async_nodes_run_under_invoke_inside_a_running_loop(self) -> None:
        app = chain(of("async", lambda: {"log": ["a"]}))

        async def inside() -> Any:
            return app.invoke({"log": []}), list(app.stream({"log": []}))

        assert asyncio.run(inside()) == ({"log": ["a"]}, [{"n0": {"log": ["a"]}}])

    @WAYS
    def test_a_sync_node_may_call_asyncio_run(self, way: str) -> None:
        async def answer() -> str:
            await asyncio.sleep(0)
            return "answer"

        def node(state: State) -> State:
            return {"log": [asyncio.run(answer())]}

        assert run(chain(node), way) == {"log": ["answer"]}
        assert run(fan(node, node), way) == {"log": ["answer"] * 2}

    @WAYS
    @pytest.mark.parametrize("count", [1, 2])
    def test_a_nodes_own_timeout_ends_its_wait_and_not_the_run(self, count: int, way: str) -> None:
        async def node(state: State) -> State:
            try:
                async with asyncio.timeout(0):
                    await asyncio.Event().wait()
            except TimeoutError:
                return {"log": ["timed out"]}
            return {"log": ["never"]}

        assert run(fan(*[node] * count), way) == {"log": ["timed out"] * count}

    def test_async_routers_are_awaited(self) -> None:
        async def route(state: State) -> str:
            await asyncio.sleep(0)
            return END if len(state["log"]) > 2 else "n0"

        app = chain(of("sync", lambda: {"log": ["a"]}), router=route)

        assert run(app, "invoke") == run(app, "ainvoke") == {"log": ["a"] * 3}


class TestCancelling:
    @pytest.mark.parametrize("width", [1, 3])
    @pytest.mark.parametrize("way", ["ainvoke", "astream"])
    def test_leaves_no_task_behind_and_no_finished_write_lost(self, way: str, width: int) -> None:
        ran: list[str] = []

        async def quick(state: State) -> State:
            ran.append("quick")
            return {"log": ["quick"]}

        async def scenario() -> tuple[set[Any], Any]:
            reached, go = asyncio.Event(), asyncio.Event()

            async def stuck(state: State) -> State:
                ran.append("stuck")
                reached.set()
                await go.wait()
                return {"log": ["stuck"]}

            app = (
                fan(quick, *[stuck] * (width - 1), checkpointer=MemoryCheckpointer())
                if width > 1
                else chain(quick, stuck, checkpointer=MemoryCheckpointer())
            )
            start = app.ainvoke if way == "ainvoke" else lambda given, **kw: _streamed(app, given, **kw)
            run = asyncio.ensure_future(start({"log": []}, thread="t"))
            await reached.wait()
            await asyncio.sleep(0)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            left = asyncio.all_tasks() - {asyncio.current_task()}
            go.set()
            return left, await app.ainvoke(None, thread="t")

        left, result = asyncio.run(scenario())

        stuck = max(1, width - 1)
        assert left == set()
        assert result == {"log": ["quick", *["stuck"] * stuck]}
        assert (ran.count("quick"), ran.count("stuck")) == (1, 2 * stuck)

    @WAYS
    @pytest.mark.parametrize("count", [1, 2])
    def test_a_keyboard_interrupt_in_a_node_passes_through(self, count: int, way: str) -> None:
        def node(state: State) -> State:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(fan(*[node] * count), way)


class TestStreams:
    @pytest.mark.parametrize("count", [1, 2])
    @KINDS
    def test_custom_chunks_come_out_while_the_node_runs(self, kind: str, count: int) -> None:
        seen = Event()

        def write() -> None:
            get_stream_writer()("half-way")

        def node(state: State) -> State:
            write()
            assert seen.wait(SECONDS), "the chunk was held back"
            return {"log": ["a"]}

        async def coroutine(state: State) -> State:
            write()
            assert await asyncio.to_thread(seen.wait, SECONDS), "the chunk was held back"
            return {"log": ["a"]}

        chunks = fan(*[coroutine if kind == "async" else node] * count).stream({"log": []}, stream_mode="custom")

        assert [next(chunks) for _ in range(count)] == ["half-way"] * count
        seen.set()
        assert list(chunks) == []

    def test_custom_chunks_come_out_of_astream_while_a_sync_node_runs(self) -> None:
        seen = Event()

        def node(state: State) -> State:
            get_stream_writer()("half-way")
            assert seen.wait(SECONDS), "the chunk was held back"
            return {"log": ["a"]}

        async def listen() -> list[Any]:
            chunks = []
            async for chunk in chain(node).astream({"log": []}, stream_mode="custom"):
                chunks.append(chunk)
                seen.set()
            return chunks

        assert asyncio.run(listen()) == ["half-way"]

    @KINDS
    def test_closing_a_stream_early_ends_the_run(self, kind: str) -> None:
        ran: list[str] = []

        def node(name: str) -> Callable[[Any], Any]:
            return of(kind, lambda: ran.append(name) or {"log": [name]})

        async def waits(state: State) -> Any:
            ran.append("n250")
            await asyncio.sleep(0 if closed.is_set() else SECONDS)  # the run of async nodes may be ahead of its reader
            return {"log": ["n250"]}

        closed = Event()
        nodes = [node(f"n{i}") for i in range(500)]
        if kind == "async":
            waits.__name__ = nodes[250].__name__
            nodes[250] = waits
        app = chain(*nodes, checkpointer=MemoryCheckpointer())
        chunks = app.stream({"log": []}, thread="t")
        first = next(chunks)
        chunks.close()
        at_close = len(ran)
        closed.set()

        assert first == {"n0": {"log": ["n0"]}}
        assert at_close < 500
        state = app.get_state(thread="t")
        assert state.next
        assert app.invoke(None, thread="t")["log"] == [f"n{i}" for i in range(500)]
        assert len(ran) <= 501, "at most the body that was running runs again"

    @DURABILITIES
    def test_closing_a_stream_waits_for_the_node_that_runs_and_keeps_what_it_wrote(self, durability: Any) -> None:
        ran: list[str] = []
        closing = Event()

        def first(state: State) -> State:
            get_stream_writer()("runs")
            assert closing.wait(SECONDS)
            ran.append("first")
            return {"log": ["first"]}

        def router(state: State) -> str:
            ran.append("router")
            return "second"

        def second(state: State) -> State:
            ran.append("second")
            return {"log": ["second"]}

        app = (
            StateGraph(State).add_node("first", first).add_node("second", second).add_edge(START, "first")
            .add_conditional_edges("first", router, ["second"]).compile(checkpointer=MemoryCheckpointer())
        )  # fmt: skip
        chunks = app.stream({"log": []}, thread="t", stream_mode="custom", durability=durability)
        assert next(chunks) == "runs"
        with ThreadPoolExecutor() as closer:
            closed = closer.submit(chunks.close)
            closing.set()
            closed.result(SECONDS)

        assert ran == ["first", "router"]
        assert app.get_state(thread="t").next == ("second",)
        assert app.invoke(None, thread="t") == {"log": ["first", "second"]}
        assert ran == ["first", "router", "second"], "nothing ran twice"

    @DURABILITIES
    def test_closing_a_stream_keeps_what_parallel_nodes_that_run_write(self, durability: Any) -> None:
        ran: list[str] = []
        closing, running = Event(), Barrier(2)

        def of_two(name: str) -> Callable[[State], State]:
            def node(state: State) -> State:
                running.wait(SECONDS)
                if name == "a":
                    get_stream_writer()("run")
                assert closing.wait(SECONDS)
                ran.append(name)
                return {"log": [name]}

            return node

        app = fan(of_two("a"), of_two("b"), checkpointer=MemoryCheckpointer())
        chunks = app.stream({"log": []}, thread="t", stream_mode="custom", durability=durability)
        assert next(chunks) == "run"
        with ThreadPoolExecutor() as closer:
            closed = closer.submit(chunks.close)
            closing.set()
            closed.result(SECONDS)

        assert sorted(ran) == ["a", "b"]
        assert app.invoke(None, thread="t") == {"log": ["a", "b"]}
        assert sorted(ran) == ["a", "b"], "nothing ran twice"

    def test_closing_a_stream_starts_no_more_of_parallel_nodes(self) -> None:
        ran: list[str] = []
        nodes = [of("sync", lambda name=name: ran.append(name) or {"log": [name]}) for name in "abc"]
        app = fan(*nodes, checkpointer=MemoryCheckpointer())
        chunks = app.stream({"log": []}, thread="t")
        next(chunks)
        chunks.close()

        done = len(ran)
        assert len(app.get_state(thread="t").next) == 3 - done
        assert app.invoke(None, thread="t") == {"log": ["a", "b", "c"]}
        assert sorted(ran) == ["a", "b", "c"]

    def test_another_attempt_is_not_waited_for(self) -> None:
        def speaks_and_fails(state: Any) -> None:
            get_stream_writer()("aloud")
            raise ConnectionError

        again = RetryPolicy(initial_interval=3600, jitter=False)
        graph = StateGraph(State).add_node("a", speaks_and_fails, retry_policy=again).add_edge(START, "a")
        app = graph.compile(checkpointer=MemoryCheckpointer())
        chunks = app.stream({"n": 0}, thread="t", stream_mode="custom")
        assert next(chunks) == "aloud"

        chunks.close()

        assert app.get_state(thread="t").next == ("a",)

    def test_what_a_node_raises_after_its_stream_was_closed_is_on_record(self) -> None:
        closing = Event()

        def fails(state: State) -> State:
            get_stream_writer()("runs")
            assert closing.wait(SECONDS)
            raise ValueError("too late")

        app = chain(fails, checkpointer=MemoryCheckpointer())
        chunks = app.stream({"log": []}, thread="t", stream_mode="custom")
        next(chunks)
        closing.set()
        chunks.close()

        (task,) = app.get_state(thread="t").tasks
        assert task.error == "ValueError('too late')"

    def test_what_can_not_be_saved_after_a_stream_was_closed_is_raised(self) -> None:
        class Full(MemoryCheckpointer):
            full = False

            def save(self, *args: Any) -> Any:
                if self.full:
                    raise OSError("no space left")
                return super().save(*args)

        saver = Full()
        chunks = chain(lambda state: get_stream_writer()("runs"), checkpointer=saver).stream(
            {"log": []}, thread="t", stream_mode="custom"
        )
        next(chunks)
        saver.full = True
        with pytest.raises(OSError, match="no space left"):
            chunks.close()

    @DURABILITIES
    def test_a_stream_that_is_closed_before_its_first_node_keeps_its_input(self, durability: Any) -> None:
        app = chain(lambda state: {"log": ["a"]}, checkpointer=MemoryCheckpointer())
        chunks = app.stream({"log": ["given"]}, thread="t", stream_mode="values", durability=durability)
        next(chunks)
        chunks.close()

        (task,) = app.get_state(thread="t").tasks
        assert (task.name, task.error) == ("n0", None)
        assert app.invoke(None, thread="t") == {"log": ["given", "a"]}

    def test_closing_a_stream_cancels_an_async_node_that_waits(self) -> None:
        ended = Event()

        async def stuck(state: State) -> State:
            get_stream_writer()("waiting")
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return {}

        chunks = chain(stuck).stream({"log": []}, stream_mode="custom")
        next(chunks)
        chunks.close()

        assert ended.is_set(), "close waits for the end"

    def test_closing_an_async_stream_awaits_the_end_of_the_run(self) -> None:
        async def scenario() -> tuple[bool, set[Any]]:
            ended = asyncio.Event()

            async def stuck(state: State) -> State:
                get_stream_writer()("waiting")
                try:
                    await asyncio.Event().wait()
                finally:
                    ended.set()
                return {}

            chunks = chain(stuck).astream({"log": []}, stream_mode="custom")
            await anext(chunks)
            await chunks.aclose()
            return ended.is_set(), asyncio.all_tasks() - {asyncio.current_task()}

        assert asyncio.run(scenario()) == (True, set())


@pytest.mark.parametrize("listened", [False, True])
def test_of_several_failures_the_first_in_task_order_is_raised(listened: bool) -> None:
    """Whichever came first: a sibling in a helper thread can't be cancelled, and may fail too."""
    failing = Event()

    def first(state: dict[str, Any]) -> None:
        assert failing.wait(10)
        raise ValueError("first")

    def second(state: dict[str, Any]) -> None:
        failing.set()
        raise ValueError("second")

    graph = StateGraph(dict).add_node("a", first).add_node("b", second).add_edge(START, "a").add_edge(START, "b")

    async def run() -> None:
        if listened:
            [chunk async for chunk in graph.compile().astream({}, stream_mode="values")]
        else:
            await graph.compile().ainvoke({})

    with pytest.raises(ValueError, match="first"):
        asyncio.run(run())


class TestChunksComeBeforeTheNextNodeRuns:
    """A stream that is left early has lost nothing that had finished."""

    @staticmethod
    def graph(ran: list[str], asynchronous: bool) -> CompiledStateGraph:
        def node(name: str) -> Any:
            def run(state: Any) -> dict[str, Any]:
                ran.append(name)
                return {"n": len(ran)}

            async def arun(state: Any) -> dict[str, Any]:
                return run(state)

            return arun if asynchronous else run

        built = StateGraph(TypedDict("Count", {"n": int}))
        return built.add_sequence([(name, node(name)) for name in "abc"]).add_edge(START, "a").compile(
            MemoryCheckpointer(), inline=True
        )  # fmt: skip

    @pytest.mark.parametrize("mode", ["updates", "values", "tasks"])
    def test_sync(self, mode: str) -> None:
        ran: list[str] = []
        graph = self.graph(ran, asynchronous=False)
        chunks = graph.stream({"n": 0}, thread="t", stream_mode=mode)
        while not ran:
            next(chunks)
        assert ran == ["a"]
        chunks.close()
        graph.invoke(None, thread="t")
        assert ran == ["a", "b", "c"]

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_async(self, asynchronous: bool) -> None:
        ran: list[str] = []
        graph = self.graph(ran, asynchronous)

        async def run() -> list[int]:
            return [len(ran) async for _ in graph.astream({"n": 0}, thread="t", stream_mode="updates")]

        assert asyncio.run(run()) == [1, 2, 3]

    @pytest.mark.parametrize("asynchronous", [False, True])
    @pytest.mark.parametrize(
        ("mode", "left"), [("updates", ["a"]), ("values", []), ("tasks", []), (["custom", "updates"], ["a"])]
    )
    def test_an_async_reader_that_stops_asking_stops_the_run(
        self, mode: Any, left: list[str], asynchronous: bool
    ) -> None:
        ran: list[str] = []
        graph = self.graph(ran, asynchronous)

        async def run() -> None:
            chunks = graph.astream({"n": 0}, thread="t", stream_mode=mode)
            await anext(chunks)
            for _ in range(20):  # rounds of the loop, in which nobody asks
                await asyncio.sleep(0)
            assert ran == left
            await chunks.aclose()  # type: ignore[attr-defined]  # it is a generator
            async for _ in graph.astream(None if left else {"n": 0}, thread="t"):
                break

        asyncio.run(run())
        assert ran == [*left, "b" if left else "a"]

    def test_what_runs_side_by_side_goes_on_while_nobody_asks(self) -> None:
        ended: list[str] = []

        def node(name: str) -> Any:
            async def run(state: Any) -> None:
                for _ in name:
                    await asyncio.sleep(0)
                ended.append(name)

            return run

        graph = StateGraph(dict)
        for name in ("a", "bbb", "cccccc"):
            graph.add_node(name, node(name)).add_edge(START, name)
        app = graph.add_node("last", node("last")).add_edge(["a", "bbb", "cccccc"], "last").compile()

        async def run() -> list[int]:
            chunks = app.astream({}, stream_mode="updates")
            await anext(chunks)
            for _ in range(40):
                await asyncio.sleep(0)
            assert len(ended) == 3
            return [len(ended) async for _ in chunks]

        assert asyncio.run(run()) == [3, 3, 4]


@pytest.mark.parametrize("make", [chain, fan])
def test_a_stopped_iterator_is_an_error_like_any_other(make: Callable[..., CompiledStateGraph]) -> None:
    """No future can hold a StopIteration: the run would wait for ever."""

    def stops(state: Any) -> Any:
        return next(iter(()))

    app = make(stops, lambda state: {})

    async def within_time() -> None:
        async with asyncio.timeout(SECONDS):
            await app.ainvoke({})

    with pytest.raises(RuntimeError, match="raised StopIteration"):
        app.invoke({})
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        asyncio.run(within_time())


class TestAsyncNodesSideBySide:
    """Those that never wait share an asyncio task; from the first that waits on, each has one of its own."""

    @staticmethod
    def waits(name: str, order: list[str], rounds: int) -> Callable[[Any], Any]:
        async def node(state: State) -> State:
            order.append(f"{name} begins")
            for _ in range(rounds):
                await asyncio.sleep(0)
            order.append(f"{name} ends")
            return {"log": [name]}

        return node

    def test_they_begin_in_order_and_wait_at_once(self) -> None:
        order: list[str] = []
        app = fan(*(self.waits(name, order, rounds) for name, rounds in (("a", 0), ("b", 2), ("c", 1), ("d", 0))))

        assert asyncio.run(app.ainvoke({"log": []})) == {"log": ["a", "b", "c", "d"]}
        assert order == [
            "a begins", "a ends", "b begins", "c begins", "d begins", "d ends", "c ends", "b ends",
        ]  # fmt: skip

    def test_each_that_waits_has_an_asyncio_task_of_its_own(self) -> None:
        found: list[Any] = []

        async def node(state: State) -> None:
            before = asyncio.current_task()
            async with asyncio.timeout(SECONDS):
                await asyncio.sleep(0)
            found.append((before, asyncio.current_task()))

        asyncio.run(fan(node, node, node).ainvoke({"log": []}))

        assert all(before is after for before, after in found)
        assert len({task for task, _ in found}) == 3

    def test_each_has_a_context_of_its_own(self) -> None:
        name: ContextVar[str] = ContextVar("name", default="nobody")

        def node(own: str, rounds: int) -> Callable[[Any], Any]:
            async def sets(state: State) -> State:
                assert name.get() == "the caller"
                name.set(own)
                for _ in range(rounds):
                    await asyncio.sleep(0)
                return {"log": [name.get()]}

            return sets

        async def scenario() -> Any:
            name.set("the caller")
            return await fan(node("a", 0), node("b", 2), node("c", 1)).ainvoke({"log": []}), name.get()

        assert asyncio.run(scenario()) == ({"log": ["a", "b", "c"]}, "the caller")

    @pytest.mark.parametrize("listened", [False, True])
    def test_a_failure_cancels_those_that_wait_and_keeps_those_that_ended(self, listened: bool) -> None:
        cancelled: list[str] = []

        async def waits(state: State) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("waits")
                raise

        async def fails(state: State) -> None:
            raise ValueError("b")

        order: list[str] = []
        nodes = self.waits("a", order, 0), fails, waits, self.waits("d", order, 0)
        app = fan(*nodes, checkpointer=MemoryCheckpointer())

        async def scenario() -> None:
            async with asyncio.timeout(SECONDS):
                if listened:
                    [chunk async for chunk in app.astream({"log": []}, thread="t", stream_mode="tasks")]
                else:
                    await app.ainvoke({"log": []}, thread="t")

        with pytest.raises(ValueError, match="b"):
            asyncio.run(scenario())
        assert cancelled == ["waits"]
        tasks = {task.name: task.result for task in app.get_state(thread="t").tasks}
        assert (tasks["n0"], tasks["n3"]) == ({"log": ["a"]}, {"log": ["d"]})

    @pytest.mark.parametrize("listened", [False, True])
    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_a_router_that_raises_cancelled_error_by_itself_has_failed(
        self, listened: bool, asynchronous: bool
    ) -> None:
        def gives_up(state: State) -> str:
            raise asyncio.CancelledError

        async def gives_up_later(state: State) -> str:
            return gives_up(state)

        built = StateGraph(State)
        for name in ("a", "b", "c"):
            built.add_node(name, self.waits(name, [], 0)).add_edge(START, name)
        app = built.add_conditional_edges("a", gives_up_later if asynchronous else gives_up, ["b", END]).compile()

        async def scenario() -> None:
            async with asyncio.timeout(SECONDS):
                if listened:
                    [chunk async for chunk in app.astream({"log": []}, stream_mode="tasks")]
                else:
                    await app.ainvoke({"log": []})

        with pytest.raises(NodeCancelledError, match="'a'"):
            asyncio.run(scenario())

    @pytest.mark.parametrize("saved", [False, True])
    def test_a_command_that_one_sends_up_lets_the_others_go_on(self, saved: bool) -> None:
        inner = StateGraph(State)
        inner.add_node("up", lambda state: Command(graph=Command.PARENT, update={"log": ["up"]}, goto="c"))
        sub = inner.add_edge(START, "up").compile()

        async def calls(state: State) -> Any:
            return await sub.ainvoke(state)

        built = StateGraph(State).add_node("a", calls, destinations=("c",)).add_node("b", self.waits("b", [], 3))
        built.add_node("c", self.waits("c", [], 0)).add_edge(START, "a").add_edge(START, "b")
        app = built.compile(checkpointer=MemoryCheckpointer() if saved else None)

        assert asyncio.run(app.ainvoke({"log": []}, thread="t")) == {"log": ["up", "b", "c"]}

    def test_those_that_never_got_a_turn_are_told_as_cancelled(self) -> None:
        async def fails(state: State) -> None:
            await asyncio.sleep(0)
            raise ValueError("first")

        nodes = fails, self.waits("b", [], 1), self.waits("c", [], 1)
        app = fan(*nodes, checkpointer=MemoryCheckpointer())
        with pytest.raises(ValueError, match="first"):
            asyncio.run(app.ainvoke({"log": []}, {"max_concurrency": 1, "configurable": {"thread_id": "t"}}))

        errors = {task.name: task.error for task in app.get_state(thread="t").tasks}
        assert [str(errors[name]) for name in ("n1", "n2")] == ["CancelledError()"] * 2

    @pytest.mark.parametrize("width", [1, 2])
    def test_no_more_run_at_once_than_are_allowed(self, width: int) -> None:
        running, most = 0, 0

        async def node(state: State) -> State:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            return {"log": ["x"]}

        asyncio.run(fan(*[node] * 5).ainvoke({"log": []}, {"max_concurrency": width}))
        assert most == width
