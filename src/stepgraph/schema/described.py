"""JSON Schema of what a graph takes and gives, for forms, servers and documentation. Needs Pydantic."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, get_args, get_type_hints, is_typeddict

from stepgraph.core.channels import Channel
from stepgraph.core.types import ROOT


def schema_of(schema: Any, channels: Mapping[str, Channel], keys: Sequence[str], name: str) -> dict[str, Any]:
    """The JSON Schema of a state schema whose keys are `keys`. `name` is its title if the schema has no own."""
    from pydantic import TypeAdapter, create_model

    if isinstance(schema, type) and hasattr(schema, "model_json_schema"):
        found: dict[str, Any] = schema.model_json_schema()
    elif is_typeddict(schema) or hasattr(schema, "__required_keys__"):
        found = TypeAdapter(_readable(schema)).json_schema()
    elif tuple(keys) == (ROOT,):
        found = {"default": None, **TypeAdapter(channels[ROOT].type).json_schema(), "title": name}
    else:
        fields: Any = {key: (channels[key].UpdateType, _default(schema, key)) for key in keys}
        found = create_model(name, **fields).model_json_schema()
    return found


def model_of(name: str, channels: Mapping[str, Channel], keys: Sequence[str]) -> Any:
    """A Pydantic model with those keys, none of them required."""
    return model_of_types(name, {key: channels[key].type for key in keys})


def model_of_types(name: str, types: Mapping[str, Any]) -> Any:
    """A Pydantic model with keys of those types, none of them required."""
    from pydantic import create_model

    fields: Any = {key: (kind, None) for key, kind in types.items()}
    return create_model(name, **fields)


def root_model(name: str, schema: Any) -> Any:
    """A Pydantic model of that type; the type itself if it is one."""
    if isinstance(schema, type) and hasattr(schema, "model_json_schema"):
        return schema
    from pydantic import RootModel, create_model

    return create_model(name, __base__=RootModel[schema])


def described(schema: Any) -> dict[str, Any] | None:
    """The JSON Schema of a context schema; None for none. Raises ValueError for what is no schema."""
    if schema is None:
        return None
    if isinstance(schema, type) and hasattr(schema, "model_json_schema"):
        found: dict[str, Any] = schema.model_json_schema()
        return found
    if is_typeddict(schema) or hasattr(schema, "__required_keys__") or dataclasses.is_dataclass(schema):
        from pydantic import TypeAdapter

        return TypeAdapter(_readable(schema)).json_schema()
    raise ValueError(f"Invalid context schema type: {schema}. Must be a BaseModel, TypedDict or dataclass.")


def _readable(schema: Any) -> Any:
    """A TypedDict as Pydantic reads it: before Python 3.12 only those of typing_extensions."""
    if sys.version_info >= (3, 12) or type(schema).__module__ != "typing":
        return schema
    from typing_extensions import TypedDict  # Pydantic brings it

    hints = get_type_hints(schema, include_extras=True)
    fields = {key: hint if key in schema.__required_keys__ else NotRequired[hint] for key, hint in hints.items()}
    found = TypedDict(schema.__name__, fields)  # type: ignore[misc]  # its keys are known now
    found.__doc__, found.__module__ = schema.__doc__, schema.__module__
    return found


def _default(schema: Any, key: str) -> Any:
    """What a dataclass's field is if it is not given; `...` if it must be."""
    if not dataclasses.is_dataclass(schema):
        return ...
    field = next(field for field in dataclasses.fields(schema) if field.name == key)
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    hint = get_type_hints(schema).get(key)
    return None if type(None) in get_args(hint) else ...
