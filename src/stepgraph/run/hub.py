"""Delivers events to whoever listens; numbers them; keeps the last ones for those who come later."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from threading import RLock

from stepgraph.core.events import Event

logger = logging.getLogger("stepgraph")
Listener = Callable[[int, Event], None]


class Hub:
    """One account of a run. `publish` may be called from any thread; listeners are called in it, in order of `seq`.

    A listener that raises is logged and removed, and the run goes on. `keep` events are kept; `first` is the number
    of the oldest.
    """

    def __init__(self, keep: int = 100_000) -> None:
        self._log: deque[Event] = deque(maxlen=keep)
        self._listeners: tuple[Listener, ...] = ()
        self._lock = RLock()
        self._delivering = False
        self._waiting: deque[tuple[int, Event]] = deque()
        self.next = 0
        self.failures: list[tuple[str, Exception]] = []

    @property
    def first(self) -> int:
        """The number of the oldest event kept."""
        return self.next - len(self._log)

    def publish(self, event: Event) -> None:
        """Number, keep and deliver one event."""
        with self._lock:
            seq = self.next
            self.next = seq + 1
            self._log.append(event)
            if self._delivering:  # a listener publishes: first everybody hears what it was told
                self._waiting.append((seq, event))
                return
            self._delivering = True
            try:
                for listener in self._listeners:
                    try:
                        listener(seq, event)
                    except Exception as error:
                        self._drop(listener, error)
            finally:
                self._delivering = False
            if self._waiting:
                self._catch_up()

    def _catch_up(self) -> None:
        """Deliver what listeners published, in order."""
        self._delivering = True
        try:
            while self._waiting:
                seq, event = self._waiting.popleft()
                for listener in self._listeners:
                    try:
                        listener(seq, event)
                    except Exception as error:
                        self._drop(listener, error)
        finally:
            self._delivering = False

    def _drop(self, listener: Listener, error: Exception) -> None:
        name = getattr(listener, "__qualname__", repr(listener))
        logger.exception("Listener %s raised on an event and was removed; the run goes on.", name)
        self.failures.append((name, error))
        self._listeners = tuple(each for each in self._listeners if each is not listener)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Deliver every event from now on to `listener(seq, event)`; the returned function ends that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return unsubscribe

    def log(self, since: int = 0) -> list[tuple[int, Event]]:
        """The kept events from number `since` on, with their numbers."""
        with self._lock:
            first = self.first
            skip = max(0, since - first)
            return [(first + i, event) for i, event in enumerate(self._log) if i >= skip]
