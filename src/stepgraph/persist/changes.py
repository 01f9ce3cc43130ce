"""The changes of one checkpoint, encoded: what a line says of them, and what they make of the values before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from stepgraph.core.checkpoint import REMOVED, Extend, Removed
from stepgraph.persist.codec import ATOMS, BLOB, Codec, Unstorable, canonical, write
from stepgraph.persist.encoded import Encoded, appended, new_in, splices, splices_text
from stepgraph.persist.items import LARGE, Held, Known, Memo, is_object
from stepgraph.persist.patch import difference, size_of

SMALL: Final = frozenset({int, bool, float, type(None)})
LONG: Final = 512
"""Characters from which a value is compared with the one before it, to store the difference only."""
_WHOLE: Final = 16_384
"""Bytes from which the lists in a dict are taken apart, though it could be one blob."""

quoted = lru_cache(4096)(write)
"""A key as JSON; the same few again and again."""


class Atom(NamedTuple):
    """A long string: kept as it is, unlike the text of items of a list that grew."""

    text: str


class More(NamedTuple):
    """The items that a list which is held got at its end."""

    items: list[Known]


class Changes:
    """Changes of which some are no atoms. `atoms` are those that are; the other lists hold `"key":text` pairs."""

    __slots__ = ("_codec", "_memo", "atoms", "grown", "made", "patches", "removed", "sets", "spliced")

    def __init__(self, changes: Mapping[str, Any], values: Mapping[str, Any], codec: Codec, memo: Memo) -> None:
        self._codec, self._memo = codec, memo
        memo.begin()
        self.atoms: dict[str, Any] = {}
        self.sets: list[str] = []
        self.grown: list[str] = []
        self.patches: list[str] = []
        self.spliced: list[str] = []
        self.removed: list[str] = []
        self.made: list[tuple[str, Any]] = []
        """(key, what stands for it afterwards): a str of items for a list that grew, REMOVED, an Atom or Encoded."""
        for key, change in changes.items():
            kind = type(change)
            if kind in SMALL or (kind is str and len(change) < LONG):
                self.atoms[key] = change
            elif kind is Extend:
                self._extend(key, change, values.get(key))
            elif kind is Removed:
                self.removed.append(key)
                self.made.append((key, REMOVED))
            elif kind is str:
                self._long_text(key, change, values.get(key))
            else:
                self._value(key, change, values.get(key))

    def apply(self, values: dict[str, Any]) -> None:
        """Take the changes over, but for the atoms. Does not fail."""
        for key, made in self.made:
            kind = type(made)
            if kind is str:
                values[key].grow(made)
            elif kind is More:
                values[key].grow_known(made.items)
            elif made is REMOVED:
                values.pop(key, None)
            else:
                values[key] = made.text if kind is Atom else made

    def _extend(self, key: str, change: Extend, old: Any) -> None:
        inner = self._inner(change.items)
        if old is None:
            self._set(key, Encoded(f"[{inner}]"))
        elif type(old) is Encoded and old.is_list:
            self.grown.append(f"{quoted(key)}:[{inner}]")
            self.made.append((key, inner))
        else:
            raise Unstorable("the update extends a list, and the value before is none", "Write the whole value.", key)

    def _inner(self, items: Sequence[Any]) -> str:
        """The text of a list without its brackets. Big items are remembered."""
        if ATOMS.issuperset(map(type, items)):
            return self._codec.dumps(list(items))[1:-1]
        text = self._memo.text
        return ",".join([text(item, self._codec) for item in items])

    def _whole(self, value: Any) -> str:
        """The text of a value. The items of its lists are remembered: a graph's input comes again in its keys."""
        kind = type(value)
        if kind is list:  # which may grow: never one blob
            return f"[{self._inner(value)}]"
        if kind is dict and list in map(type, value.values()) and not self._memo.has(value) and is_object(value):
            blob = self._codec.blob(value)
            if blob is not None and len(blob.data) < _WHOLE:
                return self._memo.take(value, blob)
            return f"{{{','.join([f'{quoted(key)}:{self._whole(each)}' for key, each in value.items()])}}}"
        return self._memo.text(value, self._codec)

    def _set(self, key: str, made: Encoded) -> None:
        self.sets.append(f"{quoted(key)}:{made.text()}")
        self.made.append((key, made))

    def _long_text(self, key: str, text: str, old: Any) -> None:
        patch = difference(old, text) if type(old) is str and len(old) >= LONG else None
        if patch is not None and 2 * size_of(patch) < len(text):
            self.patches.append(f"{quoted(key)}:{write(patch)}")
        else:
            self.sets.append(f"{quoted(key)}:{write(text)}")
        self.made.append((key, Atom(text)))

    def _value(self, key: str, change: Any, old: Any) -> None:
        if type(old) is not Encoded or (old.size() < LONG and BLOB not in old.text()):
            self._set(key, Encoded(self._whole(change)))
        elif type(change) is list and old.is_list and not ATOMS.issuperset(map(type, change)):
            self._items(key, change, old)
        else:
            self._text(key, Encoded(self._whole(change)), old)

    def _items(self, key: str, change: list[Any], old: Encoded) -> None:
        """A list that another one replaces: the new items, and which of the old ones stay."""
        codec, memo = self._codec, self._memo
        if old.size() < LARGE and BLOB not in old.text():
            made = Encoded.of_items([memo.text(item, codec) for item in change])
        elif old.held is not None and old.held.grew_to(change, memo.turn):
            more = [memo.known(item, codec) for item in change[len(old.held.known) :]]
            self.grown.append(f"{quoted(key)}:[{','.join(each.text for each in more)}]")
            self.made.append((key, More(more)))
            return
        else:
            if old.held is not None:
                held = old.held.changed_to(change, codec, memo)
            else:
                held = Held([memo.known(each, codec) for each in change])
            made = Encoded.of_items(held.texts(), held)
        found = splices(old.item_texts(), made.item_texts())
        texts = appended(found, len(old.item_texts()))
        if texts is not None:
            self.grown.append(f"{quoted(key)}:[{','.join(texts)}]")
        elif 2 * new_in(found) < made.size():
            self.spliced.append(f"{quoted(key)}:{splices_text(found)}")
        else:
            self.sets.append(f"{quoted(key)}:{made.text()}")
        self.made.append((key, made))

    def _text(self, key: str, made: Encoded, old: Encoded) -> None:
        """A long value that another one replaces: as little of its text as tells the difference."""
        text = canonical(made.text())
        patch = difference(canonical(old.text()), text)
        if 2 * size_of(patch) < len(text):
            self.patches.append(f"{quoted(key)}:{write(patch)}")
            self.made.append((key, Encoded(text)))
        else:
            self._set(key, made)


