"""Turns a state schema (TypedDict, dataclass, Pydantic model, or any other type) into channels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Annotated, Any, NotRequired, Required, get_args, get_origin, get_type_hints, is_typeddict

from stepgraph.core import registry
from stepgraph.core.channels import BinaryOperatorAggregate, Channel, LastValue
from stepgraph.core.types import ROOT
from stepgraph.schema.managed import computing, is_managed, managed_in

Managers = dict[str, Callable[[int, int], Any]]


def channels_of(schema: Any) -> tuple[dict[str, Channel], Managers]:
    """The channel of each annotated key of `schema`, and its managed values.

    A type without annotated keys is the state itself: one channel, `__root__`.
    """
    if not is_keyed(schema):
        channel, manager = channel_of(ROOT, schema)
        if manager is not None:
            raise ValueError(
                f"Invalid managed channels detected in {schema!r}: a whole state can't be a managed value."
            )
        assert channel is not None
        return {ROOT: channel}, {}
    channels: dict[str, Channel] = {}
    managers: Managers = {}
    for key, hint in hints_of(schema).items():
        channel, manager = channel_of(key, hint)
        if manager is not None:
            managers[key] = manager
        elif channel is not None:
            channels[key] = channel
    return channels, managers


def is_keyed(schema: Any) -> bool:
    """Whether the schema has named keys."""
    return isinstance(schema, type) and bool(getattr(schema, "__annotations__", None) or _inherits_hints(schema))


def _inherits_hints(schema: type) -> bool:
    return any(getattr(base, "__annotations__", None) for base in schema.__mro__[:-1])


def hints_of(schema: Any) -> dict[str, Any]:
    """Resolved annotations, with `Annotated`; raises NameError that names the schema when one can't be resolved."""
    try:
        hints = get_type_hints(schema, include_extras=True)
    except NameError as error:
        error.add_note(
            f"while reading the annotations of state schema {schema!r}: define that name in the same module."
        )
        raise
    pydantic = getattr(schema, "model_fields", None)
    if pydantic is not None:
        return {key: hints[key] for key in pydantic if key in hints}
    return {key: hint for key, hint in hints.items() if get_origin(hint) is not _classvar() and key != "__slots__"}


def _classvar() -> Any:
    from typing import ClassVar

    return ClassVar


def channel_of(key: str, hint: Any) -> tuple[Channel | None, Callable[[int, int], Any] | None]:
    """One key's rule: a channel or manager in its metadata, a reducer as the last metadata, else the last value."""
    hint = unrequired(hint)
    if get_origin(hint) is not Annotated:
        if is_managed(hint):
            return None, computing(hint)
        return LastValue(hint, key=key), None
    kind, *metadata = get_args(hint)
    kind = unrequired(kind)
    for item in metadata:
        if isinstance(item, Channel) and not item.keeps:
            item = getattr(item, "rule", item)  # without the value that it may hold
            item.key = key
            if item.type is None:
                item.type = kind
            return item, None
        if isinstance(item, type) and issubclass(item, Channel) and not item.keeps:
            return item(kind, key=key), None
        if _is_channel_alias(item):
            raise ValueError(
                f"Invalid reducer signature. Expected (a, b) -> c. Got {item!r} for key {key!r}: name the class of the "
                f"channel, {get_origin(item).__name__}, without a type, or make a channel of it."
            )
        if hasattr(item, "from_checkpoint") and hasattr(item, "update"):  # a channel in LangGraph's form
            rule: Channel = registry.adapters.load("channel")(item, kind, key)
            return rule, None
    manager = managed_in(metadata)
    if manager is not None:
        return None, manager
    last = metadata[-1]
    if callable(last):
        _check_reducer(key, last)
        return BinaryOperatorAggregate(kind, last, key=key), None
    return LastValue(kind, key=key), None


def unrequired(hint: Any) -> Any:
    """The annotation inside Required and NotRequired."""
    while get_origin(hint) in (Required, NotRequired):
        (hint,) = get_args(hint)
    return hint


def _is_channel_alias(item: Any) -> bool:
    """Whether it is a class of channels with a type in brackets."""
    origin = get_origin(item)
    return isinstance(origin, type) and issubclass(origin, Channel)


def _check_reducer(key: str, reducer: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(reducer)
    except (TypeError, ValueError):  # a builtin without a signature: trusted
        return
    parameters = signature.parameters.values()
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if len(positional) != 2:
        raise ValueError(
            f"Invalid reducer signature. Expected (a, b) -> c. Got {signature} of {reducer!r} for key {key!r}, "
            f"which takes {len(positional)} positional arguments."
        )


def mapper_of(schema: Any) -> Callable[[Any], Any] | None:
    """What makes a node's input of a dict of values: the schema's constructor, or None for a plain dict."""
    if not is_keyed(schema):
        return _lone
    if is_typeddict(schema) or issubclass(schema, Mapping):
        return None
    if is_dataclass(schema) or hasattr(schema, "model_fields"):
        return lambda values: schema(**values)
    return None


def _lone(values: Any) -> Any:
    return values.get(ROOT) if isinstance(values, dict) else values
