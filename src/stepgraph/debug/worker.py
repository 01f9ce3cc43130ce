"""Where a run lives: a daemon thread of its own."""

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
from stepgraph.debug.driver import HereDriver, LoopDriver, ThreadDriver
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
            task = asyncio.get_running_loop().create_task(self._drive(HereDriver(width=self._width)))
            self._cancel = partial(_cancel, task)
            task.add_done_callback(self._settle)
            return
        life = self._live_on_loop if self._has_async else self._live
        run = copy_context().run  # prints of node code go to the cell that started the run
        Thread(target=run, args=(life,), name=self._name, daemon=True).start()

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

    def _live(self) -> None:
        """The worker thread's whole life, for a graph of sync nodes."""
        driver = ThreadDriver(width=self._width)
        self._begin(driver.cancel)
        try:
            outcome: Outcome = driver.run(self.engine.run())
        except BaseException as error:  # noqa: BLE001  handed on to whoever waits for the run
            self.done.set_exception(_plain(error))
        else:
            self.done.set_result(outcome)

    def _live_on_loop(self) -> None:
        """The worker thread's whole life, for a graph with async nodes."""
        driver = LoopDriver(width=self._width)
        try:
            with asyncio.Runner() as runner:
                task = runner.get_loop().create_task(self._drive(driver))
                self._begin(partial(_cancel, task))
                runner.run(_waited(task))
        except BaseException as error:  # noqa: BLE001  the same
            self.done.set_exception(_plain(error))
        else:
            self.done.set_result(task.result())
        finally:
            driver.close()

    def _begin(self, cancel: Callable[[], None]) -> None:
        """The run can be cancelled from now on, and is if that was asked for before."""
        self._cancel = cancel
        if self.engine.scope.root.cancelled:
            cancel()

    async def _drive(self, driver: AsyncDriver) -> Outcome:
        outcome: Outcome = await driver.run(self.engine.run())
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


async def _waited(task: asyncio.Task[Outcome]) -> None:
    await task


def _cancel(task: asyncio.Task[Outcome]) -> None:
    if not task.get_loop().is_closed():
        task.get_loop().call_soon_threadsafe(task.cancel)


def _plain(error: BaseException) -> BaseException:
    """A cancelled task's error as the one that users know."""
    if isinstance(error, asyncio.CancelledError):
        return Cancelled("The run was cancelled.")
    return error


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
