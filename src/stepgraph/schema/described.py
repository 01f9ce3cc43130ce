"""JSON Schema of what a graph takes and gives, for forms, servers and documentation. Needs Pydantic."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NotRequired, get_args, get_origin, get_type_hints

from stepgraph.core.channels import Channel
from stepgraph.core.types import ROOT
from stepgraph.schema.channels import hints_of, is_keyed, unrequired


def schema_of(schema: Any, types: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The JSON Schema of a state schema whose keys have these types. `name` is its title if the schema has no own."""
    if isinstance(schema, type) and hasattr(schema, "model_json_schema"):
        found: dict[str, Any] = schema.model_json_schema()
    elif is_typeddict(schema):
        from pydantic import TypeAdapter

        found = TypeAdapter(_readable(schema)).json_schema()
    elif tuple(types) == (ROOT,):
        found = root_model(name, types[ROOT], None).model_json_schema()
    else:
        fields = {key: (kind, _default(schema, key)) for key, kind in types.items()}
        found = fields_model(name, fields).model_json_schema()
    return found


def types_of(
    schemas: Iterable[Any], channels: Mapping[str, Channel], keys: Iterable[str], which: str
) -> dict[str, Any]:
    """The types of keys, as the first schema that has them says; of channels that are named there, those of `which`."""
    hints: dict[str, Any] = {}
    for schema in schemas:
        hints = {**(hints_of(schema) if is_keyed(schema) else {ROOT: schema}), **hints}
    return {key: declared(hints.get(key), channels[key], which) for key in keys}


def declared(hint: Any, channel: Channel, which: str) -> Any:
    """The type in an annotation: with what else it says, unless it names a channel, whose `which` it is then."""
    hint = unrequired(hint)
    said = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    made = hint is None or any(hasattr(each, "from_checkpoint") for each in said)
    return getattr(channel, which) if made else hint


def model_of_types(name: str, types: Mapping[str, Any]) -> Any:
    """A Pydantic model with keys of those types, none of them required."""
    return fields_model(name, {key: (kind, None) for key, kind in types.items()})


def fields_model(name: str, fields: Mapping[str, tuple[Any, Any]]) -> Any:
    """A Pydantic model of (type, default) by name, whatever the types and the names are."""
    from pydantic import BaseModel, ConfigDict, Field, create_model

    config = ConfigDict(arbitrary_types_allowed=True, frozen=True, protected_namespaces=())
    found: dict[str, Any] = {}
    for key, (kind, default) in fields.items():
        if key.startswith("_") or (not key.startswith("_") and hasattr(BaseModel, key)):  # a field can't be called so
            title = key.lstrip("_").replace("_", " ").title()
            default = Field(default=default, alias=key, serialization_alias=key, title=title)
            key = f"private_{key}"
        found[key] = (kind, default)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return create_model(name, __config__=config, **found)


def root_model(name: str, schema: Any, *default: Any) -> Any:
    """A Pydantic model of that type; the type itself if it is one."""
    if isinstance(schema, type) and hasattr(schema, "model_json_schema") and not default:
        return schema
    from pydantic import ConfigDict, RootModel

    def model_json_schema(cls: Any, *args: Any, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = super(cls, cls).model_json_schema(*args, **options)
        found["title"] = name
        return found

    made: dict[str, Any] = {
        "__annotations__": {"root": schema},
        "__module__": __name__,
        "model_config": ConfigDict(arbitrary_types_allowed=True),
        "model_json_schema": classmethod(model_json_schema),
    }
    if default:
        made["root"] = default[0]
    return type(name, (RootModel,), made)


def described(schema: Any) -> dict[str, Any] | None:
    """The JSON Schema of a context schema; None for none. Raises ValueError for what is no schema."""
    if schema is None:
        return None
    if isinstance(schema, type) and hasattr(schema, "model_json_schema"):
        found: dict[str, Any] = schema.model_json_schema()
        return found
    if is_typeddict(schema) or dataclasses.is_dataclass(schema):
        from pydantic import TypeAdapter

        return TypeAdapter(_readable(schema)).json_schema()
    raise ValueError(f"Invalid context schema type: {schema}. Must be a BaseModel, TypedDict or dataclass.")


def is_typeddict(schema: Any) -> bool:
    """Whether it is the class of a TypedDict, also of one that typing_extensions has made."""
    return isinstance(schema, type) and hasattr(schema, "__required_keys__")


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
    field = next((field for field in dataclasses.fields(schema) if field.name == key), None)
    if field is None:  # an InitVar, which Pydantic refuses with words of its own
        return ...
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    hint = get_type_hints(schema).get(key)
    return None if type(None) in get_args(hint) else ...
