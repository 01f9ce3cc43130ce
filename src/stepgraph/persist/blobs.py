"""Big values in memory: each kept once, while a line has the number that stands for it; plain ones pickled.

Pickling takes a sixth of the time of JSON, and nothing but this process ever reads it. Only exact built-in types are
pickled, so no code of a user's runs and whatever our JSON refuses is refused here too. Objects are kept as JSON.
"""

from __future__ import annotations

import pickle
import re
import weakref
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from stepgraph.persist.codec import ATOMS, Codec

_NUMBER: Final = re.compile(rb'\{"~":"#","v":(\d+)\}')
_LEAST: Final = 512
"""Bytes from which a value is kept so."""
_FEW: Final = 32
_CONTAINERS: Final = frozenset({dict, list, tuple})


class Blob:
    """A value as it was when it was pickled, or its text. Equal contents, which have the same, are the same blob."""

    __slots__ = ("__weakref__", "data", "number", "text")

    def __init__(self, number: int, data: bytes | str) -> None:
        self.number, self.data = number, data
        self.text = f'{{"~":"#","v":{number}}}'
        """What stands for it in a line."""

    def holds(self, value: Any) -> bool:
        """Whether the value is still the same, in types too; of one that was not pickled that is not known."""
        return type(self.data) is bytes and pickled(value) == self.data


class BlobCodec(Codec):
    """The codec of values that never leave this process. A blob lives as long as somebody holds it."""

    def __init__(self) -> None:
        super().__init__(private=True)
        self._by_number: weakref.WeakValueDictionary[int, Blob] = weakref.WeakValueDictionary()
        self._by_data: weakref.WeakValueDictionary[bytes | str, Blob] = weakref.WeakValueDictionary()
        self._numbers = count()

    def blob(self, value: Any) -> Blob | None:
        """The value as a blob; None when it is small, flat, or has more in it than built-in types."""
        kind = type(value)
        if kind not in _CONTAINERS:
            return None
        if len(value) < _FEW and ATOMS.issuperset(map(type, value.values() if kind is dict else value)):
            return None
        data = pickled(value)
        return None if data is None or len(data) < _LEAST else self._kept(data)

    def apart(self, text: str) -> Blob | None:
        """The text of a value as a blob."""
        return self._kept(text)

    def _kept(self, data: bytes | str) -> Blob:
        found = self._by_data.get(data)
        if found is None:
            found = Blob(next(self._numbers), data)
            self._by_number[found.number] = self._by_data[data] = found
        return found

    def hold(self, line: bytes, held: dict[int, Blob]) -> None:
        """Add to those held the blobs that a line has the numbers of."""
        for number in map(int, _NUMBER.findall(line)):
            if number not in held:
                held[number] = self._by_number[number]

    def stored_apart(self, number: int) -> str | bytes:
        """The text or bytes that a number stands for."""
        return self._by_number[number].data

    def _lift_apart(self, data: str | bytes) -> Any:
        return unpickled(data) if isinstance(data, bytes) else self.loads(data)


class _NotPlain(Exception):  # noqa: N818  says what was met; nobody but `pickled` sees it
    """An object of another than the built-in types."""


class _Pickler(pickle.Pickler):
    """Writes into `parts`. Made once and used again: making one takes longer than most of what it does.

    In `fast` mode what is met twice is written twice, as in JSON, so that equal contents give the same bytes.
    """

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        super().__init__(_Sink(self.parts.append), _PROTOCOL)
        self.fast = True

    def reducer_override(self, _: Any) -> Any:
        raise _NotPlain


class _Sink:
    """A file to write to."""

    __slots__ = ("write",)

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.write = write


_free: deque[_Pickler] = deque()
"""Those that nobody uses: a thread takes one off, and brings it back."""


def pickled(value: Any) -> bytes | None:
    """The bytes of a value; None if it cannot be kept so."""
    try:
        pickler = _free.pop()
    except IndexError:
        pickler = _Pickler()
    parts = pickler.parts
    try:
        pickler.dump(value)
    except (_NotPlain, ValueError, RecursionError, pickle.PicklingError):
        return None
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    parts.clear()
    _free.append(pickler)
    return data


def unpickled(data: bytes) -> Any:
    """The inverse of `pickled`, with objects of the caller's own.

    Safe: the bytes are this process's own, never read from elsewhere, and nothing but exact built-in types is in them.
    """
    return pickle.loads(data)


_PROTOCOL: Final = 4
"""The last one without out-of-band buffers, which may change later."""
