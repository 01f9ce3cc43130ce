"""Names for runs, threads and checkpoints: version-6-shaped UUIDs whose string order is the order of their making."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from threading import Lock
from time import time_ns

_EPOCH = 0x01B21DD213814000  # 100 ns ticks between the UUID epoch (1582-10-15) and the Unix epoch: RFC 9562, section 5.6
_lock = Lock()
_last = 0


def run_ids() -> Callable[[], str]:
    """A source of ids for one run: a common prefix made of the time, and a counter.

    Within a process each source sorts after all made before it.
    """
    global _last
    with _lock:
        ticks = _last = max(time_ns() // 100 + _EPOCH, _last + 1)
    high, low = ticks >> 12, ticks & 0xFFF
    prefix = f"{high >> 16:08x}-{high & 0xFFFF:04x}-6{low:03x}-{0x8000 | secrets.randbits(14):04x}-"
    count = -1

    def new() -> str:
        nonlocal count
        count += 1
        return f"{prefix}{count:012x}"

    return new
