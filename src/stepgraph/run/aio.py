"""The asyncio driver: one loop, one engine; parallel tasks as asyncio tasks, sync bodies in helper threads."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextvars import Context, ContextVar, copy_context
from functools import partial
from time import perf_counter
from typing import Any

from stepgraph.core import registry
from stepgraph.core.body import Continues
from stepgraph.core.checkpoint import flush
from stepgraph.core.effects import (
    Ask,
    Bodies,
    Call,
    Flow,
    Flush,
    Join,
    Load,
    Recall,
    Remember,
    Save,
    SaveRecord,
    Sleep,
    Together,
    Within,
)
from stepgraph.core.engine import Engine
from stepgraph.core.entry import open_thread
from stepgraph.core.errors import (
    Cancelled,
    GraphInterrupt,
    NodeTimeoutError,
    ParentCommand,
    is_invalid_resume,
    sync_timeout_unsupported,
)
from stepgraph.core.recovery import cancelled_itself
from stepgraph.core.routing import Beside, Follows
from stepgraph.core.shelf import TaskShelf
from stepgraph.core.sprint import begin, begin_stored, sprint
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Decision, Pause
from stepgraph.run.bodies import (
    OVER,
    begun,
    concluded,
    in_helper,
    in_turn,
    is_slow,
    on_loop,
    rest,
    router_on_loop,
    twin_in,
    wants_no_loop,
    watch,
)
from stepgraph.run.context import announce, call_body, call_in_task, caller_loop, decided
from stepgraph.run.reader import Reader
from stepgraph.run.side_by_side import Group, InContext, Side
from stepgraph.run.sync import USERS
from stepgraph.run.threads import pool


class AsyncDriver:
    """Performs effects on the running loop.

    With `node_loop`, async bodies run on that other loop (a debug session keeps its own free of user code).
    `width` limits how many tasks of a superstep run at once, in each graph: one limit for all would let a graph inside
    another one wait for the slot that it holds itself. `reader`, of a stream, gets a turn before the user's code runs
    again.
    """

    __slots__ = ("_in_thread", "_stopped", "node_loop", "reader", "width")

    def __init__(
        self,
        *,
        width: int | None = None,
        node_loop: asyncio.AbstractEventLoop | None = None,
        reader: Reader | None = None,
    ) -> None:
        self.node_loop = node_loop
        self.reader = reader
        self._in_thread: set[asyncio.Task[Any] | None] = set()
        """The asyncio tasks that wait for a body in a helper thread."""
        self._stopped: set[asyncio.Task[Any] | None] = set()
        """The asyncio tasks that were cancelled from here."""
        self.width = width

    async def run(self, flow: Flow, cancelled: asyncio.CancelledError | None = None) -> Any:
        """Drive the flow to its end and return its result. `cancelled` is what has ended an engine's run already."""
        step: Callable[[Any], Any] = flow.send
        argument: Any = None
        reader = self.reader
        while True:
            try:
                effect = step(argument)
            except StopIteration as end:
                return end.value
            except Cancelled:
                if cancelled is not None:
                    raise cancelled from None
                raise
            step = flow.send
            try:
                kind = type(effect)
                if reader is not None and (kind in USERS or kind is Within):  # no limit counts what the reader takes
                    await reader.turn()
                if kind is Task:
                    node = effect.node
                    if node.is_async and self.node_loop is None:
                        context = copy_context()
                        if not (node.quick or effect.lean):  # its routers will run in it
                            effect.context = context
                        coroutine, argument = context.run(begun, effect)
                        if coroutine is not None:
                            argument = await InContext(coroutine, context, argument)
                            if effect.lean:
                                argument = context.run(concluded, effect, argument)
                    else:
                        argument = await self._body(effect)
                elif kind is Call:
                    argument = await self._call(effect)
                elif kind is Bodies:
                    await self._bodies(effect)
                    argument = None
                elif kind is Together:
                    await self._together(effect)
                    argument = None
                elif kind is Save:
                    argument = effect.checkpointer.save(effect.thread, effect.ns, effect.checkpoint)
                    if argument is not None:
                        argument = await argument
                else:
                    argument = await self._perform(effect)
            except asyncio.CancelledError as error:
                if kind is Task and _by_itself():
                    step, argument = flow.throw, cancelled_itself(effect, error)
                else:
                    cancelled = error
                    step, argument = flow.throw, Cancelled("The run was cancelled.")
            except BaseException as error:
                step, argument = flow.throw, error

    async def straight(self, engine: Engine) -> tuple[bool, asyncio.CancelledError | None]:
        """Run a plan that is `straight` as far as it goes by lone lean tasks; whether the run is over, and well.

        Else `run` goes on with `engine.run()`: to a superstep of another kind, or with what a task raised, or with the
        second part, by which the run was cancelled. For calls that nobody looks at.
        """
        scope, flow = engine.scope, sprint(engine)
        try:
            if not engine.saving:
                begin(engine)
            elif not begin_stored(engine):
                scope.engine, engine.begun = engine, True
                await self.run(open_thread(engine))
                scope.values = engine.state.values
                if engine.pending:
                    return False, None
            bodies = in_turn()
            next(bodies)
            for effect in flow:
                kind = type(effect)
                if kind is Task:
                    try:
                        if effect.node.is_async:
                            context = copy_context()
                            waited = context.run(bodies.send, effect)
                            if waited is not OVER:
                                await rest(bodies, context, waited)
                        else:
                            await self._body(effect)
                    except BaseException as error:
                        flow.close()
                        if not isinstance(error, asyncio.CancelledError):
                            engine.failed = effect, error
                        elif _by_itself():
                            engine.failed = effect, cancelled_itself(effect, error)
                        else:
                            engine.failed = effect, Cancelled("The run was cancelled.")
                            return False, error
                        return False, None
                elif kind is Save:
                    saved = effect.checkpointer.save(effect.thread, effect.ns, effect.checkpoint)
                    if saved is not None:
                        await saved
                else:  # it waits for what node code called, or stores a record
                    await self._perform(effect)
        except BaseException:
            flow.close()
            await self.run(engine.join(cancel=True))
            raise
        finally:
            flow.close()
            scope.engine = None
        state = engine.state
        return not (state.next or state.sends or state.step > scope.stop), None

    async def _body(self, task: Task) -> Any:
        """A body that is sync, or that belongs on the node loop."""
        context = copy_context()
        if not (task.node.quick or task.lean):
            task.context = context
        if task.node.is_async:
            assert self.node_loop is not None
            future = asyncio.run_coroutine_threadsafe(on_loop(task, context), self.node_loop)
            return await asyncio.wrap_future(future)
        if task.node.twin is not None:
            return await self._twin(task, context)
        if task.node.inline or task.node.body is None:
            began = perf_counter()
            try:
                result = context.run(call_body, task)
            except RuntimeError as error:
                if task.collected and task.lean and wants_no_loop(task.node, error):
                    raise Beside from error
                raise
            if task.lean and task.node.routers:
                watch(task.node, began)
            return result
        return await self._beside(task, context, call_body, task)

    async def _beside(self, task: Task, context: Context, function: Callable[..., Any], *args: Any) -> Any:
        """Call it in a helper thread."""
        owner = asyncio.current_task()
        context.run(around.set, asyncio.get_running_loop())
        self._in_thread.add(owner)
        try:
            return await asyncio.wrap_future(pool.submit(context.run, in_helper, task, function, *args))
        finally:
            self._in_thread.discard(owner)

    async def _twin(self, task: Task, context: Context) -> Any:
        """A body that is sync under `invoke` and has an async form for here."""
        if self.node_loop is not None:
            running = asyncio.run_coroutine_threadsafe(twin_in(task, context), self.node_loop)
            return await asyncio.wrap_future(running)
        return await twin_in(task, context)

    async def _call(self, call: Call) -> Any:
        """A router. Sync ones run here, as most only look at the state, but not where they take long."""
        context = call.task.context or copy_context()
        if call.is_async and self.node_loop is not None:
            future = asyncio.run_coroutine_threadsafe(router_on_loop(call, context), self.node_loop)
            return await asyncio.wrap_future(future)
        call_it = partial(call_in_task, call.task, call.twin or call.function, call.value, call.extra)
        if call.is_async or call.twin is not None:
            return await InContext(context.run(call_it), context)
        if is_slow(call.task.node):
            return await self._beside(call.task, context, call_it)
        began = perf_counter()
        try:
            result = context.run(call_it)
        except RuntimeError as error:
            if wants_no_loop(call.task.node, error):
                return await self._beside(call.task, context, call_it)
            raise
        watch(call.task.node, began)
        return result

    async def _together(self, together: Together) -> None:
        """Run parallel tasks; the first failure cancels the others unless errors are held."""
        errors: dict[int, BaseException] = {}

        async def ending(position: int) -> bool:
            try:
                await self.run(together.flows[position])
            except asyncio.CancelledError as error:
                if asyncio.current_task() in self._stopped:
                    raise
                errors[position] = cancelled_itself(together.tasks[position], error)
                return True
            except BaseException as error:
                errors[position] = error
                return not (together.hold_errors or is_invalid_resume(error))
            return False

        await self._side_by_side(ending, range(len(together.flows)))
        if errors:
            raise errors[min(errors)]

    async def _bodies(self, bodies: Bodies) -> None:
        """Call parallel bodies; what they raise stays with their tasks."""
        if await self._side_by_side(partial(self._lean, bodies.shelf), bodies.tasks):
            for task in bodies.tasks:
                if task.status != "finished" and task.error is None:  # it was cancelled before it began
                    task.error = _beside_failure(task)

    async def _side_by_side(self, call: Side, items: Sequence[Any]) -> bool:
        """Call it with each item; when one call says that it failed, the others are cancelled. Whether one did."""
        group = Group(call, len(items), asyncio.Semaphore(self.width) if self.width else None)
        group.start(group.in_turn(deque(items)))
        try:
            failed = await group.end
        except asyncio.CancelledError:
            self._stopped.update(group.running)
            await _end(group.running)
            raise
        if failed:
            await self._settle([each for each in group.running if not each.done()])
        return failed

    async def _settle(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Cancel the siblings of a failure. Those in a thread can't be, so they end and what they made is kept."""
        waiting = list(tasks)
        for task in waiting:
            if task not in self._in_thread:
                self._stopped.add(task)
                task.cancel()
        try:
            await asyncio.gather(*waiting, return_exceptions=True)
        except asyncio.CancelledError:
            self._stopped.update(waiting)
            await _end(waiting)
            raise

    async def _lean(self, shelf: TaskShelf | None, task: Task) -> bool:
        """One of parallel bodies, in a context of its own. Whether it failed, so that the others are to end."""
        try:
            if task.node.is_async and self.node_loop is None:
                concluded(task, await call_body(task))
            else:
                await self._body(task)
            if shelf is not None:
                shelf.keep(task)
        except asyncio.CancelledError as error:
            if asyncio.current_task() in self._stopped:
                task.error = _beside_failure(task)
                raise
            task.error = cancelled_itself(task, error)
            return True
        except BaseException as error:
            task.error = error
            return not (isinstance(error, _NO_FAILURES) or is_invalid_resume(error))
        return False

    async def _within(self, flow: Flow, task: Task | None, policy: Any, seconds: float | None) -> Any:
        """Run a flow as an asyncio task of its own, and cancel that when a limit is passed."""
        if task is not None and not (task.node.is_async or task.node.child is not None):
            flow.close()
            raise sync_timeout_unsupported(task.name)
        run = seconds if policy is None else policy.run_timeout
        idle = None if policy is None else policy.idle_timeout
        if idle is not None and policy.refresh_on == "auto" and "langchain_core" in sys.modules:
            registry.taps.load("langchain progress")()
        clock = asyncio.get_running_loop().time
        started = last = clock()

        def beat() -> None:
            nonlocal last
            last = clock()

        if task is not None and idle is not None:
            task.heartbeat = beat
            task.progress = beat if policy.refresh_on == "auto" else None
        running = asyncio.ensure_future(self.run(flow))
        kind = "run"
        try:
            while not running.done():
                ends = {"run": started + run} if run is not None else {}
                if idle is not None:
                    ends["idle"] = last + idle
                kind = min(ends, key=lambda each: ends[each])
                if clock() >= ends[kind]:
                    break
                await asyncio.wait([running], timeout=ends[kind] - clock())
            if running.done():
                return running.result()
        except asyncio.CancelledError:
            await _end([running])
            raise
        finally:
            if task is not None:
                task.heartbeat = task.progress = None
        if task is not None:
            task.hushed = task.attempt
        running.cancel()
        await asyncio.wait([running], timeout=GRACE)
        running.add_done_callback(lambda late: late.cancelled() or late.exception())
        if task is None:
            raise TimeoutError(f"A superstep took longer than its step_timeout of {seconds} seconds.")
        raise NodeTimeoutError(task.name, clock() - started, kind=kind, idle_timeout=idle, run_timeout=run)  # type: ignore[arg-type]  # one of the two keys

    async def _joined(self, futures: Iterable[Future[Any]], cancel: bool) -> None:
        """Wait for what node code called; what became of it is for whoever asked for it."""
        for future in futures:
            if cancel and not getattr(future, "leaving", False):  # asked twice, it would not get to clean up
                future.cancel()
        await asyncio.gather(*(asyncio.wrap_future(each) for each in futures), return_exceptions=True)

    async def _perform(self, effect: Any) -> Any:
        match effect:
            case Ask(scope, pause):
                return await _asked(scope, pause)
            case SaveRecord(checkpointer, thread, ns, checkpoint, record):
                handed = checkpointer.save_record(thread, ns, checkpoint, record)
                return None if handed is None else await handed
            case Flush(checkpointer) if getattr(checkpointer, "awaits", False):
                return await checkpointer.flush()
            case Load(checkpointer) if getattr(checkpointer, "awaits", False):
                return await checkpointer.load(*effect[1:])
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
            case Within(flow, task, policy, seconds):
                return await self._within(flow, task, policy, seconds)
            case Recall(cache, key):
                if getattr(cache, "in_memory", False):
                    return cache.get([key]).get(key, MISSING)
                return (await cache.aget([key])).get(key, MISSING)
            case Remember(cache, key, value, ttl):
                if getattr(cache, "in_memory", False):
                    return cache.set({key: (value, ttl)})
                return await cache.aset({key: (value, ttl)})
            case Join(futures, cancel):
                return await self._joined(futures, cancel)
            case Flush(checkpointer, thread):
                return await asyncio.wrap_future(pool.submit(flush, checkpointer, thread))
            case Load(checkpointer, thread, ns, checkpoint):
                if getattr(checkpointer, "in_memory", False):
                    return checkpointer.load(thread, ns, checkpoint)
                if hasattr(checkpointer, "lacks") and checkpointer.lacks(thread, ns):
                    return None
                loop = asyncio.get_running_loop()
                return await asyncio.wrap_future(pool.submit(_beside, loop, checkpointer.load, thread, ns, checkpoint))
        raise TypeError(f"Not an effect: {effect!r}")


def _beside(loop: asyncio.AbstractEventLoop, function: Callable[..., Any], *args: Any) -> Any:
    """Call it, in a helper thread which knows the loop that waits for it: a saver may have async methods only."""
    token = caller_loop.set(loop)
    try:
        return function(*args)
    finally:
        caller_loop.reset(token)


GRACE = 0.1
"""Seconds that a timed-out attempt has to clean up before it is left behind; what it says is dropped either way."""


def _by_itself() -> bool:
    """Whether a CancelledError that was caught here comes from user code, because nobody has cancelled this task."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() == 0


_NO_FAILURES = (GraphInterrupt, ParentCommand, Continues, Follows, Beside)
"""What may end a body though nothing is wrong: its siblings go on."""


def _beside_failure(task: Task) -> Cancelled:
    return Cancelled(f"Node {task.name!r} was cancelled because a node beside it failed.")


around: ContextVar[asyncio.AbstractEventLoop] = ContextVar("stepgraph_loop")
"""The loop that drives the run, for sync node code in a helper thread."""


async def _asked(scope: Any, pause: Pause) -> Decision:
    answer: Decision | Future[Decision] = scope.gate(pause)
    if isinstance(answer, Decision):
        return answer
    if not answer.done():
        announce(scope, pause)
    decision: Decision = await asyncio.wrap_future(answer)
    decided(scope, pause, decision)
    return decision


async def _end(tasks: Any) -> None:
    """Cancel and wait until nothing is left running."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
