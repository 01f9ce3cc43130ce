"""Calling functions of the functional API from node code: each is a task of the same superstep, with a future."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import replace
from threading import Lock
from typing import Any

from stepgraph.core import registry
from stepgraph.core.effects import Flow
from stepgraph.core.events import TaskPlanned
from stepgraph.core.flow import call_flow
from stepgraph.core.keeping import planned
from stepgraph.core.plan import Node
from stepgraph.core.task import Task, call_of
from stepgraph.core.types import RETURN
from stepgraph.run.context import running_task
from stepgraph.run.sync import SyncDriver
from stepgraph.run.threads import Turns, pool

_turning = Lock()
"""Held while a caller's turns are made: it may call from several threads at once."""


class Called(Future[Any]):
    """The result of a called function, for sync code; awaiting it works in async code."""

    def __await__(self) -> Generator[Any, Any, Any]:
        import asyncio

        return (yield from asyncio.wrap_future(self).__await__())


def start(node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Start the function that `node` stands for, in the running task's superstep; a future of its result.

    What an earlier process or attempt recorded of it is its result. In a coroutine the future is asyncio's.
    Raises RuntimeError outside of a node, and for an async function where no event loop runs.
    """
    caller = running_task(node.name)
    caller.alone = False  # so that the superstep waits for it
    scope = caller.scope
    plan = scope.plan
    if plan.call_retries or plan.call_cache is not None:
        node = replace(node, retries=node.retries or plan.call_retries, cache=node.cache or plan.call_cache)
    if caller.callbacks is not None:
        node = registry.adapters.load("called")(node)
    task = call_of(caller, node, (args, kwargs))
    if scope.called is None:
        scope.called = {}
    known = scope.called.get(task.id)
    if known is not None and getattr(known, "leaving", False):  # an earlier attempt's, which is cleaning up
        scope.called[f"{task.id} {len(scope.called)}"], known = known, None
    if known is None or (known.done() and (known.cancelled() or known.exception() is not None)):
        known = scope.called[task.id] = _started(caller, task)
    return _as_seen(known, scope.request.blocking)


def _started(caller: Task, task: Task) -> Future[Any]:
    scope = caller.scope
    task.records = scope.recorded.get(task.id)
    if scope.emit is not None and TaskPlanned not in scope.unheard:
        planned(task)  # here, so that calls are told of in their order, whichever thread begins first
    if task.records is not None and "outcome" in task.records:
        finished: Future[Any] = Future()
        finished.set_result(dict(task.records["outcome"].payload[0]).get(RETURN))
        return finished
    return begin(task, call_flow(scope.engine, task))


def begin(task: Task, flow: Flow) -> Future[Any]:
    """Run a called function beside its caller, as the run's driver does: on its event loop, or in a helper thread."""
    loop = None if task.scope.request.blocking else _loop()
    width: int | None = task.scope.request.config.get("max_concurrency")
    if loop is None:
        if task.node.is_async:
            raise RuntimeError(
                f"In an sync context async tasks cannot be called: {task.name!r} is async. "
                "Make the function that calls it async, or run the graph with `ainvoke` or `astream`."
            )
        helpers = pool if not width else _turns(task, Turns, width)
        called: Future[Any] = helpers.submit(copy_context().run, SyncDriver().run, flow)
        return called
    from stepgraph.run.aio import AsyncDriver
    from stepgraph.run.looped import Looped, in_turn

    coroutine = AsyncDriver().run(flow)
    if width:
        coroutine = in_turn(_turns(task, sys.modules["asyncio"].Semaphore, width), coroutine)
    return Looped(coroutine, loop)


def _turns(task: Task, kind: type[Any], width: int) -> Any:
    """What lets `width` calls of one caller run at once. One limit for all would let a caller wait for its own slot."""
    caller = task.caller
    assert caller is not None
    with _turning:
        if not isinstance(caller.turns, kind):
            caller.turns = kind(width)
        return caller.turns


def _loop() -> Any:
    """The loop that drives the run; None under the sync driver. A loop is running only if asyncio is loaded."""
    aio = sys.modules.get("stepgraph.run.aio")
    if aio is None:
        return None
    try:
        return aio.asyncio.get_running_loop()
    except RuntimeError:
        return aio.around.get(None)


def _as_seen(future: Future[Any], blocking: bool) -> Any:
    """A future of its own for the caller: cancelling it cancels the call. No asyncio one for a `blocking` run."""
    seen = Called()

    def passed(done: Future[Any]) -> None:
        if not seen.set_running_or_notify_cancel():
            return
        if done.cancelled():
            from stepgraph.core.errors import Cancelled

            seen.set_exception(Cancelled("The called function was cancelled."))
        elif (error := done.exception()) is not None:
            seen.set_exception(error)
        else:
            seen.set_result(done.result())

    def given_up(seen: Future[Any]) -> None:
        if seen.cancelled():
            future.cancel()

    asyncio = None if blocking else sys.modules.get("asyncio")
    if asyncio is not None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asyncio = None
    future.add_done_callback(passed)
    seen.add_done_callback(given_up)
    if asyncio is None:
        return seen
    awaited = asyncio.wrap_future(seen)
    awaited.add_done_callback(lambda each: each.cancelled() or each.exception())
    return awaited


def node_of(function: Callable[..., Any], name: str, **settings: Any) -> Node:
    """The node that stands for a called function. Its input is (args, kwargs), its update the lone result."""
    return Node(name, function, reads=(), writes=frozenset((RETURN,)), quick=True, source=function, **settings)
