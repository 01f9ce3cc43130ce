"""LangGraph's queues, futures and executors, and how a graph inside is found again, called by themselves."""

import asyncio
import concurrent.futures
import inspect
import queue
import threading
from contextvars import ContextVar
from typing import Any

from langchain_core.runnables import RunnableLambda
from langgraph._internal._future import chain_future, run_coroutine_threadsafe
from langgraph._internal._queue import AsyncQueue, Semaphore, SyncQueue
from langgraph._internal._replay import ReplayState
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt
from langgraph.graph import START, StateGraph
from langgraph.pregel._executor import AsyncBackgroundExecutor, BackgroundExecutor, Submit, gated, next_tick
from langgraph.pregel._utils import get_function_nonlocals, validate_timeout_supported
from langgraph.stream._convert import convert_to_protocol_event

VARIABLE: ContextVar[str] = ContextVar("variable", default="outside")


def error_of(act: Any) -> Any:
    try:
        return act()
    except BaseException as error:
        return type(error).__name__, str(error)


def threads(show: Any) -> None:
    q: Any = SyncQueue()
    show(q.empty(), q.qsize(), error_of(q.get), error_of(lambda: q.get(timeout=-1)), error_of(lambda: q.wait(True, -1)))
    q.put(1)
    q.put(2, False, 3)
    show(q.empty(), q.qsize(), q.wait(), q.get(), q.get(block=True), q.empty(), q.wait(False), q.wait(True, 0.01))
    show(error_of(lambda: q.get(True, 0.01)), SyncQueue[int] is not None, queue.Empty.__name__)
    other = threading.Thread(target=lambda: (q.wait(), q.put(q.get() + 1)))
    q.put(5)
    other.start()
    other.join()
    show(q.get())
    none, one = Semaphore(0), Semaphore(1)
    show(none.wait(False), none.wait(True, 0.01), one.wait(), one.wait(False), one.acquire(False), one.acquire(False))
    show(error_of(lambda: one.wait(False, 1)))


