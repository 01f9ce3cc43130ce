"""A thread that takes what is over its time out of a store, again and again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread
from weakref import WeakMethod

logger = logging.getLogger("stepgraph")
MINUTES = 5.0
"""Between two sweeps, where nobody says how many."""


class Sweeper:
    """Calls `sweep` every `minutes` until it is stopped, or until the store that it is a method of is gone."""

    def __init__(self, sweep: Callable[[], int], minutes: float) -> None:
        self.ended: Future[None] = Future()
        """Done when the thread has ended; cancelling it stops the thread."""
        self.ended.add_done_callback(lambda _: self._stop.set())
        self._sweep = WeakMethod(sweep)
        self._seconds = minutes * 60
        self._stop = Event()
        self._thread = Thread(target=self._run, name="stepgraph-sweeper", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            sweep = self._sweep()
            if sweep is None:
                break
            try:
                swept = sweep()
            except Exception:
                logger.exception("Sweeping a store failed; it is tried again in %s seconds.", self._seconds)
            else:
                if swept:
                    logger.info("Store swept %d expired items", swept)
            del sweep
        if self.ended.set_running_or_notify_cancel():
            self.ended.set_result(None)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, timeout: float | None = None) -> bool:
        """End the thread and wait for it; whether it has ended within `timeout` seconds."""
        self._stop.set()
        self._thread.join(timeout)
        return not self.alive
