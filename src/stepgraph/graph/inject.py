"""What a node or router asks for beside the state, by parameter name and annotation: config, runtime, store, …"""

from __future__ import annotations

import inspect
import warnings
from collections import abc
from collections.abc import Callable
from typing import Any, Union, get_args, get_origin

from stepgraph.core.task import Task
from stepgraph.run.context import previous_of, runtime_of, shared_config, writer_of


def _fits_config(annotation: Any) -> bool:
    return _named(annotation, "RunnableConfig")


def _fits_writer(annotation: Any) -> bool:
    if isinstance(annotation, str) and annotation.removeprefix("typing.").startswith("Callable"):
        return True
    return _named(annotation, "StreamWriter") or annotation is abc.Callable or get_origin(annotation) is abc.Callable


def _fits_store(annotation: Any) -> bool:
    return _named(annotation, "BaseStore")


def _fits_error(annotation: Any) -> bool:
    return annotation is not inspect.Parameter.empty and _named(annotation, "NodeError")


_NAMES: dict[str, tuple[Callable[[Any], bool], Callable[[Task], Any]]] = {
    "config": (_fits_config, shared_config),
    "writer": (_fits_writer, writer_of),
    "store": (_fits_store, lambda task: task.scope.request.store),
    "previous": (lambda _: True, previous_of),
    "runtime": (lambda _: True, runtime_of),
    "error": (_fits_error, lambda task: task.failure),
}


def injection_of(function: Any, *, first: bool = False) -> Callable[[Task], dict[str, Any]] | None:
    """A function from task to keyword arguments, or None if `function` wants nothing but its input.

    A parameter counts when it can be given by keyword, its name is known and its annotation is missing or names the
    expected type. A `config` annotated otherwise is left alone with a warning. `first`: the first parameter counts too.
    """
    found = wanted(function, first=first)
    if not found:
        return None
    if len(found) == 1:
        ((only, make_only),) = found
        return lambda task: {only: make_only(task)}
    return lambda task: {name: make(task) for name, make in found}


def wanted(function: Any, *, first: bool = False) -> list[tuple[str, Callable[[Task], Any]]]:
    """The parameters that `function` asks for, with what makes each of a task."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin: takes its input only
        return []
    found = []
    for position, parameter in enumerate(parameters):
        known = _NAMES.get(parameter.name)
        if known is None or parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            continue
        if position == 0 and not first and parameter.kind is not parameter.KEYWORD_ONLY:
            continue  # the state, whatever its name
        fits, make = known
        if fits(parameter.annotation):
            found.append((parameter.name, make))
        elif parameter.name == "config":
            warnings.warn(
                "The 'config' parameter should be typed as 'RunnableConfig' or 'RunnableConfig | None', "
                f"not '{parameter.annotation}'. {_name(function)} does not get it.",
                UserWarning,
                stacklevel=6,
            )
    return found


def _named(annotation: Any, name: str) -> bool:
    """Whether an annotation is missing, is the class of that name, or is that class or None; strings are read."""
    if annotation is inspect.Parameter.empty:
        return True
    if isinstance(annotation, str):
        return name in {_last(part) for part in _parts(annotation)}
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        kinds = [each for each in get_args(annotation) if each is not type(None)]
        return len(kinds) == 1 and _named(kinds[0], name)
    return getattr(annotation, "__name__", None) == name


def _parts(annotation: str) -> list[str]:
    """The types in the text of an optional type: `Optional[X]`, `X | None`, or X alone."""
    text = annotation.strip("'\" ")
    for wrapper in ("Optional[", "typing.Optional["):
        if text.startswith(wrapper) and text.endswith("]"):
            return [text[len(wrapper) : -1]]
    parts = [part.strip() for part in text.split("|")]
    return [part for part in parts if part != "None"] if len(parts) == 2 else parts[:1] if len(parts) == 1 else []


def _last(dotted: str) -> str:
    return dotted.strip("'\" ").rpartition(".")[2]


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or type(function).__name__
