"""What the fields of a state schema say."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, NotRequired, Required, TypeVar, Union, get_args, get_origin, get_type_hints

from stepgraph.core.types import MISSING
from stepgraph.core.writes import attributes_of

__all__ = ("get_cached_annotated_keys", "get_enhanced_type_hints", "get_field_default", "get_update_as_tuples")


def get_field_default(name: str, type_: Any, schema: Any) -> Any:
    """A field's default: its own, None where the key or the value may be missing, else Ellipsis."""
    required = _required(type_)
    if name in getattr(schema, "__optional_keys__", ()):
        return ... if required else None
    if required is not None:
        return ... if required else None
    if dataclasses.is_dataclass(schema):
        found = next((each for each in dataclasses.fields(schema) if each.name == name), None)
        if found is not None and found.default not in (dataclasses.MISSING, ...):
            return found.default
        if found is not None and found.default_factory is not dataclasses.MISSING:
            return found.default_factory()
    return None if _is_optional_type(type_) else ...


def _required(type_: Any) -> bool | None:
    """Whether Required or NotRequired says so, outside or inside Annotated."""
    origin = get_origin(type_)
    if _named(origin, Required, "Required"):
        return True
    if _named(origin, NotRequired, "NotRequired"):
        return False
    return _required(get_args(type_)[0]) if origin is Annotated else None


def _named(origin: Any, form: Any, name: str) -> bool:
    """`typing_extensions` has forms of its own on old Pythons."""
    return origin is form or getattr(origin, "_name", None) == name


def _is_optional_type(type_: Any) -> bool:
    """Whether None is one of its values."""
    origin = get_origin(type_)
    if isinstance(type_, UnionType) or origin is Union:
        return any(each is type(None) or _is_optional_type(each) for each in get_args(type_))
    if origin is Annotated:
        return _is_optional_type(get_args(type_)[0])
    if isinstance(type_, TypeVar):
        return type_.__bound__ is not None and _is_optional_type(type_.__bound__)
    return type_ is None


def get_enhanced_type_hints(type: Any) -> Iterator[tuple[str, Any, Any, str | None]]:
    """(name, type, default, description) of each field; None for a default or description that is not there."""
    fields = getattr(type, "model_fields", {})
    for name, hint in get_type_hints(type).items():
        default, description = vars(type).get(name), None
        if name in fields:
            field = fields[name]
            description, given = field.description, field.default
            if default is None and given.__class__.__name__ != "PydanticUndefinedType":
                default = given
        yield name, hint, default, description


def get_update_as_tuples(input: Any, keys: Sequence[str]) -> list[tuple[str, Any]]:
    """(key, value) of a schema object's fields that carry an update, in the order of `keys`."""
    if hasattr(type(input), "model_fields"):
        found = dict(attributes_of(input) or ())
        return [(key, found[key]) for key in keys if key in found]
    pairs = ((key, getattr(input, key, MISSING)) for key in keys)
    return [(key, value) for key, value in pairs if value is not MISSING]


def get_cached_annotated_keys(obj: Any) -> tuple[str, ...]:
    """The annotated names of a class and of its bases, the bases' first."""
    keys: list[str] = []
    for base in reversed(obj.__mro__ if isinstance(obj, type) else (obj,)):
        keys.extend(
            getattr(base, "__annotations__", ())
            if not isinstance(base, type)
            else vars(base).get("__annotations__", ())
        )
    return tuple(dict.fromkeys(keys))
