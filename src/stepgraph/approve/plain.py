"""A judge of edited values without Pydantic: an honest check of standard types, and no opinion about others."""

from __future__ import annotations

import types
import typing
from collections import abc
from collections.abc import Iterable, Mapping
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from stepgraph.approve.judge import Problem, describe

Path = tuple[str | int, ...]
_LISTS = (list, set, frozenset, abc.Sequence, abc.MutableSequence, abc.Iterable, abc.Collection, abc.Set)
_DICTS = (dict, abc.Mapping, abc.MutableMapping)
_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
_FROM_TEXT: dict[type, Any] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    Decimal: Decimal,
}
_FORMATS = {datetime: "date-time", date: "date", time: "time"}


class PlainJudge:
    """Checks scalars, Literal, Enum, Optional and unions, lists, sets, tuples, dicts, TypedDicts and dataclasses."""

    def __init__(self, types: Mapping[str, Any]) -> None:
        self._types = dict(types)

    def schema(self, keys: Iterable[str]) -> dict[str, Any]:
        known = [key for key in keys if key in self._types]
        return {"type": "object", "properties": {key: _schema(self._types[key], 0) for key in known}}

    def check(self, key: str, value: Any) -> tuple[Any, list[Problem]]:
        problems: list[Problem] = []
        return _check(self._types.get(key, Any), value, (key,), problems), problems


def _bare(kind: Any) -> Any:
    """Without Annotated, Required, NotRequired and ReadOnly."""
    while get_origin(kind) in (Annotated, typing.Required, typing.NotRequired):
        kind = get_args(kind)[0]
    return kind


def _check(kind: Any, value: Any, path: Path, problems: list[Problem]) -> Any:
    kind = _bare(kind)
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any or kind is object or isinstance(kind, str | typing.TypeVar | typing.ForwardRef):
        return value
    if origin in (Union, types.UnionType):
        return _check_union(args, value, path, problems)
    if origin is Literal:
        return value if value in args else _refuse(f"one of {', '.join(map(repr, args))}", value, path, problems)
    shape = origin or kind
    if shape in _LISTS:
        return _check_items(shape, args, value, path, problems)
    if shape is tuple:
        return _check_tuple(args, value, path, problems)
    if shape in _DICTS:
        return _check_dict(args, value, path, problems)
    if is_typeddict(kind) or is_dataclass(kind):
        return _check_fields(kind, value, path, problems)
    return _check_class(shape, value, path, problems)


