"""Which graphs a node runs, and small questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dis import get_instructions
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from stepgraph.compat.supersteps import get_new_channel_versions
from stepgraph.core.errors import sync_timeout_unsupported
from stepgraph.core.inside import graphs_in

__all__ = (
    "find_subgraph_pregel",
    "get_function_nonlocals",
    "get_new_channel_versions",
    "is_xxh3_128_hexdigest",
    "validate_timeout_supported",
)


def find_subgraph_pregel(candidate: Any) -> Any:
    """The graph that a node is, or that its function names; None if there is none."""
    return next((each for each in graphs_in(candidate) if getattr(each, "checkpointer", None) is not False), None)


def is_xxh3_128_hexdigest(value: str) -> bool:
    """Whether it may be the id of a question."""
    return re.fullmatch(r"[0-9a-f]{32}", value) is not None


def get_function_nonlocals(func: Callable[..., Any]) -> list[Any]:
    """What a function has of its surroundings: captured values, and all that its code reads there.

    Nothing of a function that is not written in Python. Where all that it reads is plain data, the captured values.
    """
    function = getattr(func, "__func__", func)
    wrapped = getattr(function, "__wrapped__", None)
    function = getattr(wrapped, "__func__", wrapped) if callable(wrapped) else function
    if not isinstance(function, FunctionType):
        return []
    code = function.__code__
    captured: dict[str, Any] = {}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # not filled yet
            captured[name] = cell.cell_contents
    around = {name: function.__globals__[name] for name in code.co_names if name in function.__globals__}
    if _PLAIN.issuperset(map(type, (*captured.values(), *around.values()))):
        return list(captured.values())
    return [*captured.values(), *_read_in(code, captured, around)]


_PLAIN = frozenset(
    (int, float, complex, bool, str, bytes, bytearray, list, tuple, dict, set, frozenset, type(None))
)  # fmt: skip


def _read_in(code: CodeType, captured: Mapping[str, Any], around: Mapping[str, Any]) -> Iterator[Any]:
    value: Any = None
    for step in get_instructions(code):
        match step.opname:
            case "LOAD_GLOBAL":
                value = around.get(step.argval)
            case "LOAD_DEREF":
                value = captured.get(step.argval)
            case "LOAD_ATTR" | "LOAD_METHOD":
                value = getattr(value, step.argval, None)
            case _:
                value = None
        if value is not None:
            yield value
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _read_in(inner, captured, around)


def validate_timeout_supported(runnable: Any, *, name: str) -> None:
    """Raises ValueError where an attempt can't be stopped, because a part of it is not async. Needs langchain-core."""
    if not _awaits(runnable):
        raise sync_timeout_unsupported(name)


def _awaits(runnable: Any) -> bool:
    from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel, RunnableSequence
    from langchain_core.runnables.base import RunnableBindingBase
    from langchain_core.runnables.config import run_in_executor

    from stepgraph.integrations.runnables import RunnableCallable

    while isinstance(runnable, RunnableBindingBase):
        runnable = runnable.bound
    if isinstance(runnable, RunnableSequence):
        return all(map(_awaits, runnable.steps))
    if isinstance(runnable, RunnableParallel):
        return all(map(_awaits, runnable.steps__.values()))
    if isinstance(runnable, RunnableCallable):
        in_thread = isinstance(runnable.afunc, partial) and runnable.afunc.func is run_in_executor
        return runnable.afunc is not None and not in_thread
    if isinstance(runnable, RunnableLambda):
        return bool(getattr(runnable, "afunc", False))
    own = getattr(type(runnable), "ainvoke", None)
    return own is not None and own is not Runnable.ainvoke
