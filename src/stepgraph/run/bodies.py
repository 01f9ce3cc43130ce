"""The bodies of nodes and their routers under an event loop: each in a context of its own, slow sync ones beside it."""

from __future__ import annotations

from asyncio import current_task
from collections.abc import Callable, Generator
from contextvars import Context
from inspect import CORO_CREATED, getcoroutinestate
from time import perf_counter
from traceback import walk_tb
from types import CoroutineType, coroutine
from typing import Any

from stepgraph.core.effects import Call
from stepgraph.core.lean import conclude
from stepgraph.core.plan import Node
from stepgraph.core.routing import Beside
from stepgraph.core.task import Task
from stepgraph.run.context import call_body, call_in_task
from stepgraph.run.context import current_task as running
from stepgraph.run.side_by_side import InContext, awaited, cancels_before, take_back

SLOW = 0.05
"""Seconds that routers of a node may keep an event loop busy. Some pause of the machine's may look like that, so once
does not count: from the second time on they are called in a helper thread."""


_RUNNING = {
    "asyncio.run() cannot be called from a running event loop",
    "Runner.run() cannot be called from a running event loop",
    "Cannot run the event loop while another loop is running",
    "This event loop is already running",
}
"""What asyncio says of a loop in a loop."""


def watch(node: Node, began: float) -> None:
    """Look how long its routers have taken since then; one where they took long twice is no lean node any more."""
    if perf_counter() - began > SLOW:
        node.delays += 1
        node.lean = node.lean and not is_slow(node)


def is_slow(node: Node) -> bool:
    """Whether its routers do not belong on an event loop."""
    return node.delays > 1


def wants_no_loop(node: Node, error: RuntimeError) -> bool:
    """Whether a sync router has failed because it runs an event loop of its own, as `asyncio.run` does.

    It is called again, in a helper thread, and the node's routers are called there from now on.
    """
    if str(error) not in _RUNNING:
        return False
    node.delays, node.lean = 2, False
    raised: BaseException | None = error
    while raised is not None:
        for frame, _ in walk_tb(raised.__traceback__):
            handed = frame.f_locals if str(frame.f_globals.get("__name__")).startswith("asyncio.") else {}
            for value in handed.values():
                if type(value) is CoroutineType and getcoroutinestate(value) == CORO_CREATED:
                    value.close()  # it is made anew there, and Python warns of one that was never awaited
        raised = raised.__context__
    return True


def concluded(task: Task, result: Any) -> None:
    """`conclude`, watched."""
    began = perf_counter()
    try:
        conclude(task, result)
    except RuntimeError as error:
        if task.collected and wants_no_loop(task.node, error):
            raise Beside from error
        raise
    if task.node.routers:
        watch(task.node, began)


def in_helper(task: Task, function: Callable[..., Any], *args: Any) -> Any:
    """Sync code in a helper thread. No future can hold a StopIteration: here it becomes a RuntimeError."""
    try:
        return function(*args)
    except StopIteration as error:
        raise RuntimeError(f"node {task.name!r} raised StopIteration") from error


OVER = object()
"""What `in_turn` yields when a body has ended. What a body waits for is an asyncio future, or None."""


@coroutine
def in_turn() -> Generator[Any, Any, None]:
    """Async bodies one after the other, each to be driven in a context of its own: a task is sent in for OVER.

    A generator for all of them takes no exception to tell that one has ended.
    """
    task: Task = yield OVER
    while True:
        node = task.node
        if node.inject is None and node.mapper is None:  # `call_body`, in line
            running.set(task)
            made = node.body(task.input)  # type: ignore[misc]  # START, which has none, is no async node
        else:
            made = call_body(task)
        body: Any = made if type(made) is CoroutineType or hasattr(made, "send") else awaited(made)
        result = yield from body
        if node.routers:
            concluded(task, result)
        else:
            conclude(task, result)
        task = yield OVER


@coroutine
def rest(bodies: Generator[Any, Any, None], context: Context, waited: Any) -> Generator[Any, Any, None]:
    """A body that waits, to its end. As in InContext, what it cancels of the asyncio task is taken back."""
    host: Any = current_task()
    cancels, before = host.cancelling, cancels_before(host)
    try:
        while waited is not OVER:
            known = cancels()
            if known or before:
                before = min(before, cancels_before(host))
            try:
                argument = yield waited
            except GeneratorExit:
                context.run(bodies.close)
                raise
            except BaseException as error:
                before += cancels() - known  # these came from elsewhere
                waited = context.run(bodies.throw, error)
            else:
                waited = context.run(bodies.send, argument)
    finally:
        take_back(host, before)


def begun(task: Task) -> tuple[Any, Any]:
    """Call an async body and take its first step: None and its result, or its coroutine and what that waits for."""
    coroutine = call_body(task)
    if not hasattr(coroutine, "send"):
        coroutine = awaited(coroutine)
    try:
        return coroutine, coroutine.send(None)
    except StopIteration as end:
        result = end.value
    if task.lean:
        concluded(task, result)
    return None, result


async def twin_in(task: Task, context: Context) -> Any:
    result = await InContext(context.run(call_body, task, True), context)
    return context.run(conclude, task, result) if task.lean else result


async def on_loop(task: Task, context: Context) -> Any:
    result = await InContext(context.run(call_body, task), context)
    return context.run(conclude, task, result) if task.lean else result


async def router_on_loop(call: Call, context: Context) -> Any:
    return await InContext(context.run(call_in_task, call.task, call.function, call.value, call.extra), context)
