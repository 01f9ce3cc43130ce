"""Long lists that are handed over whole: an item that is the same object with the same content is not encoded again.

The same object alone proves nothing, because node code may have changed it in place. So the containers in an item are
noted with what they held, and its text counts only while each still holds the same objects: leaves can't change. For a
list that only grew, that is a handful of C calls over all items. Of a big item a copy is kept instead, and
compared by `==`: ten times faster, and blind only for a value that was replaced in place by an equal one.
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
from stepgraph.persist.codec import ATOMS, TEXT, Codec

if TYPE_CHECKING:
    from stepgraph.persist.blobs import Blob

LARGE: Final = 4096
"""Characters of a list below which nothing is gained, and of an item from which it is compared by `==`."""
MEMORABLE: Final = 512
"""Characters of an item from which its text is kept for when the same object comes in another key."""
_CONTAINERS: Final = frozenset({dict, list, tuple})
_COPIED: Final = frozenset({dict, list})
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
_its_dict: Final = attrgetter("__dict__")


class Content:
    """The containers in some items, each with what it held."""

    __slots__ = (
        "dict_sizes",
        "dicts",
        "empty",
        "keys",
        "list_sizes",
        "lists",
        "members",
        "owned",
        "owners",
        "set_sizes",
        "sets",
        "values",
    )

    def __init__(self) -> None:
        self.empty: list[Any] = []
        self.dicts: list[dict[Any, Any]] = []
        self.dict_sizes: list[int] = []
        self.keys: list[Any] = []
        self.values: list[Any] = []
        self.lists: list[list[Any]] = []
        self.list_sizes: list[int] = []
        self.members: list[Any] = []
        self.owners: list[Any] = []
        """Objects whose `__dict__` is in `owned`, and in `dicts`."""
        self.owned: list[dict[str, Any]] = []
        self.sets: list[set[str]] = []
        """What was set explicitly in Pydantic models: these only grow."""
        self.set_sizes: list[int] = []

    def unchanged(self) -> bool:
        """Whether every container still holds the very same objects."""
        dicts, lists = self.dicts, self.lists
        return (
            not any(self.empty)
            and list(map(len, dicts)) == self.dict_sizes
            and list(chain.from_iterable(dicts)) == self.keys
            and all(map(is_, chain.from_iterable(map(dict.values, dicts)), self.values))
            and list(map(len, lists)) == self.list_sizes
            and all(map(is_, chain.from_iterable(lists), self.members))
            and all(map(is_, map(_its_dict, self.owners), self.owned))
            and list(map(len, self.sets)) == self.set_sizes
        )

    def extend(self, other: Content) -> None:
        """Take over what another has noted."""
        for name in self.__slots__:
            getattr(self, name).extend(getattr(other, name))

    def note(self, value: Any) -> bool:
        """Note the containers in a value; False when it has some of a kind whose content cannot be told."""
        kind = type(value)
        if kind in _LEAVES:
            return True
        if kind is dict:
            return self._note_dict(value)
        if kind is list:
            if not value:
                self.empty.append(value)
                return True
            self.lists.append(value)
            self.list_sizes.append(len(value))
            self.members += value
            return self._note_all(value)
        if kind is tuple:
            return self._note_all(value)
        if _is_pydantic(kind):
            if value.__pydantic_extra__ or value.__pydantic_private__:
                return False
            self.sets.append(value.__pydantic_fields_set__)
            self.set_sizes.append(len(value.__pydantic_fields_set__))
        elif not dataclasses.is_dataclass(kind) or not hasattr(value, "__dict__") or hasattr(kind, "__slots__"):
            return False
        self.owners.append(value)
        self.owned.append(value.__dict__)
        return self._note_dict(value.__dict__)

    def _note_dict(self, value: dict[Any, Any]) -> bool:
        if not value:
            self.empty.append(value)
            return True
        if not _LEAVES.issuperset(map(type, value)):
            return False
        self.dicts.append(value)
        self.dict_sizes.append(len(value))
        self.keys += value
        self.values += value.values()
        return self._note_all(value.values())

    def _note_all(self, values: Any) -> bool:
        if _LEAVES.issuperset(map(type, values)):
            return True
        return all(map(self.note, values))


def _is_pydantic(kind: type) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(kind, pydantic.BaseModel)


class Copied:
    """Big items, each with a copy whose leaves are the same objects."""

    __slots__ = ("copies", "items")

    def __init__(self, items: list[Any], copies: list[Any]) -> None:
        self.items = items
        self.copies = copies

    def unchanged(self) -> bool:
        """Whether the items equal their copies."""
        try:
            return self.items == self.copies
        except Exception:  # noqa: BLE001  of what was put in since: any object's own comparison
            return False

    def extend(self, other: Copied) -> None:
        """Take over what another has."""
        self.items += other.items
        self.copies += other.copies


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
    return MISSING if any(map(is_, items, repeat(MISSING))) else items


def _twin(value: Any, data: bytes) -> Any:
    """A copy of a dict or list of built-in types, of which `data` are the bytes; MISSING if that takes more.

    Where the lists are is guessed at, since asking each leaf for its type would take five times as long. Every list and
    dict has a byte of its own in the data, so nothing was missed when as many were copied as there are such bytes.
    """
    if type(value) not in _COPIED:
        return MISSING
    made: list[Any] = []
    copy = _guessed(value, made)
    if len(made) == data.count(b"]") + data.count(b"}") and b"\x8f" not in data:  # the last one is a set's
        return copy
    copy = _plain(value)
    return _surveyed(value) if copy is MISSING else copy


def _guessed(value: Any, made: list[Any]) -> Any:
    """A copy for which what a list holds is told by its first item. Appends to `made` for each container."""
    made.append(None)
    if type(value) is list:
        if value and type(value[0]) in _COPIED:
            return [_guessed(each, made) if type(each) in _COPIED else each for each in value]
        return value[:]
    copy = value.copy()
    for key, each in value.items():
        kind = type(each)
        if kind is dict or (kind is list and each and type(each[0]) in _COPIED):
            copy[key] = _guessed(each, made)
        elif kind is list:
            copy[key] = each[:]
            made.append(None)
    return copy


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

    __slots__ = ("blob", "content", "item", "text")

    def __init__(self, item: Any, text: str, blob: Blob | None = None) -> None:
        self.item, self.text, self.blob = item, text, blob
        self.content: Content | Copied | None = None
        """What it consists of, once it was `described`; None when that cannot be told."""

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
            large = self.size >= (LARGE if self.blob is None else LARGE // 2)
            if large and self.blob is not None:
                copy = _twin(self.item, self.blob.data)
            if large and copy is not MISSING:
                self.content = Copied([self.item], [copy])
            else:
                content = Content()
                self.content = content if content.note(self.item) else None
        return self

    def unchanged(self) -> bool:
        """Whether its text still tells what it is."""
        if self.content is None:
            return self.blob is not None and self.blob.holds(self.item)
        return self.content.unchanged()


def known(item: Any, codec: Codec) -> Known:
    """An item encoded, and what it consists of."""
    blob = codec.blob(item)
    if blob is not None:
        return Known(item, blob.text, blob).described()
    copy = _plain(item)
    return Known(item, codec.dumps(item) if copy is MISSING else codec.plain(copy)).described(copy)


class Memo:
    """The big items of the last checkpoints, so that one is encoded once, whichever keys it is written to."""

    __slots__ = ("_again", "_before", "_now", "_size")

    def __init__(self) -> None:
        self._now: dict[int, Known] = {}
        self._before: dict[int, Known] = {}
        self._size = 0
        self._again = False
        """Whether items come again: else nobody needs to know what they consist of."""

    def begin(self) -> None:
        """A checkpoint begins: what none has had for long is forgotten. That of the last one is kept."""
        if self._size > _KEPT:
            self._before, self._now, self._size = self._now, {}, 0

    def has(self, item: Any) -> bool:
        """Whether the object was seen, changed or not."""
        return id(item) in self._now or id(item) in self._before

    def text(self, item: Any, codec: Codec) -> str:
        """The text of an item, made if need be. Small ones are not looked at twice."""
        if type(item) in ATOMS:
            return codec.dumps(item)
        if self.has(item):
            return self.known(item, codec).text
        blob = codec.blob(item)
        if blob is not None:
            return self.take(item, blob)
        copy = _plain(item)
        text = codec.dumps(item) if copy is MISSING else codec.plain(copy)
        found = Known(item, text)
        return self._kept(found.described(copy)).text if found.memorable else text

    def take(self, item: Any, blob: Blob) -> str:
        """Remember an item that has just become a blob; gives its text."""
        found = Known(item, blob.text, blob)
        return self._kept(found.described() if self._again else found).text

    def known(self, item: Any, codec: Codec) -> Known:
        """The item with its text, which is made if need be."""
        self._again = True
        number = id(item)
        found = self._now.get(number)
        if found is not None and found.unchanged():
            return found.described()
        found = self._before.get(number)
        found = known(item, codec) if found is None or not found.unchanged() else found.described()
        return self._kept(found) if found.memorable else found

    def _kept(self, found: Known) -> Known:
        self._now[id(found.item)] = found
        self._size += found.size + _NOTES
        return found


def is_object(value: dict[Any, Any]) -> bool:
    """Whether a dict is an object of JSON, but for its values."""
    return TEXT.issuperset(map(type, value)) and "~" not in value


class Held:
    """The items of a list as they were when it was encoded."""

    __slots__ = ("content", "copied", "items", "known", "others", "tellable")

    def __init__(self, known: list[Known]) -> None:
        self.known = known
        self.items = [each.item for each in known]
        self.content = Content()
        self.copied: Copied | None = None
        self.others: list[Known] = []
        """Those whose content cannot be told; of a blob it is seen all the same whether it changed."""
        self.tellable = True
        self._note(known)

    def texts(self) -> list[str]:
        """The texts of the items."""
        return [known.text for known in self.known]

    def grew_to(self, items: Sequence[Any]) -> bool:
        """Whether the list is the same with other items after it."""
        return len(items) >= len(self.items) and all(map(is_, items, self.items)) and self.unchanged()

    def unchanged(self) -> bool:
        """Whether the texts still tell what the items are."""
        return (
            self.tellable
            and self.content.unchanged()
            and (self.copied is None or self.copied.unchanged())
            and all(each.unchanged() for each in self.others)
        )

    def extend(self, known: list[Known]) -> None:
        """More items have come."""
        self.known += known
        self.items += [each.item for each in known]
        self._note(known)

    def _note(self, known: list[Known]) -> None:
        for each in known:
            content = each.content
            if type(content) is Content:
                self.content.extend(content)
            elif type(content) is not Copied:
                if each.blob is None:
                    self.tellable = False
                self.others.append(each)
            elif self.copied is None:
                self.copied = Copied([*content.items], [*content.copies])
            else:
                self.copied.extend(content)

    def changed_to(self, items: Sequence[Any], codec: Codec, memo: Memo) -> list[Known]:
        """Another list, of which items that are unchanged are not encoded again."""
        same = self.known if self.unchanged() else (each for each in self.known if each.unchanged())
        by_id = {id(each.item): each for each in same}
        return [by_id.get(id(item)) or memo.known(item, codec) for item in items]
