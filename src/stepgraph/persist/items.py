"""Long lists that are handed over whole: an item that is the same object with the same content is not encoded again.

The same object alone proves nothing, because node code may have changed it in place. So the containers in an item are
noted with what they held, and its text counts only while each still holds the same objects: leaves can't change. For a
list that only grew, that is a handful of C calls over all items.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import sys
import uuid
from collections.abc import Sequence
from itertools import chain
from operator import attrgetter, is_
from typing import Any, Final, NamedTuple

from stepgraph.persist.codec import ATOMS, Codec

LARGE: Final = 4096
"""Characters of a list below which nothing is gained."""
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


class Known(NamedTuple):
    """An item, what it consisted of (None when that cannot be told), and its text."""

    item: Any
    content: Content | None
    text: str


class Held:
    """The items of a list as they were when it was encoded."""

    __slots__ = ("content", "known")

    def __init__(self, known: list[Known]) -> None:
        self.known = known
        self.content: Content | None = Content()
        """Of all items; None when that of some cannot be told."""
        self._note(known)

    def texts(self) -> list[str]:
        """The texts of the items."""
        return [known.text for known in self.known]

    def grew_to(self, items: Sequence[Any]) -> bool:
        """Whether the list is the same with other items after it."""
        known = self.known
        return (
            self.content is not None
            and len(items) >= len(known)
            and all(map(is_, items, (each.item for each in known)))
            and self.content.unchanged()
        )

    def extend(self, known: list[Known]) -> None:
        """More items have come."""
        self.known += known
        self._note(known)

    def _note(self, known: list[Known]) -> None:
        for each in known:
            if self.content is not None and each.content is not None:
                self.content.extend(each.content)
            else:
                self.content = None
                return

    def changed_to(self, items: Sequence[Any], codec: Codec) -> list[Known]:
        """Another list, of which items that are unchanged are not encoded again."""
        all_same = self.content is not None and self.content.unchanged()
        same = self.known if all_same else (each for each in self.known if each.content and each.content.unchanged())
        by_id = {id(each.item): each for each in same}
        return [by_id.get(id(item)) or known(item, codec) for item in items]


def known(item: Any, codec: Codec) -> Known:
    """An item encoded, and what it consists of."""
    content = Content()
    return Known(item, content if content.note(item) else None, codec.dumps(item))
