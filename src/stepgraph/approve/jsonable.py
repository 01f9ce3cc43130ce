"""A value as JSON can hold it: what a page shows and a form is filled with."""

from __future__ import annotations

import base64
import math
import sys
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

REPR = "$repr"
"""The only key of what stands for an object without a JSON form; a form shows such a value and can't edit it."""


def jsonable(value: Any) -> Any:
    """`value` made of None, bool, int, float, str, list and dict. Rows of a DataFrame become dicts."""
    return _jsonable(value, ())


def _jsonable(value: Any, above: tuple[int, ...]) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else repr(value)
    if id(value) in above:
        return {REPR: "…"}
    inside = (*above, id(value))
    if isinstance(value, Mapping):
        return {_key(k): _jsonable(v, inside) for k, v in value.items()}
    if isinstance(value, list | tuple | Set):
        return [_jsonable(each, inside) for each in value]
    if isinstance(value, Enum):
        return _jsonable(value.value, inside)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal | UUID | PurePath):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return _text(bytes(value))
    if isinstance(value, int | float | str):  # their subclasses
        return _jsonable(next(base(value) for base in (int, float, str) if isinstance(value, base)), inside)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _jsonable(getattr(value, each.name), inside) for each in fields(value)}
    return _foreign(value, inside)


def _foreign(value: Any, inside: tuple[int, ...]) -> Any:
    """Values of libraries, which are never imported for this: if one has such a value, it is loaded."""
    messages = sys.modules.get("langchain_core.messages")
    if messages is not None and isinstance(value, messages.BaseMessage):
        said = {name: getattr(value, name) for name in type(value).model_fields}
        return {name: _jsonable(each, inside) for name, each in said.items() if each or name in ("content", "type")}
    if hasattr(value, "__pydantic_fields_set__"):
        return {name: _jsonable(getattr(value, name), inside) for name in type(value).model_fields}
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas is not None:
        if isinstance(value, pandas.DataFrame):
            return [_jsonable(row, inside) for row in value.to_dict("records")]
        if isinstance(value, pandas.Series):
            return _jsonable(value.tolist(), inside)
        if value is pandas.NaT or value is pandas.NA:
            return None
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        return _jsonable(value.tolist(), inside)
    return {REPR: repr(value)}


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(_jsonable(key, ()))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
