"""A value that is no atom, as text or as parsed JSON, whichever it came as; and what turns one list into the next."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stepgraph.core.types import MISSING
from stepgraph.persist.codec import MARK, Codec, parse, write
from stepgraph.persist.items import Held, Known

_COMMA = ","


class Encoded:
    """One value of a tip. `raw` is parsed JSON, tags and all, while `parts` is None."""

    __slots__ = ("held", "is_list", "later", "made", "most", "parts", "raw", "tagged", "texts")

    def __init__(self, text: str | None, raw: Any = None, tagged: bool = False) -> None:
        self.raw, self.tagged = raw, tagged
        self.parts: list[str] | None = None
        """Of a list: pieces of what stands between the brackets."""
        self.later: list[Any] | None = None
        """Of a list: plain items that come after the pieces and are no text yet."""
        self.most: float = math.inf
        """Bytes that it takes at most, where that is known."""
        self.texts: list[str] | None = None
        """Of a list: the texts of its items, once they were needed."""
        self.held: Held | None = None
        """Of a long list that was handed over whole: its items."""
        self.made: Any = MISSING
        """The decoded value, once a history needed it."""
        if text is None:
            self.is_list = type(raw) is list
        else:
            self.is_list = text.startswith("[")
            self.parts = self._split(text)

    @classmethod
    def of_items(cls, texts: list[str], held: Held | None = None) -> Encoded:
        """A list, of the texts of its items."""
        made = cls("[]")
        made.parts, made.texts, made.held = [*texts], texts, held
        return made

    @classmethod
    def of_plain(cls, value: Any, most: int) -> Encoded:
        """A list or dict that JSON keeps exactly and nobody changes, of at most so many bytes."""
        if type(value) is list:
            made = cls("[]")
            made.later = value.copy()
        else:
            made = cls(None, value)
        made.most = most
        return made

    def _split(self, text: str) -> list[str]:
        if self.is_list:
            return [text[1:-1]] if len(text) > 2 else []
        return [text]

    def text(self) -> str:
        """The whole text; kept as text from now on."""
        if self.parts is None:
            text = write(self.raw)
            self.raw, self.parts = None, self._split(text)
            return text
        if self.is_list:
            if self.later:
                self.parts.append(write(self.later)[1:-1])
                self.later = None
            if len(self.parts) > 1:
                self.parts = [",".join(self.parts)]
            return f"[{self.parts[0]}]" if self.parts else "[]"
        return self.parts[0]

    def peek(self) -> str:
        """The whole text; the parsed form is kept."""
        return write(self.raw) if self.parts is None else self.text()

    def item_texts(self) -> list[str]:
        """Of a list: the texts of its items."""
        if self.texts is None and self.held is not None:
            self.texts = self.held.texts()
        if self.texts is None:
            self.texts = [write(item) for item in (self.raw if self.parts is None else parse(self.text()))]
        return self.texts

    def size(self) -> int:
        """Characters, without a list's brackets."""
        if self.parts is None or self.later:
            self.text()
        parts = self.parts
        assert parts is not None
        return sum(map(len, parts)) + (len(parts) - 1 if parts and self.is_list else 0)

    def grow(self, inner: str) -> None:
        """Append the text of items, without brackets."""
        if self.parts is None or self.later:
            self.text()
        self.texts = self.held = None
        self.most = math.inf
        if inner:
            self.parts.append(inner)  # type: ignore[union-attr]  # text() has just made them

    def grow_plain(self, items: list[Any], more: int) -> None:
        """Append items that JSON keeps exactly and nobody changes, which take at most so many bytes."""
        if self.parts is None:
            self.text()
        self.texts = self.held = None
        self.most += more
        if self.later is None:
            self.later = items.copy()
        else:
            self.later += items

    def grow_known(self, items: list[Known]) -> None:
        """Append items to a list that is held."""
        held = self.held
        assert held is not None
        self.grow(",".join(each.text for each in items))
        held.extend(items)
        self.held = held

    # ---- replaying: what is told of lists in parsed form

    def grown(self, items: list[Any], tagged: bool) -> Encoded:
        """Itself with parsed items appended; another object when it was text, because Undo may know its length."""
        if self.parts is not None:
            text = self.text()
            return Encoded(None, parse(text) + items, tagged or MARK in text)
        self.raw.extend(items)
        self.tagged = self.tagged or tagged
        self.texts = None
        return self

    def spliced(self, splices: list[Any], tagged: bool, codec: Codec) -> Encoded:
        """Another list: pieces of this one, each followed by parsed items. What is decoded already is not again."""
        if self.parts is not None:
            text = self.text()
            raw, tagged = parse(text), tagged or MARK in text
        else:
            raw, tagged = self.raw, tagged or self.tagged
        found = Encoded(None, _pieced(raw, splices), tagged)
        if self.made is not MISSING and len(self.made) == len(raw):
            lifted = [codec.lift_all(each) if n % 3 == 2 else each for n, each in enumerate(splices)]
            found.made = _pieced(self.made, lifted)
        return found

    def value(self, codec: Codec) -> Any:
        """The decoded value, made once and shared by all who ask; of a list with its present length."""
        if self.made is MISSING or (self.is_list and self.parts is None and len(self.made) != len(self.raw)):
            if self.parts is not None:
                self.made = codec.loads(self.text())
            else:
                self.made = codec.lift(self.raw) if self.tagged else self.raw
        return self.made


def _pieced(old: list[Any], splices: list[Any]) -> list[Any]:
    new: list[Any] = []
    for start, count, items in zip(splices[::3], splices[1::3], splices[2::3], strict=True):
        new += old[start : start + count]
        new += items
    return new


class Splice(NamedTuple):
    """`kept` items of the old list from `start` on, then new ones, as texts."""

    start: int
    kept: int
    texts: list[str]


def splices(old: Sequence[str], new: Sequence[str]) -> list[Splice]:
    """How the new list is made of the old one, greedily.

    An item is looked for at its own place, else where it was first.
    """
    found: list[Splice] = []
    old_place = _finder(old, new)
    place = 0
    while place < len(new):
        first, start = place, old_place(place)
        if start >= 0:
            offset = start - place
            while place < len(new) and place + offset < len(old) and old[place + offset] == new[place]:
                place += 1
        begun = place
        while place < len(new) and old_place(place) < 0:
            place += 1
        found.append(Splice(max(start, 0), begun - first, list(new[begun:place])))
    return found


def _finder(old: Sequence[str], new: Sequence[str]) -> Callable[[int], int]:
    """Where in the old list the item at a place of the new one was; -1 for nowhere."""
    places: dict[str, int] = {}

    def find(place: int) -> int:
        if place < len(old) and old[place] == new[place]:
            return place
        if not places:
            places.update((text, n) for n, text in reversed(list(enumerate(old))))
        return places.get(new[place], -1)

    return find


def appended(found: list[Splice], length: int) -> list[str] | None:
    """The texts of what a list of so many items got at its end, if that is all that happened to it."""
    match found:
        case [Splice(0, kept, texts)] if kept == length and texts:
            return texts
        case _:
            return None


def new_in(found: list[Splice]) -> int:
    """Characters that the splices take, about."""
    return sum(12 + sum(map(len, each.texts)) + len(each.texts) for each in found)


def splices_text(found: list[Splice]) -> str:
    """As one flat JSON list."""
    return f"[{','.join(f'{start},{kept},[{_COMMA.join(texts)}]' for start, kept, texts in found)}]"
