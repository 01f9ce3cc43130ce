"""Nodes that cancel: themselves, what they wait for, and what cancels them."""

import asyncio
from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    n: int


def cancel_own_task() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def itself(state: State) -> State:
    cancel_own_task()
    await asyncio.sleep(0)
    return {"n": 1}


async def itself_later(state: State) -> State:
    await asyncio.sleep(0)
    cancel_own_task()
    await asyncio.sleep(0.001)
    return {"n": 1}


async def itself_and_catches(state: State) -> State:
    cancel_own_task()
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        await asyncio.sleep(0)
    return {"n": 1}


async def itself_and_takes_it_back(state: State) -> State:
    cancel_own_task()
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        asyncio.current_task().uncancel()  # type: ignore[union-attr]  # it runs in one
    return {"n": 1}


async def by_raising(state: State) -> State:
    raise asyncio.CancelledError("mine")


async def by_raising_later(state: State) -> State:
    await asyncio.sleep(0)
    raise asyncio.CancelledError("mine")


async def what_it_waits_for(state: State) -> State:
    waited = asyncio.create_task(asyncio.sleep(10))
    waited.cancel()
    await waited
    return {"n": 1}


async def after_a_timeout(state: State) -> State:
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(10)
    except TimeoutError:
        cancel_own_task()
    await asyncio.sleep(0)
    return {"n": 1}


async def only_a_timeout(state: State) -> State:
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(10)
    except TimeoutError:
        return {"n": 1}
    return {"n": 2}


async def a_group(state: State) -> State:
    async def fail() -> None:
        raise ValueError("no")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.sleep(10)
    except ExceptionGroup as failed:
        return {"n": len(failed.exceptions)}
    return {"n": 2}


NODES: list[Callable[..., Any]] = [
    itself, itself_later, itself_and_catches, itself_and_takes_it_back, by_raising, by_raising_later,
    what_it_waits_for, after_a_timeout, only_a_timeout, a_group,
]  # fmt: skip


def graph_of(node: Any, shape: str, *, stored: bool) -> Any:
    async def end(state: State) -> State:
        return {"n": state.get("n", 0) + 1}

    ended = asyncio.Event()

    async def beside(state: State) -> State:
        update: State = await alone(state)
        ended.set()
        return update

    async def wait(state: State) -> None:
        """Longer than `node`: what fails has it cancelled."""
        await ended.wait()

    builder = StateGraph(State)
    if shape == "inside":
        inner = StateGraph(State)
        inner.add_node("node", node)
        inner.add_edge(START, "node")
        node = inner.compile()
    if shape == "beside":
        alone, node = node, beside
    builder.add_node("node", node)
    builder.add_node("end", end)
    builder.add_edge(START, "node")
    builder.add_edge("node", "end")
    if shape == "beside":
        builder.add_node("wait", wait)
        builder.add_edge(START, "wait")
    return builder.compile(checkpointer=InMemorySaver() if stored else None)


async def outcome(graph: Any, streams: bool) -> Any:
    config: Any = {"configurable": {"thread_id": "t"}}
    found: list[Any] = []
    try:
        if streams:
            found = [chunk async for chunk in graph.astream({"n": 0}, config)]
        else:
            found = [await graph.ainvoke({"n": 0}, config)]
    except Exception as error:
        found = [type(error).__name__, str(error), type(error.__cause__).__name__]
    task = asyncio.current_task()
    assert task is not None
    found.append(task.cancelling())
    if graph.checkpointer is not None:
        state = await graph.aget_state(config)
        found.append((state.values, state.next, [str(each.error) for each in state.tasks]))
    return found


def nodes_that_cancel(show: Any) -> None:
    for node in NODES:
        for shape in ("alone", "beside", "inside"):
            for stored in (False, True):
                for streams in (False, True):
                    found = asyncio.run(outcome(graph_of(node, shape, stored=stored), streams))
                    show(node.__name__, shape, found)


def callers_that_cancel(show: Any) -> None:
    """A run that is cancelled from outside ends with that, whatever its node does about it."""

    async def waits(state: State) -> State:
        await asyncio.sleep(10)
        return {"n": 1}

    async def cleans_up(state: State) -> State:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0)
        return {"n": 1}

    async def cancelled(node: Any, shape: str) -> Any:
        running = asyncio.create_task(graph_of(node, shape, stored=False).ainvoke({"n": 0}))
        await asyncio.sleep(0.02)
        running.cancel()
        try:
            return await running
        except asyncio.CancelledError as error:
            return [type(error).__name__, running.cancelled()]

    for node in (waits, cleans_up):
        for shape in ("alone", "beside", "inside"):
            show(node.__name__, shape, asyncio.run(cancelled(node, shape)))
