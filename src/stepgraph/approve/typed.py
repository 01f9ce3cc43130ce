"""Pydantic as the judge of edited values."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import ConfigDict, Field, InstanceOf, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from stepgraph.approve.judge import Problem
from stepgraph.approve.plain import PlainJudge


class PydanticJudge:
    """Judges each key by a TypeAdapter of its annotation, and a Pydantic state also by its field's constraints.

    Adapters are made on first use: a session is attached in no time also to a state of 1,000 keys.
    """

    def __init__(self, types: Mapping[str, Any], model: type[Any] | None = None) -> None:
        self._types = dict(types)
        for name, field in getattr(model, "model_fields", {}).items():
            if name in self._types:
                self._types[name] = field.rebuild_annotation()
        self._adapters: dict[str, TypeAdapter[Any] | None] = {}
        self._plain = PlainJudge(self._types)

    def schema(self, keys: Iterable[str]) -> dict[str, Any]:
        known = [key for key in keys if key in self._types]
        adapters = [(key, adapter) for key in known if (adapter := self._adapter(key)) is not None]
        made, whole = TypeAdapter.json_schemas(
            [(key, "validation", adapter) for key, adapter in adapters],
            schema_generator=_Generator,
            ref_template="#/$defs/{model}",
        )
        properties = {key: made[key, "validation"] for key, _ in adapters}
        for key in known:
            if key not in properties:
                properties[key] = self._plain.schema([key])["properties"][key]
        found: dict[str, Any] = {"type": "object", "properties": {key: properties[key] for key in known}}
        if "$defs" in whole:
            found["$defs"] = whole["$defs"]
        return found

    def check(self, key: str, value: Any) -> tuple[Any, list[Problem]]:
        adapter = self._adapter(key)
        if adapter is None:
            return self._plain.check(key, value)
        try:
            return _read(adapter.validate_python(value)), []
        except ValidationError as error:
            return value, [Problem([key, *each["loc"]], each["msg"]) for each in error.errors(include_url=False)]
        except Exception as error:  # noqa: BLE001  a class's own validators may raise anything
            return value, [Problem([key], f"{type(error).__name__}: {error}")]

    def _adapter(self, key: str) -> TypeAdapter[Any] | None:
        if key not in self._adapters:
            self._adapters[key] = _adapter(self._types.get(key, Any))
        return self._adapters[key]


def _adapter(kind: Any) -> TypeAdapter[Any] | None:
    """A type with foreign classes in it is judged by isinstance; None if Pydantic can't make anything of it."""
    try:
        if isinstance(kind, str):  # Pydantic would look names up in this module
            kind = eval(kind, dict(_KNOWN_NAMES))  # an annotation in the program's source: nothing of a person's
        return _made(_with_kinds_of_messages(kind))
    except Exception:  # noqa: BLE001  protocols, text that is no type: an annotation may be anything
        return None


_KNOWN_NAMES = {name: getattr(typing, name) for name in typing.__all__}


def _made(kind: Any) -> TypeAdapter[Any] | None:
    try:
        made = TypeAdapter(kind)
        return made if made.pydantic_complete else None
    except PydanticSchemaGenerationError:
        if get_origin(kind) is None and not isinstance(kind, type):
            return None
        return TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))


def _read(value: Any) -> Any:
    """What Pydantic would read item by item (of `Iterable[int]`) read to its end: a decision is kept."""
    return list(value) if type(value).__name__ == "ValidatorIterator" else value


def _with_kinds_of_messages(kind: Any) -> Any:
    """An annotation in which langchain-core's BaseMessage means any kind of message.

    To Pydantic it is a class of its own: of what a form sends it would make a message that neither a person nor a model
    nor a tool has said.
    """
    messages = sys.modules.get("langchain_core.messages")
    if messages is None:
        return kind
    if kind is messages.BaseMessage:
        any_kind: Any = messages.AnyMessage
        of_a_users_class: Any = cast(Any, InstanceOf)[kind]
        return Annotated[any_kind | of_a_users_class, Field(union_mode="left_to_right")]
    origin, inside = get_origin(kind), get_args(kind)
    made = tuple(_with_kinds_of_messages(each) for each in inside[: 1 if origin is Annotated else None])
    if all(new is old for new, old in zip(made, inside, strict=False)):
        return kind
    if origin is Annotated:
        return Annotated[made[0], *inside[1:]]
    return reduce(or_, made) if origin in (Union, UnionType) else origin[made]


class _Generator(GenerateJsonSchema):
    """Says which class a value must have where JSON has no form for it, instead of refusing the whole schema."""

    def handle_invalid_for_json_schema(self, schema: core_schema.CoreSchema, error_info: str) -> JsonSchemaValue:
        del error_info
        kind = schema.get("cls")
        return {"title": getattr(kind, "__name__", "object"), "readOnly": True}

    def emit_warning(self, kind: Any, detail: str) -> None:
        """A default that JSON can't hold is no reason to print a warning into somebody's notebook."""
        del kind, detail
