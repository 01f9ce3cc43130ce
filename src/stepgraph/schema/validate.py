"""Checks values against types: with Pydantic where it is installed, else by plain isinstance for simple types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import lru_cache
from typing import Any


def coerce(schema: Any, value: Any) -> Any:
    """`value` as `schema` makes it. Raises pydantic.ValidationError, or TypeError without Pydantic."""
    if isinstance(schema, type) and hasattr(schema, "model_validate"):
        return schema.model_validate(value)
    try:
        check = _adapter(schema)
    except TypeError:  # unhashable schema
        check = _adapter.__wrapped__(schema)
    return check(value)


def json_schema(schema: Any) -> dict[str, Any] | None:
    """The JSON Schema of a type, which tells clients what to ask for; None without Pydantic."""
    try:
        from pydantic import TypeAdapter
    except ImportError:
        return None
    described: dict[str, Any] = TypeAdapter(schema).json_schema()
    return described


def as_context(schema: Any, given: Any) -> Any:
    """A run's context: a dict becomes an object of a dataclass or Pydantic model, anything else stays what it is."""
    if isinstance(given, dict) and schema is not None and (is_dataclass(schema) or hasattr(schema, "model_fields")):
        return schema(**given)
    return given


@lru_cache(maxsize=512)
def _adapter(schema: Any) -> Callable[[Any], Any]:
    try:
        from pydantic import TypeAdapter
    except ImportError:
        return lambda value: _plain(schema, value)
    adapter: Any = TypeAdapter(schema)
    return adapter.validate_python  # type: ignore[no-any-return]  # TypeAdapter[Any]


def _plain(schema: Any, value: Any) -> Any:
    if isinstance(schema, type) and not isinstance(value, schema):
        raise TypeError(f"Expected {schema.__name__}, got {value!r}.")
    return value
