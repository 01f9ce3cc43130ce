"""Reused daemon threads for node bodies: a call costs a queue hand-over, and no thread keeps the process alive."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Condition, Event, Lock, Thread
from time import monotonic, sleep
from typing import Any

IDLE_SECONDS = 10.0
SLOW_SECONDS = 0.001
"""A sync task that lasts longer lets helper threads take its waiting siblings."""
WORKERS = min(32, (os.cpu_count() or 1) + 4)


class _Worker(Thread):
    def __init__(self, pool: Pool) -> None:
        super().__init__(name="stepgraph-worker", daemon=True)
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._pool = pool

    def run(self) -> None:
        while True:
            try:
                job = self.jobs.get(timeout=IDLE_SECONDS)
            except Empty:
                if self._pool.retire(self):
                    return
                continue
            job()
            del job
            self._pool.idle.append(self)


class Pool:
    """As many threads as there are calls at once; an idle one ends after ten seconds."""

    def __init__(self) -> None:
        self.idle: deque[_Worker] = deque()

    def start(self, job: Callable[[], None]) -> None:
        """Run `job`, which must not raise, in an idle or new thread; here, where no thread can be started (Pyodide)."""
        try:
            worker = self.idle.pop()
        except IndexError:
            worker = _Worker(self)
            try:
                worker.start()
            except RuntimeError:
                job()
                return
        worker.jobs.put(job)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Call `function(*args)` in a thread."""
        future: Future[Any] = Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = function(*args)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self.start(job)
        return future

    def retire(self, worker: _Worker) -> bool:
        """Take an idle worker off the list; False if a call was handed to it meanwhile."""
        try:
            self.idle.remove(worker)
        except ValueError:
            return False
        return True


pool = Pool()


class Turns:
    """Calls of which at most `width` run at once, in helper threads; the others wait in their order."""

    def __init__(self, width: int) -> None:
        self._free = width
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = Lock()

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Call `function(*args)` in a thread when it is its turn."""
        future: Future[Any] = Future()

        def job() -> None:
            try:
                if future.set_running_or_notify_cancel():
                    future.set_result(function(*args))
            except BaseException as error:
                future.set_exception(error)
            self._next()

        with self._lock:
            waits = not self._free
            if waits:
                self._waiting.append(job)
            else:
                self._free -= 1
        if not waits:
            pool.start(job)
        return future

    def _next(self) -> None:
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            job = self._waiting.popleft()
        pool.start(job)


class Batch:
    """Items that the caller works on in turn; when one is slow, helper threads take from the same queue.

    `work(item)` must not raise.
    """

    __slots__ = ("_done", "_work", "busy", "items", "started", "width")

    def __init__(self, work: Callable[[Any], None], items: Iterable[Any], width: int) -> None:
        self._work = work
        self.items = deque(items)
        self.width = width
        """How many threads at most, the caller's included."""
        self.busy = 0
        self.started = 0.0
        """When the caller began its current item, by the monotonic clock."""
        self._done = Condition(Lock())

    def run(self) -> Iterator[None]:
        """Work in this thread until no item is left; yields after each."""
        items, work = self.items, self._work
        watch.add(self)
        try:
            while True:
                try:
                    item = items.popleft()
                except IndexError:
                    return
                self.started = monotonic()
                work(item)
                yield
        finally:
            watch.remove(self)

    def _help(self) -> None:
        while True:
            try:
                item = self.items.popleft()
            except IndexError:
                break
            self._work(item)
        with self._done:
            self.busy -= 1
            self._done.notify_all()

    def spread(self) -> None:
        """Bring in helper threads for what waits."""
        with self._done:
            more = max(0, min(len(self.items), self.width - 1 - self.busy))
            self.busy += more
        for _ in range(more):
            pool.start(self._help)

    def drop(self) -> int:
        """Begin no more items; how many there were."""
        dropped = 0
        while self.items:
            with suppress(IndexError):
                self.items.popleft()
                dropped += 1
        return dropped

    def wait(self, seconds: float | None = None) -> bool:
        """Whether all helpers have ended, within `seconds`."""
        if not self.busy:
            return True
        with self._done:
            return self._done.wait_for(lambda: self.busy == 0, seconds)


class _Watch:
    """Looks every millisecond whether a batch's current job is slow; waits when no batch has run for a while.

    A job is slow when two looks see it: on a busy machine this thread may come in late, in the midst of a short one.
    """

    LINGER = 0.005
    """Seconds to go on looking after a batch: the next superstep's is not far, and a look costs less than waking."""

    def __init__(self) -> None:
        self._batches: list[Batch] = []
        self._lock = Lock()
        self._wake = Event()
        self._looking = self._alive = False

    def add(self, batch: Batch) -> None:
        batch.started = monotonic()
        self._batches.append(batch)
        if not self._looking:
            self._begin()

    def remove(self, batch: Batch) -> None:
        self._batches.remove(batch)

    def _begin(self) -> None:
        with self._lock:
            if self._looking:
                return
            self._looking = True
            if self._alive:
                self._wake.set()
                return
            self._alive = True
        try:
            Thread(target=self._run, name="stepgraph-watch", daemon=True).start()
        except RuntimeError:  # without threads nobody could help
            self._looking = self._alive = False

    def _run(self) -> None:
        while True:
            self._look()
            if not self._wake.wait(IDLE_SECONDS):
                with self._lock:
                    if not self._looking:
                        self._alive = False
                        return
            self._wake.clear()

    def _look(self) -> None:
        last = monotonic()
        seen: dict[Batch, float] = {}
        while True:
            sleep(SLOW_SECONDS)
            now = monotonic()
            slow: dict[Batch, float] = {}
            for batch in list(self._batches):
                last, started = now, batch.started
                if batch.items and now - started > SLOW_SECONDS:
                    if seen.get(batch) == started:
                        batch.spread()
                    slow[batch] = started
            seen = slow
            if now - last > self.LINGER:
                with self._lock:
                    if not self._batches:
                        self._looking = False
                        return


watch = _Watch()


def _forked() -> None:
    """In a forked child: the parent's threads are not there."""
    pool.idle.clear()
    watch.__init__()  # type: ignore[misc]  # as if just made


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
