"""Big items in a file's lines: a line that brings one defines it, and a number stands for it wherever it comes again.

So items that stand in several keys, or in what tasks carry, are stored once between two keyframes. A keyframe defines
those that it names, and no other is known after it. Records define none, since a reader of the state skips them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from stepgraph.persist.blobs import Blob
from stepgraph.persist.codec import BLOB, Codec, write
from stepgraph.persist.guess import quick_json

_NUMBER: Final = re.compile(r'\{"~":"#","v":(\d+)\}')


class Pool:
    """The items that the lines since the last keyframe define, by number."""

    __slots__ = ("_items", "_next", "_numbers", "fresh")

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}
        """Texts, or the parsed JSON of those that were replayed and are no str."""
        self._numbers: dict[str, int] | None = {}
        """The inverse, once it was needed after a replay."""
        self._next = 0
        self.fresh: dict[int, None] = {}
        """Those that no line defines yet."""

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, number: object) -> bool:
        return number in self._items

    # ---- writing

    def blob(self, text: str) -> Blob:
        """What stands for the text of an item."""
        if self._numbers is None:
            self._numbers = {self.text(number): number for number in self._items}
        number = self._numbers.get(text)
        if number is None:
            number, self._next = self._next, self._next + 1
            self._add(number, text)
        return Blob(number, text)

    def know(self, blob: Blob) -> None:
        """Define an item again that was forgotten at a keyframe."""
        if blob.number not in self._items:
            self._add(blob.number, blob.data)

    def _add(self, number: int, text: Any) -> None:
        self._items[number] = text
        self.fresh[number] = None
        if self._numbers is not None:
            self._numbers[text] = number

    def numbers(self) -> list[int]:
        """Those of all items."""
        return [*self._items]

    def definitions(self, numbers: Iterable[int]) -> str:
        """These items as an object of JSON."""
        return "{" + ",".join([f'"{number}":{self.text(number)}' for number in numbers]) + "}"

    def named(self, texts: Iterable[str]) -> set[int]:
        """The numbers in some texts."""
        return {int(number) for text in texts if BLOB in text for number in _NUMBER.findall(text)}

    def keep(self, numbers: Iterable[int]) -> None:
        """Forget all but these, which the line that is being written defines."""
        self._items = {number: self._items[number] for number in numbers}
        self._numbers = None
        self.fresh.clear()

    def size(self, numbers: Iterable[int]) -> int:
        """Characters of these items."""
        return sum(len(self.text(number)) for number in numbers)

    # ---- reading

    def replay(self, raw: Mapping[str, Any]) -> None:
        """Take over what a line defines."""
        for name, item in raw.items():
            number = int(name)
            self._items[number] = write(item) if type(item) is str else item
            self._next = max(self._next, number + 1)
        self._numbers = None

    def text(self, number: int) -> str:
        """The text of an item."""
        item = self._items[number]
        if type(item) is not str:
            item = self._items[number] = write(item)
        return item


class PoolCodec(Codec):
    """The codec of lines in a file. Big plain values are written by orjson where that is installed."""

    pooled = True

    def __init__(self, *, allowed_modules: Iterable[str] = ()) -> None:
        super().__init__(allowed_modules=allowed_modules)
        self._dumps: Callable[[Any], bytes] | None = None
        try:
            import orjson
        except ImportError:
            return
        self._dumps = orjson.dumps

    def quick(self, value: Any) -> tuple[str, Any] | None:
        """The text of a plain value and a copy of its containers."""
        return None if self._dumps is None else quick_json(value, self._dumps)

    def reading(self, pool: Pool) -> Codec:
        """The codec that knows what numbers stand for."""
        return _Reading(self, pool)


class _Reading(PoolCodec):
    def __init__(self, codec: Codec, pool: Pool) -> None:
        self.__dict__.update(codec.__dict__)
        self._pool = pool

    def stored_apart(self, number: int) -> str | bytes:
        return self._pool.text(number) if number in self._pool else super().stored_apart(number)
