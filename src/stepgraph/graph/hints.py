"""What annotations of nodes and routers say of a graph."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping, Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from warnings import warn

from stepgraph.core.types import Command
from stepgraph.schema.channels import is_keyed


def hints_of(action: Any) -> tuple[Any, tuple[str, ...]]:
    """The schema that a node's first parameter is annotated with, and the targets of a `Command` return hint.

    Hints that can't be resolved are no hints.
    """
    try:
        return _hints_of(action)
    except NameError:
        return None, ()


def _hints_of(action: Any) -> tuple[Any, tuple[str, ...]]:
    if not callable(action):  # `signature` would tell so with its text, for which a Runnable reads its source
        return None, ()
    function = action if inspect.isroutine(action) else type(action).__call__
    try:
        hints = get_type_hints(function)
        parameters = list(inspect.signature(action).parameters)
        schema = hints.get(parameters[0]) if parameters else None
        usable = schema if isinstance(schema, type) and is_keyed(schema) and get_type_hints(schema) else None
    except (TypeError, ValueError, AttributeError):
        return None, ()
    return usable, _command_targets(hints.get("return"))


def _command_targets(hint: Any) -> tuple[str, ...]:
    """Of a Command, or of the first one in a union."""
    if get_origin(hint) in (Union, UnionType):
        hint = next((each for each in get_args(hint) if get_origin(each) is Command), None)
    if get_origin(hint) is not Command:
        return ()
    (inner, *_) = get_args(hint) or (None,)
    return tuple(str(each) for each in get_args(inner)) if get_origin(inner) is Literal else ()


def first_parameter(path: Any) -> Any:
    """The schema that a router's parameter is annotated with. Raises NameError for a hint that can't be resolved."""
    function, other = _functions_of(path)
    try:
        return _hints_of(function if inspect.isroutine(function) or other is None else other)[0]
    except NameError as error:
        error.add_note(f"while reading the hints of router {path!r}: import what they name, or leave them out.")
        raise


def _functions_of(path: Any) -> tuple[Any, Any]:
    """The function and the async function of a Runnable made of them; any other router is its own function."""
    if any(kind.__name__ in ("RunnableLambda", "RunnableCallable") for kind in type(path).__mro__):
        return getattr(path, "func", None), getattr(path, "afunc", None)
    return path, None


def path_map_of(path: Any, given: Mapping[Hashable, str] | Sequence[str] | None) -> dict[Hashable, str] | None:
    """Answer -> node: what was given, else what the return hint lists; None where anything goes.

    Objects that are called have no such hint, as in LangGraph.
    """
    if isinstance(given, Mapping):
        return dict(given)
    if given is not None:
        return {each: each for each in given}
    function, other = _functions_of(path)
    try:
        hint = get_type_hints(function or other).get("return")
    except (TypeError, NameError):
        return None
    if get_origin(hint) is Literal:
        return {each: each for each in get_args(hint)}
    return None


def warn_of_no_schema(schema: Any) -> None:
    """Warn of what is neither a type nor `Annotated[type, reducer]`."""
    if not isinstance(schema, type) and not get_args(schema):
        warn(f"Invalid state_schema: {schema}. Expected a type or Annotated[type, reducer].", UserWarning, stacklevel=4)
