"""An event loop that goes on in another thread while code on it blocks: who waits for a person holds up nobody else.

One thread at a time drives the loop. A thread that blocks in one of the loop's callbacks hands the loop to a helper,
and gets it back, between two other callbacks, when what it waits for is there. So all of a run's async nodes share one
loop, however many of them wait, and each goes on as soon as its own answer has come.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from threading import Event, get_ident
from typing import Any
from weakref import WeakKeyDictionary

from stepgraph.run.threads import pool

_relays: WeakKeyDictionary[Any, Relay] = WeakKeyDictionary()


class Relayed(Future[Any]):
    """A future whose `result()` may be waited for in a callback of a loop: the loop goes on meanwhile."""

    def result(self, timeout: float | None = None) -> Any:
        loop = asyncio._get_running_loop()
        if timeout is None and not self.done() and isinstance(loop, asyncio.BaseEventLoop):
            if loop not in _relays:
                _relays[loop] = Relay(loop)
            _relays[loop].wait(self)
        return super().result(timeout)


class Unwaited(Future[Any]):
    """A future whose `result()` must not be waited for: the loop that blocks is the one by which the answer comes."""

    def result(self, timeout: float | None = None) -> Any:
        if not self.done():
            self.cancel()
            raise RuntimeError(
                "Held in a graph that node code calls with invoke() on the event loop, where nobody can answer while "
                "it blocks: use `await graph.ainvoke(...)` in an async node, or debug(graph, where='thread')."
            )
        return super().result(timeout)


class Relay:
    """Who drives a loop. Made in the thread that runs it; every method is called by the thread that drives it then."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._first = get_ident()
        """The thread that must have the loop in the end: its `run_until_complete` waits for the loop's result."""
        self._home: Event | None = None
        """Set to give the loop back to the first thread, which waits in a callback for a helper to let go of it."""
        self._heir: Event | None = None
        """Who gets the loop when the helper that drives it has ended its round."""
        self._waiting: list[Event] = []
        self._problem: BaseException | None = None

    def wait(self, answer: Future[Any]) -> None:
        """Block this callback until `answer` is there, and let the others go on."""
        loop, turn = self._loop, Event()
        answer.add_done_callback(lambda _: loop.call_soon_threadsafe(self._give, turn))
        task = asyncio.current_task(loop)
        self._waiting.append(turn)
        try:
            self._step_aside(turn, task)
        finally:
            self._waiting.remove(turn)

    def _give(self, turn: Event) -> None:
        """A callback: let the thread that waits for `turn` go on with its own callback."""
        if get_ident() == self._first:
            self._home, self._heir = Event(), turn
            self._step_aside(self._home, None)
        elif self._heir is not None:
            self._loop.call_soon(self._give, turn)
        else:
            self._heir = turn
            self._loop.stop()

    def _step_aside(self, turn: Event, task: Any) -> None:
        """Hand the loop on, and take it back when it is this thread's turn again."""
        loop, ready = self._loop, len(self._loop._ready)
        if task is not None:
            asyncio.tasks._leave_task(loop, task)
        asyncio._set_running_loop(None)
        loop._thread_id, loop._stopping = None, False
        self._hand_on(turn)
        turn.wait()
        loop._thread_id = get_ident()
        asyncio._set_running_loop(loop)
        if task is not None:
            asyncio.tasks._enter_task(loop, task)
        for _ in range(ready - len(loop._ready)):  # the round that this callback is in counts on as many others
            loop.call_soon(_nothing)
        if self._home is not None and get_ident() != self._first:
            loop.stop()  # a helper lets go of the loop after this callback: the first thread waits for it
        problem, self._problem = self._problem, None
        if problem is not None:
            raise problem

    def _hand_on(self, mine: Event) -> None:
        heir, self._heir = self._heir, None
        if heir is None and self._home is not mine:
            heir, self._home = self._home, None
        if heir is None:
            pool.start(self._help)
        else:
            heir.set()

    def _help(self) -> None:
        """A helper's life: drive the loop until somebody else is to have it."""
        try:
            while self._heir is None and self._home is None:
                asyncio.BaseEventLoop.run_forever(self._loop)
        except BaseException as error:  # noqa: BLE001  what ends a loop, such as SystemExit, ends it where it was begun
            self._problem = error
            self._heir = self._heir or self._home or self._waiting[0]
        heir, self._heir = self._heir, None
        if heir is None:
            heir, self._home = self._home, None
        assert heir is not None
        heir.set()


def _nothing() -> None:
    """A callback in place of one that another thread has made meanwhile."""
