"""What annotations of nodes and routers say of a graph."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints
from warnings import warn

from stepgraph.core.types import Command
from stepgraph.schema.channels import is_keyed


def hints_of(action: Any) -> tuple[Any, tuple[str, ...]]:
    """The schema that a node's first parameter is annotated with, and the targets of a `Command` return hint."""
    function = action if inspect.isroutine(action) else type(action).__call__
    try:
        hints = get_type_hints(function)
        parameters = list(inspect.signature(action).parameters)
    except (TypeError, ValueError, NameError, AttributeError):  # hints that can't be resolved are no hints
        return None, ()
    schema = hints.get(parameters[0]) if parameters else None
    usable = schema if isinstance(schema, type) and is_keyed(schema) else None
    return usable, _command_targets(hints.get("return"))


def _command_targets(hint: Any) -> tuple[str, ...]:
    if hint is None:
        return ()
    if get_origin(hint) is Command:
        (inner, *_) = get_args(hint) or (None,)
        return tuple(str(each) for each in get_args(inner)) if get_origin(inner) is Literal else ()
    return tuple(target for each in get_args(hint) for target in _command_targets(each))


def first_parameter(path: Any) -> Any:
    """The schema that a router's parameter is annotated with."""
    return hints_of(path)[0]


def path_map_of(path: Any, given: Mapping[Hashable, str] | Sequence[str] | None) -> dict[Hashable, str] | None:
    """Answer -> node: what was given, else what the return hint lists; None where anything goes."""
    if isinstance(given, Mapping):
        return dict(given)
    if given is not None:
        return {each: each for each in given}
    function = path if inspect.isroutine(path) else type(path).__call__
    try:
        hint = get_type_hints(function).get("return")
    except (TypeError, NameError):
        return None
    if get_origin(hint) is Literal:
        return {each: each for each in get_args(hint)}
    return None


def warn_of_no_schema(schema: Any) -> None:
    """Warn of what is neither a type nor `Annotated[type, reducer]`."""
    if not isinstance(schema, type) and not get_args(schema):
        warn(f"Invalid state_schema: {schema}. Expected a type or Annotated[type, reducer].", UserWarning, stacklevel=4)
