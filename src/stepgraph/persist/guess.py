"""Copies of big plain values whose leaves are the values' own, and their JSON, without a look at each leaf.

Asking leaves for their types takes longer than pickling them. So which lists have others in them is guessed by their
first items, and that none was missed is proved by the value's bytes: each list and dict has one of its own there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from stepgraph.persist.blobs import pickled
from stepgraph.persist.codec import ATOMS

COPIED: Final = frozenset({dict, list})
_FEW: Final = 32


def guessed(value: Any) -> tuple[Any, int]:
    """A copy of a dict or list, and how many of them it consists of; what a list holds is told by its first item."""
    made: list[Any] = []
    return _copied(value, made), len(made)


def _copied(value: Any, made: list[Any]) -> Any:
    made.append(None)
    if type(value) is list:
        if value and type(value[0]) in COPIED:
            return [_copied(each, made) if type(each) in COPIED else each for each in value]
        return value[:]
    copy = value.copy()
    for key, each in value.items():
        kind = type(each)
        if kind is dict or (kind is list and each and type(each[0]) in COPIED):
            copy[key] = _copied(each, made)
        elif kind is list:
            copy[key] = each[:]
            made.append(None)
    return copy


def quick_json(value: Any, dumps: Callable[[Any], bytes]) -> tuple[str, Any] | None:
    """The JSON that orjson's `dumps` makes of a big value, with a copy; None where that might not be exact.

    What can be pickled so has exact built-in types only. Of those orjson writes tuples as lists, which shows in their
    number, and NaN and the infinities as null; others it refuses, as it does keys that are no text.
    """
    kind = type(value)
    if kind not in COPIED or (
        len(value) < _FEW and ATOMS.issuperset(map(type, value.values() if kind is dict else value))
    ):
        return None
    data = pickled(value)
    if data is None:
        return None
    try:
        text = dumps(value)
    except (TypeError, RecursionError):
        return None
    if (b"null" in text and _FLOAT in data) or b'"~":' in text:
        return None
    copy, count = guessed(value)
    return (text.decode(), copy) if count == text.count(b"[") + text.count(b"{") else None


_FLOAT: Final = b"G"
"""What precedes a float among the bytes."""
