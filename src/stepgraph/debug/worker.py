"""Where a run lives: a daemon thread of its own, and a second one with an event loop for async nodes."""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import Any

from stepgraph.core.engine import Engine, Outcome
from stepgraph.core.errors import Cancelled
from stepgraph.debug.driver import SessionDriver
from stepgraph.run.aio import AsyncDriver
from stepgraph.run.context import call_body


class Worker:
    """One stretch of a run's life: from a start or resume to its end, pause or failure.

    `done` gets the Outcome or the error. With `here` the run is a task on the running loop, with its nodes.
    """

    def __init__(self, engine: Engine, *, name: str, has_async: bool, here: bool = False) -> None:
        self.engine = engine
        self.done: Future[Outcome] = Future()
        self._name = name
        self._has_async = has_async
        self._here = here
        self._width = engine.request.config.get("max_concurrency")
        self._cancel: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin; returns at once."""
        if self._here:
            task = asyncio.get_running_loop().create_task(self._drive())
            self._cancel = partial(_cancel, task)
            task.add_done_callback(self._settle)
            return
        nodes = _NodeLoop(self._name) if self._has_async else None
        driver = SessionDriver(width=self._width, node_loop=None if nodes is None else nodes.loop)
        self._cancel = driver.cancel
        run = copy_context().run  # prints of node code go to the cell that started the run
        Thread(target=run, args=(self._live, driver, nodes), name=self._name, daemon=True).start()

    def cancel(self, *, force: bool = False) -> None:
        """End at the next boundary; async nodes end where they wait.

        `force` also raises Cancelled in running sync nodes; a call into C code ends when it returns to Python.
        """
        self.engine.scope.root.cancelled = True
        running = self._threads()
        if force:
            for thread in running:
                _raise_in(thread, Cancelled)
        if force or not running:
            self._cancel()

    def _live(self, driver: SessionDriver, nodes: _NodeLoop | None) -> None:
        """The worker thread's whole life."""
        try:
            outcome: Outcome = driver.run(self.engine.run())
        except BaseException as error:  # noqa: BLE001  handed on to whoever waits for the run
            self.done.set_exception(_plain(error))
        else:
            self.done.set_result(outcome)
        finally:
            if nodes is not None:
                nodes.stop()

    async def _drive(self) -> Outcome:
        outcome: Outcome = await AsyncDriver(width=self._width).run(self.engine.run())
        return outcome

    def _settle(self, task: asyncio.Task[Outcome]) -> None:
        if task.cancelled():
            self.done.set_exception(_plain(asyncio.CancelledError()))
        elif (error := task.exception()) is not None:
            self.done.set_exception(_plain(error))
        else:
            self.done.set_result(task.result())

    def _threads(self) -> list[int]:
        """The threads in which bodies of this run execute now, found by the frames of the call that runs them."""
        root = self.engine.scope.root
        found = []
        for thread, frame in sys._current_frames().items():
            at: Any = frame
            while at is not None:
                if at.f_code is call_body.__code__ and at.f_locals["task"].scope.root is root:
                    found.append(thread)
                    break
                at = at.f_back
        return found


class _NodeLoop:
    """A thread in which the async nodes of one run are awaited, so that a blocking one can't stop the engine."""

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        Thread(target=copy_context().run, args=(self._run,), name=f"{name}-nodes", daemon=True).start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)


def _cancel(task: asyncio.Task[Outcome]) -> None:
    task.get_loop().call_soon_threadsafe(task.cancel)


def _plain(error: BaseException) -> BaseException:
    """A cancelled task's error as the one that users know."""
    if isinstance(error, asyncio.CancelledError):
        return Cancelled("The run was cancelled.")
    return error


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
