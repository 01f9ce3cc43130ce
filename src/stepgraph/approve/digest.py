"""A short name for a value's content: equal content, equal digest, also in another process.

A decision carries the digest of what its maker saw, so that one made on an older proposal is noticed; digests taken
around a node show what it changed in place.
"""

from __future__ import annotations

import marshal
import pickle
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

_MARSHAL = 2
"""The last marshal format without references, so that equal values always have equal bytes."""


def digest(*values: Any) -> str:
    """32 hexadecimal digits for the content of `values`."""
    return blake2b(content(values), digest_size=16).hexdigest()


def content(value: Any) -> bytes:
    """Bytes that are equal for equal content; types of containers are told apart. About 40 ns a plain scalar."""
    try:
        return marshal.dumps(value, _MARSHAL)
    except ValueError:  # something in it is no plain value
        return marshal.dumps(_plain(value, ()), _MARSHAL)


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    """The value in types that marshal knows, each other type replaced by a tagged tuple."""
    kind = type(value)
    if value is None or kind in (bool, int, float, complex, str, bytes):
        return value
    if id(value) in above:
        return ("cycle", len(above) - above.index(id(value)))
    inside = (*above, id(value))
    if isinstance(value, Mapping):
        return (_name(kind), [(_plain(k, inside), _plain(v, inside)) for k, v in value.items()])
    if isinstance(value, Set):
        return (_name(kind), sorted(content(_plain(each, inside)) for each in value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return (_name(kind), [_plain(each, inside) for each in value])
    if is_dataclass(value) and not isinstance(value, type):
        return (_name(kind), [(each.name, _plain(getattr(value, each.name), inside)) for each in fields(value)])
    state = getattr(value, "__pydantic_fields_set__", None)
    if state is not None:
        return (_name(kind), [(k, _plain(v, inside)) for k, v in vars(value).items()])
    return (_name(kind), _opaque(value))


def _opaque(value: Any) -> bytes:
    """What pickle makes of it, else its attributes, else that it is this very object."""
    try:
        return pickle.dumps(value, protocol=5)
    except Exception:  # noqa: BLE001  a user's class may raise anything from its pickling hooks
        try:
            return repr(sorted(vars(value).items())).encode(errors="replace")
        except Exception:  # noqa: BLE001  the same for its attributes and their reprs
            return repr(id(value)).encode()


def _name(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
