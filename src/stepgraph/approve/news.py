"""A lock with a wake-up, for state that the main thread reads while somebody may press the kernel's stop button."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import RLock


class News:
    """What threads share: `with news.lock:` around a change, `news.tell()` after it, `news.wait_for(…)` until it.

    Not a `threading.Condition`, whose lock is taken inside a Python method: a KeyboardInterrupt that arrives between
    that and the body leaves it held for ever, and every other thread waits. The lock and the queue here are C code,
    which Python interrupts only before or after.
    """

    __slots__ = ("_waiting", "lock")

    def __init__(self) -> None:
        self.lock = RLock()
        self._waiting: list[SimpleQueue[None]] = []

    def tell(self) -> None:
        """Wake everybody who waits."""
        for each in tuple(self._waiting):
            each.put(None)

    def wait_for(self, true: Callable[[], bool], seconds: float | None) -> bool:
        """Whether `true()` became true within `seconds` (None: wait for ever). Asks it without the lock."""
        end = None if seconds is None else time.monotonic() + seconds
        queue: SimpleQueue[None] = SimpleQueue()
        self._waiting.append(queue)
        try:
            while not true():
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return False
                try:
                    queue.get(timeout=left)
                except Empty:
                    return true()
            return True
        finally:
            self._waiting.remove(queue)
