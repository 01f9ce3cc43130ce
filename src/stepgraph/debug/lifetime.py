"""What lasts as long as runs are alive: short thread switches, captured output, and an orderly end of the process."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from threading import RLock
from typing import Protocol

from stepgraph.debug import capture

SWITCH_SECONDS = 0.001
"""With Python's 5 ms four busy threads delayed a click by up to 1.8 s; with this by at most 67 ms."""


class Alive(Protocol):
    """A run that an ending process must put to rest."""

    def rest(self) -> None:
        """Say that the run is suspended, and make what it has durable."""


_lock = RLock()
_alive: list[Alive] = []
_before: float | None = None


def enter(run: Alive) -> Callable[[], None]:
    """A run begins to work; the returned function says that it has ended."""
    global _before
    with _lock:
        if not _alive:
            _before = sys.getswitchinterval()
            if _before > SWITCH_SECONDS:
                sys.setswitchinterval(SWITCH_SECONDS)
        _alive.append(run)
    uninstall = capture.install()

    def leave() -> None:
        global _before
        uninstall()
        with _lock:
            if run in _alive:
                _alive.remove(run)
            if not _alive and _before is not None:
                if sys.getswitchinterval() < _before:
                    sys.setswitchinterval(_before)
                _before = None

    return leave


def alive() -> int:
    """How many runs are at work or held."""
    with _lock:
        return len(_alive)


@atexit.register
def _rest() -> None:
    """Nothing is waited for: every pause was durable before it was shown."""
    with _lock:
        runs, _alive[:] = list(_alive), []
    for run in runs:
        run.rest()
