"""What a node or router asks for beside the state, by parameter name and annotation: config, writer, store."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from stepgraph.core.task import Task
from stepgraph.run.context import config_of, writer_of

_NAMES: dict[str, tuple[tuple[str, ...] | None, Callable[[Task], Any]]] = {
    "config": (("RunnableConfig", "Config", "dict"), config_of),
    "writer": (("StreamWriter", "Callable"), writer_of),
    "store": (("BaseStore",), lambda task: task.scope.request.store),
    "error": (("NodeError",), lambda task: task.failure),
}


def injection_of(function: Any) -> Callable[[Task], dict[str, Any]] | None:
    """A function from task to keyword arguments, or None if `function` wants nothing but its input.

    A parameter counts when its name is known and its annotation is missing or names the expected type.
    """
    wanted = [(name, make) for name, make in _wanted(function)]
    if not wanted:
        return None
    if len(wanted) == 1:
        ((only, make_only),) = wanted
        return lambda task: {only: make_only(task)}
    return lambda task: {name: make(task) for name, make in wanted}


def _wanted(function: Any) -> list[tuple[str, Callable[[Task], Any]]]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # a builtin: takes its input only
        return []
    found = []
    for position, parameter in enumerate(parameters):
        known = _NAMES.get(parameter.name)
        if known is None or position == 0 or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        types, make = known
        annotation = parameter.annotation
        bare = annotation is parameter.empty and parameter.name != "error"
        if bare or types is None or any(name in _text(annotation) for name in types):
            found.append((parameter.name, make))
    return found


def _text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "") or repr(annotation)
