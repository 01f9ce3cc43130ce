"""What the memory checkpointer lets wait unencoded: copies of its own, and how many small checkpoints each counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepgraph.core.checkpoint import NUMBERS, Checkpoint, Extend, Origin, Record
from stepgraph.persist.blobs import pickled, unpickled

BYTES = 512
"""So many bytes that wait pickled count as one that waits."""
_MOST = 4096
"""Bytes that values may take to wait. What bigger ones share with others is kept once: they are encoded at once."""
_MOST_NEW = 65_536
"""The same where lists only grew, or simple values came: it is all new."""
_MANY = 1024
"""So many simple values in a container are not looked at for what it shares with the one before."""
_FEW = 8
"""So many simple values in a container are copied as they are: pickling takes longer."""
_FROZEN = NUMBERS | {str, bytes}


def copied(values: Mapping[str, Any]) -> tuple[dict[str, Any] | None, int]:
    """Copies of short values, alone or few in a container, and what they count; None where others are among them."""
    own, weight = {}, 1
    for key, value in values.items():
        kind = type(value)
        if kind in NUMBERS or (kind in _FROZEN and len(value) <= BYTES):
            own[key] = value
            continue
        held = value[0] if kind is Extend else value
        if not (kind is Extend or kind is list or kind is dict) or len(held) > _FEW or not all(map(_is_short, held)):
            return None, 0
        if kind is dict and not all(map(_is_short, held.values())):
            return None, 0
        own[key] = value if kind is Extend else value.copy()
        weight += len(held)
    return own, weight


def keep_pickled(checkpoint: Any) -> int:
    """Give the checkpoint values of its own, pickled. How many bytes they take; -1 if they can't be kept so."""
    control = checkpoint.control
    if control.channels:
        return -1
    sends, rows, most = control.sends, [], _MOST_NEW
    for key, change in checkpoint.changes.items():
        if type(change) is Extend:
            rows.append((key, change[0], True))
            continue
        rows.append((key, change, False))
        if not _is_flat(change):
            most = _MOST
    data = pickled((rows, sends))
    if data is None or len(data) > most + len(sends) * BYTES:
        return -1
    checkpoint.changes = data
    if sends:
        control.sends = ()
    return len(data)


def taken_up(checkpoint: Any) -> Checkpoint:
    """The inverse of `keep_pickled`."""
    if type(checkpoint.changes) is bytes:
        rows, sends = unpickled(checkpoint.changes)
        checkpoint.changes = {key: Extend(change) if grew else change for key, change, grew in rows}
        if sends:
            checkpoint.control.sends = sends
    found: Checkpoint = checkpoint
    return found


def own_outcome(record: Record) -> Record | None:
    """The record with a payload of its own, pickled; None if it can't be kept so."""
    data = pickled(record.payload)
    if data is None or len(data) > _MOST:
        return None
    return tuple.__new__(Record, (record.task, "outcome", data, record.node, record.path))


class Outcomes:
    """The outcomes of tasks of one superstep, pickled: copies of their own."""

    __slots__ = ("data", "origin")

    def __init__(self, origin: Origin, data: bytes) -> None:
        self.origin = origin
        self.data = data

    def records(self) -> Iterator[Record]:
        """They, one by one."""
        return self.origin.records(unpickled(self.data))


def _is_flat(value: Any) -> bool:
    """Whether there is nothing in it that it may share, and that not often."""
    kind = type(value)
    if kind is dict or kind is list or kind is tuple:
        return len(value) <= _MANY and _FROZEN.issuperset(map(type, value.values() if kind is dict else value))
    return kind in NUMBERS or (kind in _FROZEN and len(value) <= _MOST)


def _is_short(value: Any) -> bool:
    """Whether it is a simple value that is not worth being counted, and no copy of it is needed."""
    kind = type(value)
    return kind in NUMBERS or (kind in _FROZEN and len(value) <= BYTES)
