"""Actions of every kind (functions, methods, partials, callable objects, generators, Runnables) made callable alike."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from stepgraph.core import registry
from stepgraph.core.plan import Node
from stepgraph.core.task import Task
from stepgraph.graph.inject import injection_of
from stepgraph.run.context import shared_config
from stepgraph.run.tokens import is_token, say_token

Inject = Callable[[Task], dict[str, Any]]


class Action(NamedTuple):
    """How to call it: `body(value, **inject(task))`. `twin` is what an async driver awaits instead of a sync body."""

    body: Callable[..., Any]
    is_async: bool
    inject: Inject | None
    twin: Callable[..., Any] | None = None


def action_of(given: Any, what: str) -> Action:
    """How to call what was given as a node or router; `what` names it in errors. Raises TypeError."""
    if isinstance(given, dict):
        given = registry.adapters.load("parallel")(given)
    if is_runnable(given):
        return Action(given.invoke, False, _config_only, given.ainvoke)
    if not callable(given):
        mend = ": call its compile() first" if hasattr(given, "compile") else ""
        raise TypeError(
            f"{what} must be a function, an async function, a Runnable, a dict of them or a compiled graph, "
            f"got {type(given).__name__}{mend}. Expected a Runnable, callable or dict."
        )
    if _is(given, inspect.isasyncgenfunction):
        return Action(_draining_async(given), True, injection_of(given))
    if inspect.isgeneratorfunction(
        given
    ):  # an object that is called gives its generator as its update, as in LangGraph
        return Action(_draining(given), False, injection_of(given))
    return Action(given, is_async(given), injection_of(given))


def is_runnable(given: Any) -> bool:
    """Whether it is run by `invoke(value, config)`: a Runnable of langchain-core, or an object that looks like one."""
    kind = given.__class__  # a mock, which makes up any attribute, is a function; a proxy names the class behind it
    return all(callable(getattr(kind, name, None)) for name in ("invoke", "ainvoke"))


def returned(node: Node, given: Any) -> Node:
    """The node with a Runnable, which its function has returned, in the function's place."""
    return replace(node, body=given.invoke, twin=given.ainvoke, is_async=False, inject=_config_only)


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine."""
    return _is(function, inspect.iscoroutinefunction)


def is_generator(function: Any) -> bool:
    """Whether calling it gives a generator, or an async one."""
    return inspect.isgeneratorfunction(function) or _is(function, inspect.isasyncgenfunction)


def name_of(action: Any) -> str:
    """The name of a node that was added without one."""
    given = getattr(action, "get_name", None)
    if callable(given) and not isinstance(action, type):
        return str(given())
    named = getattr(action, "__name__", None) or (getattr(action, "name", None) if hasattr(action, "plan") else None)
    return str(named or type(action).__name__)


def _is(function: Any, kind: Callable[[Any], bool]) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    return kind(function) or (not isinstance(function, type) and kind(type(function).__call__))


def _config_only(task: Task) -> dict[str, Any]:
    return {"config": shared_config(task)}


def _draining(generator: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose result is all that a generator yields, added up where it can be added, else the last."""

    @functools.wraps(_named(generator))
    def body(value: Any, **extra: Any) -> Any:
        found = None
        for item in generator(value, **extra):
            if is_token(item):
                say_token(item)
            found = item if found is None else _sum(found, item)
        return found

    return body


def _draining_async(generator: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(_named(generator))
    async def body(value: Any, **extra: Any) -> Any:
        found = None
        async for item in generator(value, **extra):
            if is_token(item):
                say_token(item)
            found = item if found is None else _sum(found, item)
        return found

    return body


def _sum(found: Any, item: Any) -> Any:
    try:
        return found + item
    except TypeError:
        return item


def _named(function: Any) -> Any:
    return function if hasattr(function, "__name__") else type(function).__call__
