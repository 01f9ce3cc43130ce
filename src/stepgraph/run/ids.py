"""Names for runs, threads and checkpoints: version-6-shaped UUIDs whose string order is the order of their making."""

from __future__ import annotations

import secrets
from threading import Lock
from time import time_ns

_EPOCH = (
    0x01B21DD213814000  # 100 ns ticks between the UUID epoch (1582-10-15) and the Unix epoch: RFC 9562, section 5.6
)
_lock = Lock()
_last = 0


class RunIds:
    """A source of ids for one run: a common prefix made of the time of first use, and a counter.

    Within a process each source sorts after all that were used before it.
    """

    __slots__ = ("_count", "_prefix")

    def __init__(self) -> None:
        self._count = -1
        self._prefix = ""

    def __call__(self) -> str:
        count = self._count = self._count + 1
        if not count:
            self._prefix = _prefix()
        return f"{self._prefix}{count:012x}"


def _prefix() -> str:
    global _last
    with _lock:
        ticks = _last = max(time_ns() // 100 + _EPOCH, _last + 1)
    high, low = ticks >> 12, ticks & 0xFFF
    return f"{high >> 16:08x}-{high & 0xFFFF:04x}-6{low:03x}-{0x8000 | secrets.randbits(14):04x}-"
