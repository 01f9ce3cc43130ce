"""Long lists that are handed over whole: an item that is the same object with the same content is not encoded again.

The same object alone proves nothing, because node code may have changed it in place. So a copy of an item's containers
is kept whose leaves are its own, and its text counts only while the item equals that: one C call for all items. What
`==` does not see is noted too of small items; of big ones 1 in place of True or another order of keys is not seen.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import sys
import uuid
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, Final

from stepgraph.core.types import MISSING
from stepgraph.persist.codec import ATOMS, BLOB, TEXT, Codec
from stepgraph.persist.guess import COPIED, guessed
from stepgraph.persist.pool import Pool

if TYPE_CHECKING:
    from stepgraph.persist.blobs import Blob

LARGE: Final = 4096
"""Characters of a list below which nothing is gained, and of an item from which it is compared by `==`."""
MEMORABLE: Final = 512
"""Characters of an item from which its text is kept for when the same object comes in another key."""
_CONTAINERS: Final = frozenset({dict, list, tuple})
_LIST: Final = frozenset({list})
_NOTES: Final = 1024
"""Bytes of what is noted of an item, about."""
_KEPT: Final = 1 << 22
"""Characters of remembered items after which those of earlier checkpoints are forgotten."""
_LEAVES: Final = ATOMS | {
    bytes,
    complex,
    datetime.date,
    datetime.datetime,
    datetime.timedelta,
    decimal.Decimal,
    uuid.UUID,
}
_NUMBERS: Final = frozenset({int, float, bool, complex, decimal.Decimal, datetime.datetime, bytes})
"""Types of which a value may equal another that is stored otherwise."""
_its_dict: Final = attrgetter("__dict__")


class Content:
    """Some items, each with a copy of its containers whose leaves are the same objects.

    A comparison of the two is one C call for all items; it takes identical leaves for equal. What it does not see of
    small items is noted apart: the order of keys, and 1 that was put in the place of True.
    """

    __slots__ = ("copies", "dicts", "items", "keys", "numbers", "numerals", "owned", "owners", "set_sizes", "sets")

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.copies: list[Any] = []
        self.owners: list[Any] = []
        """Objects."""
        self.owned: list[dict[str, Any]] = []
        """Copies of what their `__dict__` is."""
        self.dicts: list[dict[Any, Any]] = []
        self.keys: list[Any] = []
        self.numerals: list[Any] = []
        """Views of what has numbers in it."""
        self.numbers: list[Any] = []
        """All that these hold."""
        self.sets: list[set[str]] = []
        """What was set explicitly in Pydantic models: these only grow."""
        self.set_sizes: list[int] = []

    @classmethod
    def of(cls, item: Any) -> Content | None:
        """What an item consists of; None when it has something of a kind whose content cannot be told."""
        found = cls()
        copy = found._copied(item)
        if copy is MISSING:
            return None
        if copy is not item:
            found.items.append(item)
            found.copies.append(copy)
        return found

    @classmethod
    def of_large(cls, item: Any, copy: Any) -> Content:
        """What a big item consists of, to be compared with its copy and no closer."""
        found = cls()
        found.items.append(item)
        found.copies.append(copy)
        return found

    def unchanged(self) -> bool:
        """Whether all items hold what they held."""
        try:
            return (
                self.items == self.copies
                and (not self.owners or [*map(_its_dict, self.owners)] == self.owned)
                and (not self.dicts or [*chain.from_iterable(self.dicts)] == self.keys)
                and (not self.numerals or all(map(is_, chain.from_iterable(self.numerals), self.numbers)))
                and (not self.sets or [*map(len, self.sets)] == self.set_sizes)
            )
        except Exception:  # noqa: BLE001  of what was put in since: any object's own comparison
            return False

    def extend(self, other: Content) -> None:
        """Take over what another has noted."""
        if other.items:
            self.items += other.items
            self.copies += other.copies
        if other.owners:
            self.owners += other.owners
            self.owned += other.owned
        if other.dicts:
            self.dicts += other.dicts
            self.keys += other.keys
        if other.numerals:
            self.numerals += other.numerals
            self.numbers += other.numbers
        if other.sets:
            self.sets += other.sets
            self.set_sizes += other.set_sizes

    def _copied(self, value: Any) -> Any:
        """A copy of the containers in a value; an object is itself, and noted. MISSING if that cannot be done."""
        kind = type(value)
        if kind in _LEAVES:
            return value
        if kind is dict:
            if len(value) > 1:
                self.dicts.append(value)
                self.keys += value
            return self._copied_dict(value) if _LEAVES.issuperset(map(type, value)) else MISSING
        if kind is list:
            if _LEAVES.issuperset(map(type, value)):
                self._note_numbers(value)
                return value[:]
            items = [each if type(each) in _LEAVES else self._copied(each) for each in value]
            self._note_numbers(value)
            return MISSING if _has_missing(items) else items
        if kind is tuple:
            if _LEAVES.issuperset(map(type, value)):
                return value
            items = [each if type(each) in _LEAVES else self._copied(each) for each in value]
            return MISSING if _has_missing(items) else tuple(items)
        return self._noted(kind, value)

    def _copied_dict(self, value: dict[Any, Any]) -> Any:
        members = value.values()
        if not _LEAVES.issuperset(map(type, members)):
            items = [each if type(each) in _LEAVES else self._copied(each) for each in members]
            self._note_numbers(members)
            return MISSING if _has_missing(items) else dict(zip(value, items, strict=True))
        self._note_numbers(members)
        return value.copy()

    def _note_numbers(self, members: Iterable[Any]) -> None:
        if not _NUMBERS.isdisjoint(map(type, members)):
            self.numerals.append(members)
            self.numbers += members

    def _noted(self, kind: type, value: Any) -> Any:
        """An object, once its content is noted; MISSING if that cannot be told."""
        if _is_pydantic(kind):
            if value.__pydantic_extra__ or value.__pydantic_private__:
                return MISSING
            self.sets.append(value.__pydantic_fields_set__)
            self.set_sizes.append(len(value.__pydantic_fields_set__))
        elif not dataclasses.is_dataclass(kind) or not hasattr(value, "__dict__") or hasattr(kind, "__slots__"):
            return MISSING
        copy = self._copied_dict(value.__dict__)
        if copy is MISSING:
            return MISSING
        self.owners.append(value)
        self.owned.append(copy)
        return value


def _has_missing(items: Iterable[Any]) -> bool:
    return any(map(is_, items, repeat(MISSING)))


def _is_pydantic(kind: type) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(kind, pydantic.BaseModel)


def _plain(value: Any) -> Any:
    """A copy of a value that JSON keeps exactly; MISSING for any other."""
    kind = type(value)
    if kind is list:
        return value[:] if ATOMS.issuperset(map(type, value)) else _all_plain(value)
    if kind is not dict:
        return value if kind in ATOMS else MISSING
    if not TEXT.issuperset(map(type, value)) or "~" in value:
        return MISSING
    members = value.values()
    kinds = {*map(type, members)}
    if ATOMS.issuperset(kinds):
        return value.copy()
    if kinds == _LIST and ATOMS.issuperset(map(type, chain.from_iterable(members))):
        return dict(zip(value, map(list.copy, members), strict=True))
    items = _all_plain(members)
    return MISSING if items is MISSING else dict(zip(value, items, strict=True))


def _all_plain(members: Iterable[Any]) -> Any:
    items = [each if type(each) in ATOMS else _plain(each) for each in members]
    return MISSING if _has_missing(items) else items


def _twin(value: Any, data: bytes) -> Any:
    """A copy of a dict or list of built-in types, of which `data` are the bytes; MISSING if that takes more."""
    if type(value) not in COPIED:
        return MISSING
    copy, count = guessed(value)
    if count == data.count(b"]") + data.count(b"}") and b"\x8f" not in data:  # the last one is a set's
        return copy
    copy = _plain(value)
    return _surveyed(value) if copy is MISSING else copy


def _surveyed(value: Any) -> Any:
    """A copy for which every leaf was looked at: what has a hash does not change."""
    kind = type(value)
    if kind is not list and kind is not dict:
        return MISSING
    members = value if kind is list else value.values()
    try:
        hash(tuple(members))
    except TypeError:
        items = [each if type(each) in ATOMS else _surveyed(each) for each in members]
        if MISSING in items:
            return MISSING
        return items if kind is list else dict(zip(value, items, strict=True))
    return value.copy()


class Known:
    """An item with its text, and what tells whether that still holds."""

    __slots__ = ("blob", "content", "item", "seen", "text")

    def __init__(self, item: Any, text: str, blob: Blob | None = None) -> None:
        self.item, self.text, self.blob = item, text, blob
        self.content: Content | None = None
        """What it consists of, once it was `described`; None when that cannot be told."""
        self.seen = 0
        """The turn in which it was last found unchanged."""

    @property
    def memorable(self) -> bool:
        """Whether the text is worth keeping: a blob lives by that; an object of a class takes longer to encode."""
        return self.blob is not None or self.size >= (MEMORABLE if type(self.item) in _CONTAINERS else MEMORABLE // 4)

    @property
    def size(self) -> int:
        """Characters, or bytes of what stands for them."""
        return len(self.text) if self.blob is None else len(self.blob.data)

    def described(self, copy: Any = MISSING) -> Known:
        """Itself, with what it consists of: it is as it was encoded. `copy` is one of a plain item, if there is one."""
        if self.content is None:
            data = None if self.blob is None else self.blob.data
            large = self.size >= (LARGE // 2 if type(data) is bytes else LARGE)
            if large and type(data) is bytes:
                copy = _twin(self.item, data)
            if large and copy is not MISSING:
                self.content = Content.of_large(self.item, copy)
            else:
                self.content = Content.of(self.item)
        return self

    def unchanged(self, turn: int = 0) -> bool:
        """Whether its text still tells what it is. It is looked at once a turn, in which no code of nodes runs."""
        if turn and self.seen == turn:
            return True
        if self.content is None:
            found = self.blob is not None and self.blob.holds(self.item)
        else:
            found = self.content.unchanged()
        if found:
            self.seen = turn
        return found


def known(item: Any, codec: Codec) -> Known:
    """An item encoded, and what it consists of."""
    found, copy = _encoded(item, codec)
    return found.described(copy)


def _encoded(item: Any, codec: Codec) -> tuple[Known, Any]:
    """An item encoded, with its copy when it is a plain one that is no blob."""
    blob = codec.blob(item)
    if blob is not None:
        return Known(item, blob.text, blob), MISSING
    quick = codec.quick(item)
    if quick is not None:
        return Known(item, quick[0]), quick[1]
    copy = _plain(item)
    found = Known(item, codec.dumps(item) if copy is MISSING else codec.plain(copy))
    if found.memorable:
        found.blob = codec.apart(found.text)
        if found.blob is not None:
            found.text = found.blob.text
    return found, copy


class Memo:
    """The big items of the last checkpoints, so that one is encoded once, whichever keys it is written to."""

    __slots__ = ("_again", "_before", "_now", "_size", "pool", "turn")

    def __init__(self) -> None:
        self.pool = Pool()
        """What the lines since the last keyframe define, where the codec is `pooled`."""
        self.turn = 1
        """Counts checkpoints and records: what was looked at for one is not again for the same."""
        self._now: dict[int, Known] = {}
        self._before: dict[int, Known] = {}
        self._size = 0
        self._again = False
        """Whether items come again: else nobody needs to know what they consist of."""

    def begin(self) -> None:
        """A checkpoint or record begins: what none has had for long is forgotten. That of the last one is kept."""
        self.turn += 1
        if self._size > _KEPT:
            self._before, self._now, self._size = self._now, {}, 0

    @property
    def empty(self) -> bool:
        """Whether nothing is remembered."""
        return not (self._now or self._before)

    def has(self, item: Any) -> bool:
        """Whether the object was seen, changed or not."""
        return id(item) in self._now or id(item) in self._before

    def comes_again(self, value: Any) -> bool:
        """Whether a value is one that was seen, or a list that begins with one."""
        return self.has(value[0] if type(value) is list and value else value)

    def text(self, item: Any, codec: Codec) -> str:
        """The text of an item, made if need be. Small ones are not looked at twice."""
        if type(item) in ATOMS:
            return codec.dumps(item)
        if self.has(item):
            return self.known(item, codec).text
        found, copy = _encoded(item, codec)
        if found.memorable:
            self._kept(found.described(copy) if self._again or found.blob is None else found, codec)
        return found.text

    def recorded(self, item: Any, codec: Codec) -> str:
        """The text of an item for a record, which cannot define it."""
        text = self.text(item, codec)
        if text.startswith(BLOB) and self.pool.fresh:
            blob = (self._now.get(id(item)) or self._before[id(item)]).blob
            if blob is not None and blob.number in self.pool.fresh:
                return str(blob.data)
        return text

    def take(self, item: Any, blob: Blob) -> str:
        """Remember an item that has just become a blob; gives its text."""
        found = Known(item, blob.text, blob)
        return self._kept(found.described() if self._again else found, None).text

    def known(self, item: Any, codec: Codec) -> Known:
        """The item with its text, which is made if need be."""
        self._again = True
        number = id(item)
        found = self._now.get(number)
        if found is not None and found.unchanged(self.turn):
            if codec.pooled:
                self.pool.know(found.blob)  # type: ignore[arg-type]  # all that are remembered have one
            return found.described()
        found = self._before.get(number)
        found = known(item, codec) if found is None or not found.unchanged(self.turn) else found.described()
        return self._kept(found, codec) if found.memorable else found

    def _kept(self, found: Known, codec: Codec | None) -> Known:
        if codec is not None and codec.pooled:
            if found.blob is None:
                found.blob = self.pool.blob(found.text)
                found.text = found.blob.text
            else:
                self.pool.know(found.blob)
        self._now[id(found.item)] = found
        self._size += found.size + _NOTES
        return found


def is_object(value: dict[Any, Any]) -> bool:
    """Whether a dict is an object of JSON, but for its values."""
    return TEXT.issuperset(map(type, value)) and "~" not in value


class Held:
    """The items of a list as they were when it was encoded."""

    __slots__ = ("content", "items", "known", "others", "seen", "tellable")

    def __init__(self, known: list[Known], old: Held | None = None, new: Iterable[Known] = ()) -> None:
        """With `old` the items are those of that one and `new` ones, in any order."""
        self.known = known
        self.items = [each.item for each in known]
        self.content = Content()
        self.others: list[Known] = []
        """Those whose content cannot be told; of a blob it is seen all the same whether it changed."""
        self.tellable = True
        self.seen = 0
        """The turn in which all were last found unchanged."""
        if old is None:
            self._note(known)
        else:
            self.content.extend(old.content)
            self.others += old.others
            self.tellable = old.tellable
            self._note(new)

    def texts(self) -> list[str]:
        """The texts of the items."""
        return [known.text for known in self.known]

    def grew_to(self, items: Sequence[Any], turn: int = 0) -> bool:
        """Whether the list is the same with other items after it."""
        return len(items) >= len(self.items) and all(map(is_, items, self.items)) and self.unchanged(turn)

    def unchanged(self, turn: int = 0) -> bool:
        """Whether the texts still tell what the items are."""
        if turn and self.seen == turn:
            return True
        found = self.tellable and self.content.unchanged() and all(map(Known.unchanged, self.others, repeat(turn)))
        if found:
            self.seen = turn
        return found

    def extend(self, known: list[Known]) -> None:
        """More items have come."""
        self.known += known
        self.items += [each.item for each in known]
        self._note(known)

    def _note(self, known: Iterable[Known]) -> None:
        for each in known:
            if each.content is not None:
                self.content.extend(each.content)
            else:
                if each.blob is None:
                    self.tellable = False
                self.others.append(each)

    def changed_to(self, items: Sequence[Any], codec: Codec, memo: Memo) -> Held:
        """Another list, of which items that are unchanged are not encoded again."""
        whole = self.unchanged(memo.turn)
        same = self.known if whole else [each for each in self.known if each.unchanged(memo.turn)]
        by_id = {id(each.item): each for each in same}
        new = {id(item): memo.known(item, codec) for item in items if id(item) not in by_id}
        found = [by_id.get(number) or new[number] for number in map(id, items)]
        if whole and by_id.keys() <= {*map(id, items)}:
            return Held(found, self, new.values())
        return Held(found)