def _check_union(args: tuple[Any, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    found: list[list[Problem]] = []
    for each in args:
        attempt: list[Problem] = []
        checked = _check(each, value, path, attempt)
        if not attempt:
            return checked
        found.append(attempt)
    deepest = max(found, key=lambda attempt: len(attempt[0]["path"]))
    problems.extend(
        deepest if len(deepest[0]["path"]) > len(path) else [Problem(path, _wanted(Union[args], value))]  # noqa: UP007  built at run time
    )
    return value


def _check_items(shape: Any, args: tuple[Any, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    wanted = shape if shape in (list, set, frozenset) else list
    if not isinstance(value, list | tuple | set | frozenset):
        return _refuse(f"a {wanted.__name__}", value, path, problems)
    inner = args[0] if args else Any
    items = [_check(inner, each, (*path, at), problems) for at, each in enumerate(value)]
    return wanted(items)


def _check_tuple(args: tuple[Any, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(value, list | tuple):
        return _refuse("a tuple", value, path, problems)
    if not args:
        return tuple(value)
    kinds = [args[0]] * len(value) if len(args) == 2 and args[1] is Ellipsis else list(args)
    if len(kinds) != len(value):
        return _refuse(f"{len(kinds)} items", value, path, problems)
    pairs = enumerate(zip(kinds, value, strict=True))
    return tuple(_check(kind, each, (*path, at), problems) for at, (kind, each) in pairs)


def _check_dict(args: tuple[Any, ...], value: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(value, Mapping):
        return _refuse("a dict", value, path, problems)
    of_key, of_value = args if len(args) == 2 else (Any, Any)
    return {
        _check(of_key, key, (*path, str(key)), problems): _check(of_value, each, (*path, str(key)), problems)
        for key, each in value.items()
    }


def _check_fields(kind: Any, value: Any, path: Path, problems: list[Problem]) -> Any:
    """A dict becomes the dataclass that it describes; unknown and missing names are told."""
    if is_dataclass(kind) and isinstance(value, typing.cast(type, kind)):
        return value
    if not isinstance(value, Mapping):
        return _refuse(f"a {kind.__name__} or a dict of its fields", value, path, problems)
    hints = get_type_hints(kind, include_extras=True)
    for name in value:
        if name not in hints:
            problems.append(Problem((*path, str(name)), f"{kind.__name__} has no field of this name"))
    for name in _required(kind):
        if name not in value:
            problems.append(Problem((*path, name), "field required"))
    checked = {k: _check(hints[k], each, (*path, k), problems) for k, each in value.items() if k in hints}
    return checked if is_typeddict(kind) or problems else kind(**checked)


def _required(kind: Any) -> list[str]:
    if is_typeddict(kind):
        return sorted(kind.__required_keys__)
    return [each.name for each in fields(kind) if each.default is NO_DEFAULT and each.default_factory is NO_DEFAULT]


def _check_class(kind: Any, value: Any, path: Path, problems: list[Problem]) -> Any:
    if kind is None or kind is type(None):
        return value if value is None else _refuse("null", value, path, problems)
    if not isinstance(kind, type):
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    try:
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
    except TypeError:  # a protocol that says nothing of its instances
        return value
    try:
        if issubclass(kind, Enum):
            return kind(value)
        if isinstance(value, str) and kind in _FROM_TEXT:
            return _FROM_TEXT[kind](value)
    except (ValueError, ArithmeticError):
        pass
    return _refuse(_noun(kind), value, path, problems)


def _refuse(wanted: str, value: Any, path: Path, problems: list[Problem]) -> Any:
    problems.append(Problem(path, f"{wanted} is wanted, got {describe(value)}"))
    return value


def _wanted(kind: Any, value: Any) -> str:
    names = " or ".join(_noun(each) for each in get_args(kind))
    return f"{names} is wanted, got {describe(value)}"


def _noun(kind: Any) -> str:
    if kind is None or kind is type(None):
        return "null"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(repr(each.value) for each in kind)
    return getattr(kind, "__name__", str(kind))


def _schema(kind: Any, depth: int) -> dict[str, Any]:
    kind = _bare(kind)
    origin, args = get_origin(kind), get_args(kind)
    shape = origin or kind
    if depth > 8:  # a type that contains itself
        return {}
    if kind is None:
        return {"type": "null"}
    if isinstance(shape, type) and shape in _NAMES:
        return {"type": _NAMES[shape]}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(each, depth + 1) for each in args]}
    if origin is Literal:
        return {"enum": list(args)}
    if shape in _LISTS:
        return {"type": "array", "items": _schema(args[0], depth + 1) if args else {}}
    if shape is tuple:
        return _tuple_schema(args, depth)
    if shape in _DICTS:
        return {"type": "object", "additionalProperties": _schema(args[1], depth + 1) if len(args) == 2 else True}
    if is_typeddict(kind) or is_dataclass(kind):
        return _fields_schema(kind, depth)
    return _class_schema(shape)


def _tuple_schema(args: tuple[Any, ...], depth: int) -> dict[str, Any]:
    if len(args) == 2 and args[1] is Ellipsis:
        return {"type": "array", "items": _schema(args[0], depth + 1)}
    if not args:
        return {"type": "array", "items": {}}
    inner = [_schema(each, depth + 1) for each in args]
    return {"type": "array", "prefixItems": inner, "minItems": len(inner), "maxItems": len(inner)}


def _fields_schema(kind: Any, depth: int) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    names = [each.name for each in fields(kind)] if is_dataclass(kind) else list(hints)
    found: dict[str, Any] = {
        "type": "object",
        "title": kind.__name__,
        "properties": {name: _schema(hints[name], depth + 1) for name in names},
    }
    if required := _required(kind):
        found["required"] = required
    return found


def _class_schema(kind: Any) -> dict[str, Any]:
    if not isinstance(kind, type) or kind is object:
        return {}
    if issubclass(kind, Enum):
        return {"title": kind.__name__, "enum": [each.value for each in kind]}
    if kind in _FORMATS:
        return {"type": "string", "format": _FORMATS[kind]}
    if kind is Decimal:
        return {"type": "string"}
    return {"title": kind.__name__, "readOnly": True}