class Carrier:
    """Encodes what tasks carry. Lists in it that are those of the state, and items that are known, are not again."""

    __slots__ = ("_codec", "_lists", "_memo", "_text", "_values")

    def __init__(self, values: Mapping[str, Any], codec: Codec, memo: Memo, text: Callable[[Any, Codec], str]) -> None:
        self._values, self._codec, self._memo = values, codec, memo
        self._text = text
        """That of an item, made by `memo`."""
        self._lists: dict[int, str] = {}
        """The texts of lists: several tasks carry the same ones."""

    @property
    def knows(self) -> bool:
        """Whether there are items that need not be encoded again."""
        return not self._memo.empty

    def text(self, value: Any) -> str:
        """The text of a value."""
        kind = type(value)
        if kind is list and any(map(self._memo.has, value)):
            found = self._lists.get(id(value))
            if found is None:
                found = self._lists[id(value)] = f"[{self._inner(value)}]"
            return found
        if kind is not dict or not is_object(value) or ATOMS.issuperset(map(type, value.values())):
            return self._codec.dumps(value)
        return f"{{{','.join([f'{quoted(key)}:{self.text(each)}' for key, each in value.items()])}}}"

    def written(self, value: Any) -> str:
        """The text of what a task wrote. It is remembered for the checkpoint in which it will be."""
        if type(value) is list and not ATOMS.issuperset(map(type, value)):
            return f"[{','.join(self._texts(value))}]"
        return self._codec.dumps(value)

    def _inner(self, items: list[Any]) -> str:
        for old in self._values.values():
            if type(old) is Encoded and old.held is not None and old.held.grew_to(items, self._memo.turn):
                return ",".join([old.text()[1:-1], *self._texts(items[len(old.held.known) :])])
        return ",".join(self._texts(items))

    def _texts(self, items: list[Any]) -> list[str]:
        return [self._text(each, self._codec) for each in items]


def delta(shape: str, passed: int, atoms: Mapping[str, Any], changes: Changes | None, rare: dict[str, str]) -> str:
    """The text of a delta line."""
    if changes is None:
        text = write(atoms)
        return f"[{shape},{passed},{text},{{}},{paired(rare)}]" if rare else f"[{shape},{passed},{text}]"
    if changes.patches:
        rare["p"] = f"{{{','.join(changes.patches)}}}"
    if changes.spliced:
        rare["l"] = f"{{{','.join(changes.spliced)}}}"
    if changes.removed:
        rare["g"] = write(changes.removed)
    sets = joined(atoms, changes.sets)
    grown = f"{{{','.join(changes.grown)}}}"
    if rare:
        return f"[{shape},{passed},{sets},{grown},{paired(rare)}]"
    return f"[{shape},{passed},{sets},{grown}]" if changes.grown else f"[{shape},{passed},{sets}]"


def paired(texts: Mapping[str, str]) -> str:
    """An object of plain names and texts."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in texts.items()) + "}"


def joined(atoms: Mapping[str, Any], others: Iterable[str]) -> str:
    """The object of atoms and of pairs that are text already."""
    text = write(atoms)
    pairs = [text[1:-1], *others] if len(text) > 2 else [*others]
    return f"{{{','.join(pairs)}}}"
