"""Names for runs, threads and checkpoints: version-6-shaped UUIDs whose string order is the order of their making."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain, count, repeat
from operator import add
from os import urandom  # the module secrets loads OpenSSL, a tenth of the import time
from threading import Lock
from time import time_ns

_EPOCH = (
    0x01B21DD213814000  # 100 ns ticks between the UUID epoch (1582-10-15) and the Unix epoch: RFC 9562, section 5.6
)
_DIGITS = [f"{number:012x}" for number in range(256)]
_LAST_DIGITS = [each[-2:] for each in _DIGITS]
_lock = Lock()
_last = 0
_high, _start = 0, ""
"""The ticks without their last 12 bits, and how an id begins then: the same for 0.4 ms."""
_end = ""
"""What tells this process's ids from those that another one makes in the same 100 ns: the UUID's clock sequence."""


class RunIds:
    """A source of ids for one run: a common prefix made of the time of first use, and a counter.

    Within a process each source sorts after all that were used before it. Any thread may call it: graphs that run
    beside each other in one superstep share it.
    """

    _ids: Iterator[str] | None = None

    def __call__(self) -> str:
        ids = self._ids
        return next(ids if ids is not None else self._begin())

    @property
    def direct(self) -> Callable[[], str]:
        """What gives the same ids, for who needs one after another."""
        ids = self._ids
        return (ids if ids is not None else self._begin()).__next__

    def _begin(self) -> Iterator[str]:
        with _lock:
            if self._ids is None:
                self._ids = _numbered(_prefix())
            return self._ids


def _numbered(prefix: str) -> Iterator[str]:
    """The prefix with 0, 1, 2... in 12 hexadecimal digits. All steps are C code: no two threads get the same number."""
    blocks = map((prefix + "%010x").__mod__, count(1))
    later = map(map, repeat(add), map(repeat, blocks), repeat(_LAST_DIGITS))
    return chain(map(prefix.__add__, _DIGITS), chain.from_iterable(later))


def _prefix() -> str:
    """Called with the lock held."""
    global _last, _high, _start
    ticks = time_ns() // 100 + _EPOCH
    if ticks <= _last:
        ticks = _last + 1
    _last = ticks
    if ticks >> 12 != _high:
        _high = ticks >> 12
        _start = f"{_high >> 16:08x}-{_high & 0xFFFF:04x}-6"
    return f"{_start}{ticks & 0xFFF:03x}{_end}"


def _mark_process() -> None:
    global _end
    _end = f"-{0x8000 | int.from_bytes(urandom(2)) & 0x3FFF:04x}-"


_mark_process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_mark_process)
