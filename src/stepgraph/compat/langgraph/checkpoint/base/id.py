"""Ids that sort by time."""

from __future__ import annotations

import secrets
import time
import uuid
from threading import Lock

__all__ = ("UUID", "uuid6")


class UUID(uuid.UUID):
    """A version 6 UUID."""

    __slots__ = ()


_lock = Lock()
_last = 0
_SINCE_1582 = 0x01B21DD213814000
"""From the beginning of the Gregorian calendar to that of the epoch, in steps of 100 nanoseconds."""


def uuid6(node: int | None = None, clock_seq: int | None = None) -> UUID:
    """An id that sorts after all that were made before in this process (RFC 9562 section 5.6)."""
    global _last
    with _lock:
        moment = _last = max(time.time_ns() // 100 + _SINCE_1582, _last + 1)
    sequence = secrets.randbits(14) if clock_seq is None else clock_seq & 0x3FFF
    place = secrets.randbits(48) if node is None else node & 0xFFFFFFFFFFFF
    high, low = moment >> 12 & 0xFFFFFFFFFFFF, moment & 0xFFF
    return UUID(int=high << 80 | 0x6 << 76 | low << 64 | 0x2 << 62 | sequence << 48 | place)