def loops(show: Any) -> None:
    async def main() -> None:
        q: Any = AsyncQueue()
        waiting = [asyncio.create_task(q.wait()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        q.put_nowait(1)
        show(await asyncio.gather(*waiting, return_exceptions=True), q.qsize(), await q.get(), q.empty())
        taking, looking = asyncio.create_task(q.get()), asyncio.create_task(q.wait())
        await asyncio.sleep(0)
        q.put_nowait(2)
        show(await taking)
        await asyncio.sleep(0)
        show(looking.done())
        q.put_nowait(3)
        show(await looking, q.get_nowait())
        show(await gated(asyncio.Semaphore(1), asyncio.sleep(0, "gated")))

    asyncio.run(main())


def chained(show: Any) -> None:
    kinds: Any = (concurrent.futures.Future, lambda: asyncio.get_running_loop().create_future())

    async def main() -> None:
        for source_of in kinds:
            for destination_of in kinds:
                for end in (
                    lambda f: f.set_result(1), lambda f: f.set_exception(ValueError("no")), lambda f: f.cancel(),
                ):  # fmt: skip
                    source, destination = source_of(), destination_of()
                    show(chain_future(source, destination) is destination)
                    end(source)
                    await asyncio.sleep(0.01)
                    show(destination.done(), destination.cancelled(), error_of(destination.result))
                source, destination = source_of(), destination_of()
                chain_future(source, destination)
                destination.cancel()
                await asyncio.sleep(0.01)
                show(source.cancelled())
        show(error_of(lambda: chain_future(1, concurrent.futures.Future())))
        loop = asyncio.get_running_loop()

        async def work(value: Any) -> Any:
            if isinstance(value, Exception):
                raise value
            return value, VARIABLE.get()

        show(await run_coroutine_threadsafe(work(1), loop, lazy=True, name="n"))
        for value in (2, ValueError("no")):
            made = await asyncio.to_thread(run_coroutine_threadsafe, work(value), loop, lazy=False)
            show(await asyncio.gather(made, return_exceptions=True), made.get_loop() is loop)
        show(error_of(lambda: run_coroutine_threadsafe(1, loop, lazy=True))[0])  # type: ignore[arg-type]  # no coroutine

    asyncio.run(main())


def fails(error: BaseException) -> None:
    raise error


def beside(show: Any) -> None:
    VARIABLE.set("inside")
    with BackgroundExecutor({}) as submit:
        futures = [submit(VARIABLE.get), submit(len, "abc", __name__="x"), submit(sorted, [2, 1], reverse=True)]
        quiet = submit(fails, ValueError("quiet"), __reraise_on_exit__=False)
        signal = submit(fails, GraphInterrupt(()))
        late = submit(lambda: "late", __next_tick__=True)
    show([each.result() for each in futures], late.result(), error_of(quiet.result)[0], error_of(signal.result)[0])

    def loud(own: bool) -> None:
        with BackgroundExecutor({"max_concurrency": 1}) as submit:
            submit(fails, KeyError("loud"))
            if own:
                raise RuntimeError("own")

    show(error_of(lambda: loud(False)), error_of(lambda: loud(True)), next_tick(lambda a, b=1: (a, b), 5))
    show([each for each in inspect.signature(Submit.__call__).parameters if each != "self"])


def beside_in_a_loop(show: Any) -> None:
    async def work(value: Any = None, error: Any = None) -> Any:
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return value, VARIABLE.get()

    async def main(raises: bool, own: bool) -> None:
        VARIABLE.set("inside")
        async with AsyncBackgroundExecutor({"max_concurrency": 2}) as submit:
            futures = [submit(work, each, __next_tick__=bool(each)) for each in range(3)]
            waiting = submit(asyncio.sleep, 100, __cancel_on_exit__=True)
            quiet = submit(work, error=ValueError("quiet"), __reraise_on_exit__=False)
            submit(work, error=GraphInterrupt(()))
            if raises:
                submit(work, error=KeyError("loud"))
            if own:
                raise RuntimeError("own")
        show([await each for each in futures], waiting.cancelled(), error_of(quiet.result))

    for raises, own in ((False, False), (True, False), (True, True)):
        show(error_of(lambda: asyncio.run(main(raises, own))))  # noqa: B023  called at once


def replays(show: Any) -> None:
    saver = InMemorySaver()
    app = StateGraph(dict).add_node("a", lambda s: {"x": 1}).add_edge(START, "a").compile(checkpointer=saver)
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    for _ in range(2):
        app.invoke({"x": 0}, config)
    found = [each.config["configurable"]["checkpoint_id"] for each in saver.list(config)]
    state = ReplayState(found[2])
    show(state.checkpoint_id == found[2])
    where: Any = [state.get_checkpoint(ns, saver, config) for ns in ("n:1", "n:2", "m|o:1", "m|o", "plain", "plain")]
    show([found.index(each.checkpoint["id"]) for each in where])
    show(ReplayState(found[-1]).get_checkpoint("n:1", saver, config))
    later = asyncio.run(ReplayState(found[1]).aget_checkpoint("n:1", saver, config))
    show(found.index(later.checkpoint["id"]))


def parts(show: Any) -> None:
    given: Any = {"type": "values", "ns": ("a", "b"), "data": {"x": 1}}
    for part in (given, {**given, "interrupts": ()}):
        event: Any = convert_to_protocol_event(part)
        show(isinstance(event["params"].pop("timestamp"), int), event)


OUTSIDE = {"x": StateGraph}


def functions(show: Any) -> None:
    captured = object()

    def uses() -> Any:
        return captured, OUTSIDE["x"], asyncio.sleep

    show([each is captured for each in get_function_nonlocals(uses)][:1], get_function_nonlocals(len))
    show(asyncio.sleep in get_function_nonlocals(uses), get_function_nonlocals(lambda: 1))

    async def awaited(_: Any) -> None:
        """Does nothing."""

    runnables: Any = [RunnableLambda(awaited), RunnableLambda(lambda x: x), RunnableLambda(awaited) | (lambda x: x)]
    runnables += [RunnableLambda(awaited) | awaited, RunnableLambda(awaited).with_config(tags=["a"])]
    app = StateGraph(dict).add_node("a", awaited).add_node("b", lambda s: s).add_edge(START, "a").compile()
    runnables += [app, app.nodes["a"].bound, app.nodes["b"].bound]
    found = [error_of(lambda: validate_timeout_supported(each, name="n")) for each in runnables]  # noqa: B023  at once
    show([each and (each[0], each[1].partition("sync.")[0][:90]) for each in found])
