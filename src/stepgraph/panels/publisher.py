"""One thread that speaks to all pages: replies at once, everything else gathered into 30 messages a second at most.

Servers drop messages of a kernel that sends more than about 1,000 a second, silently; a message for each event is
therefore never sent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger("stepgraph.panels")

PERIOD = 1 / 30


class Speaker(Protocol):
    """What the publisher drives: a panel."""

    def send_replies(self) -> None:
        """Send what was answered since the last call."""

    def send_batch(self) -> bool:
        """Send what happened since the last call; true if it wants to be called again soon."""


class Publisher:
    """The thread. `replied` and `happened` may be called from any thread and only set flags."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self._dirty = False
        self._speakers: list[Speaker] = []
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def add(self, speaker: Speaker) -> None:
        """Serve `speaker` from now on; starts the thread with the first."""
        with self._lock:
            self._speakers = [*self._speakers, speaker]
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._serve, name="stepgraph publisher", daemon=True)
                self._thread.start()

    def remove(self, speaker: Speaker) -> None:
        """Serve it no more."""
        with self._lock:
            self._speakers = [each for each in self._speakers if each is not speaker]

    def replied(self) -> None:
        """A reply waits: send it now."""
        self._wake.set()

    def happened(self) -> None:
        """Something changed: send it with the next batch. Costs one comparison when a batch is due already."""
        if not self._dirty:
            self._dirty = True
            self._wake.set()

    def _serve(self) -> None:
        due = 0.0
        while True:
            self._wake.wait(max(0.0, due - time.monotonic()) if self._dirty else None)
            self._wake.clear()
            for speaker in self._speakers:
                self._guard(speaker, speaker.send_replies)
            if self._dirty and time.monotonic() >= due:
                self._dirty = False
                again = [self._guard(speaker, speaker.send_batch) for speaker in self._speakers]
                due = time.monotonic() + PERIOD
                self._dirty = self._dirty or any(again)

    def _guard(self, speaker: Speaker, act: Callable[[], bool | None]) -> bool:
        """A panel that fails is logged and dropped; the others go on."""
        try:
            return bool(act())
        except Exception:
            log.exception("A panel failed and is no longer updated; show the run again to get a new one.")
            self.remove(speaker)
            return False


PUBLISHER = Publisher()
