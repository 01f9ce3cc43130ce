"""Long lists, item by item: an item that is the same object as last time, with the same content, is not encoded again.

The same object alone proves nothing, because node code may have changed it in place. So each text is kept with all that
its item consisted of, and counts only while all of that is still the same: the leaves cannot change themselves.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from operator import is_
from typing import Any, Final, NamedTuple

from stepgraph.persist.codec import ATOMS, Codec

_LEAVES: Final = ATOMS | {bytes, complex}
_END: Final = object()
_LARGE: Final = 4096
"""Characters of a list below which nothing is gained."""
_ITEM: Final = 1000
"""Characters of a plain item that are encoded in about the time of a look at it."""
_FAST: Final = ATOMS | {dict, list, tuple}
"""What the C encoder takes; objects take ten times as long."""


class Known(NamedTuple):
    """An item, what it consisted of, and its text. Holding the item keeps its `id` from being used again."""

    item: Any
    content: list[Any]
    text: str


Memo = dict[int, Known]
"""By `id` of the item."""


def pays(items: Sequence[Any], size: int) -> bool:
    """Whether looking at what items consist of is cheaper than encoding them; `size` is that of the list before."""
    return size > _LARGE and (size > _ITEM * len(items) or type(items[0]) not in _FAST)


def encoded(items: Sequence[Any], memo: Memo, codec: Codec) -> tuple[list[str], Memo]:
    """The texts of the items, and the memo for the next time."""
    texts: list[str] = []
    found: Memo = {}
    for item in items:
        content = _content(item)
        if content is None:
            texts.append(codec.dumps(item))
            continue
        known = memo.get(id(item))
        if known is None or known.item is not item or not _same(known.content, content):
            known = Known(item, content, codec.dumps(item))
        found[id(item)] = known
        texts.append(known.text)
    return texts, found


def _same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(map(is_, one, other))


def _content(item: Any) -> list[Any] | None:
    if type(item) is dict and _LEAVES.issuperset(map(type, item.values())) and _LEAVES.issuperset(map(type, item)):
        return [dict, *item, *item.values(), _END]  # as below, for the most frequent kind
    content: list[Any] = []
    return content if _collect(item, content) else None


def _collect(value: Any, content: list[Any]) -> bool:
    """Note what `value` consists of, in order; False for kinds whose content cannot be told."""
    kind = type(value)
    if kind in _LEAVES:
        content.append(value)
        return True
    content.append(kind)
    if kind is list or kind is tuple:
        if not _LEAVES.issuperset(map(type, value)):
            return all(_collect(item, content) for item in value) and _ended(content)
        content += value
    elif kind is dict:
        return _collect_dict(value, content)
    elif _is_pydantic(kind):
        return _collect_pydantic(value, content)
    elif dataclasses.is_dataclass(kind):
        fields = [getattr(value, field.name, _END) for field in dataclasses.fields(kind)]
        return all(_collect(item, content) for item in fields) and _ended(content)
    else:
        return False
    return _ended(content)


def _collect_dict(value: dict[Any, Any], content: list[Any]) -> bool:
    if not _LEAVES.issuperset(map(type, value)):
        return False
    content += value
    if not _LEAVES.issuperset(map(type, value.values())):
        return all(_collect(item, content) for item in value.values()) and _ended(content)
    content += value.values()
    return _ended(content)


def _collect_pydantic(value: Any, content: list[Any]) -> bool:
    if value.__pydantic_extra__ or value.__pydantic_private__:
        return False
    content += sorted(value.__pydantic_fields_set__)
    return _collect_dict(value.__dict__, content)


def _ended(content: list[Any]) -> bool:
    content.append(_END)
    return True


def _is_pydantic(kind: type) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(kind, pydantic.BaseModel)
