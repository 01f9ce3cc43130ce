"""A graph's input and output as Pydantic models and JSON schemas, for servers and front ends."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from pydantic import BaseModel, RootModel, TypeAdapter, create_model

from stepgraph.core.types import ROOT


def json_schema(graph: Any, schema: Any, name: str) -> dict[str, Any]:
    """The JSON schema of one of the graph's schemas."""
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema.model_json_schema()
    if hasattr(schema, "__total__") or ROOT in graph.plan.channels:  # a TypedDict of any library's
        found: dict[str, Any] = TypeAdapter(schema).json_schema()
        return found
    defaults = {each.name: each.default for each in fields(schema)} if is_dataclass(schema) else {}
    return _model(graph, schema, name, defaults).model_json_schema()


def whole(schema: Any, name: str) -> type[BaseModel]:
    """A model whose one value is an object of the schema."""
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema
    made: Any = create_model(name, __base__=RootModel[schema])
    return made  # type: ignore[no-any-return]  # made of RootModel


def optional(graph: Any, schema: Any, name: str) -> type[BaseModel]:
    """A model of the schema's keys, of which none has to be there."""
    return _model(graph, schema, name, None)


def _model(graph: Any, schema: Any, name: str, defaults: dict[str, Any] | None) -> type[BaseModel]:
    channels = graph.plan.channels
    keys = [key for key in graph.builder.schemas[schema] if key in channels]
    given = {key: (channels[key].UpdateType, None if defaults is None else _default(defaults, key)) for key in keys}
    made: Any = create_model(name, **given)  # type: ignore[call-overload]  # fields by name
    return made  # type: ignore[no-any-return]  # a model


def _default(defaults: dict[str, Any], key: str) -> Any:
    found = defaults.get(key, MISSING)
    return ... if found is MISSING else found
