"""Callbacks that hear of changes: added from any thread, and dropped when they raise, so that nobody else suffers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

logger = logging.getLogger("stepgraph")
C = TypeVar("C", bound=Callable[..., Any])


class Listeners(Generic[C]):
    """The callbacks of one thing, which messages call `name`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._all: tuple[C, ...] = ()
        self._lock = Lock()

    def add(self, callback: C) -> Callable[[], None]:
        """Call it back from now on; the returned function ends that."""
        with self._lock:
            self._all = (*self._all, callback)
        return lambda: self._drop(callback)

    def tell(self, *news: Any) -> None:
        """Call all of them, here. One that raises is logged and removed."""
        for callback in self._all:
            try:
                callback(*news)
            except Exception:
                name = getattr(callback, "__qualname__", repr(callback))
                about = ", ".join(map(str, news)) or "a change"
                logger.exception("%s of %s raised on %s and was removed; nothing is lost.", name, self._name, about)
                self._drop(callback)

    def _drop(self, callback: C) -> None:
        with self._lock:
            self._all = tuple(each for each in self._all if each is not callback)
