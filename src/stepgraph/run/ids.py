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
_LAST_DIGITS = [f"{number:02x}" for number in range(256)]
_lock = Lock()
_last = 0
"""The ticks of the last prefix, which grow."""
_moment: int | None = None
_shared: Iterator[str] = iter(())
"""Sources that begin in the same half millisecond share a prefix and its numbers: making these costs what ten do."""
_process = 0
"""What tells this process's ids from those that another one makes in the same 100 ns: the UUID's clock sequence."""


class RunIds:
    """A source of ids for one run: a prefix made of the time of first use, and a counter.

    Within a process what it begins with sorts after all that earlier sources have given. Any thread may call it: graphs
    that run beside each other in one superstep share it.
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
        global _moment, _shared
        with _lock:
            if self._ids is None:
                now = time_ns() >> 19
                if now != _moment:
                    _shared, _moment = _numbered(_prefix()), now
                self._ids = _shared
            return self._ids


def own_prefix() -> str:
    """What an id of 36 characters begins with that sorts after all that this process has had, whatever its last 12."""
    global _moment
    with _lock:
        _moment = None  # who begins after this does not share an earlier prefix
        return _prefix()


def _prefix() -> str:
    """Called with the lock held."""
    global _last
    ticks = _last = max(time_ns() // 100 + _EPOCH, _last + 1)
    return f"{ticks >> 28:08x}-{ticks >> 12 & 0xFFFF:04x}-6{ticks & 0xFFF:03x}-{_process:04x}-"


def _numbered(prefix: str) -> Iterator[str]:
    """The prefix with 0, 1, 2... in 12 hexadecimal digits. All steps are C code: no two threads get the same number."""
    blocks = map((prefix + "%010x").__mod__, count())
    return chain.from_iterable(map(map, repeat(add), map(repeat, blocks), repeat(_LAST_DIGITS)))


def _mark_process() -> None:
    global _lock, _process, _moment
    _lock = Lock()  # in a forked child nobody else holds it
    _process, _moment = 0x8000 | (int.from_bytes(urandom(2)) & 0x3FFF), None


_mark_process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_mark_process)
