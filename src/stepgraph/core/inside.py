"""Finds the graphs and tasks that a node's function calls, by what its code names: for snapshots, drawings, stops."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from dis import get_instructions
from types import CodeType, FunctionType, MethodType
from typing import Any

_NAMES = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FAST")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_NOTHING = object()


def graphs_in(source: Any) -> Iterator[Any]:
    """The graphs (objects with a `plan`) that `source` is or names: a function, method, partial or callable object."""
    return _in(source, _is_graph)


def functions_in(source: Any) -> Iterator[Any]:
    """The same of functions that `@task` has made."""
    return _in(source, _is_task)


def _in(source: Any, wanted: Callable[[Any], bool]) -> Iterator[Any]:
    if wanted(source):
        yield source
        return
    while isinstance(source, functools.partial):
        yield from (each for each in (*source.args, *source.keywords.values()) if wanted(each))
        source = source.func
    steps = _part(source, "steps") or _part(source, "steps__")
    if isinstance(steps, dict):
        steps = list(steps.values())
    if isinstance(steps, list):  # a sequence of steps, or several side by side
        for step in steps:
            yield from _in(step, wanted)
        return
    for name in ("bound", "func", "afunc"):  # what wraps a function or another step
        inner = _part(source, name)
        if inner is not None and not isinstance(source, (FunctionType, MethodType, type)):
            yield from _in(inner, wanted)
            return
    if not isinstance(source, (FunctionType, MethodType)):
        source = type(source).__call__.__get__(source) if callable(source) else None
    owner = getattr(source, "__self__", None)
    function = inspect.unwrap(source) if source is not None else None
    function = getattr(function, "__func__", function)
    if isinstance(function, FunctionType):
        yield from _named(function, function.__code__, owner, wanted)


def _part(source: Any, name: str) -> Any:
    """An attribute; None too where asking for it fails, as in langchain-core's fallbacks, which evaluate type hints."""
    try:
        return getattr(source, name, None)
    except Exception:  # noqa: BLE001  asking may run anything
        return None


def _named(function: FunctionType, code: CodeType, owner: Any, wanted: Callable[[Any], bool]) -> Iterator[Any]:
    """What the code reads of the function's surroundings, also as an attribute of something, and is wanted."""
    known = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            known[name] = cell.cell_contents
        except ValueError:  # not filled yet
            known.pop(name, None)
    first = code.co_varnames[:1]
    if owner is not None and first:
        known[first[0]] = owner
    locals_ = set(code.co_varnames) - (set(first) if owner is not None else set())
    value: Any = _NOTHING
    for step in get_instructions(code):
        if step.opname in _NAMES:
            value = _NOTHING if step.argval in locals_ else known.get(step.argval, _NOTHING)
        elif step.opname in _ATTRIBUTES and value is not _NOTHING and not isinstance(value, FunctionType):
            value = getattr(value, "__dict__", {}).get(step.argval, _NOTHING)  # no property runs
        else:
            value = _NOTHING
        if value is not _NOTHING and wanted(value):
            yield value
            value = _NOTHING
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _named(function, constant, None, wanted)


def _is_graph(value: Any) -> bool:
    return not isinstance(value, type) and "plan" in getattr(value, "__dict__", ())


def _is_task(value: Any) -> bool:
    return not isinstance(value, type) and {"_node", "func", "__name__"}.issubset(getattr(value, "__dict__", ()))
