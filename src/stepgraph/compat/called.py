"""Functions as LangGraph makes tasks of them: for code that asks for such a Runnable or calls a task by itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from functools import cache, partial, wraps
from operator import attrgetter
from sys import modules
from typing import Any, Generic, TypeVar

from langchain_core.runnables import Runnable
from langchain_core.runnables.config import run_in_executor

from stepgraph.compat.langgraph._internal._constants import RETURN
from stepgraph.compat.langgraph._internal._runnable import RunnableSeq
from stepgraph.graph.functional import task
from stepgraph.graph.pregel_node import ChannelWriteEntry
from stepgraph.integrations.channel_steps import ChannelWrite
from stepgraph.integrations.runnables import RunnableCallable, is_async_callable
from stepgraph.run.calls import Called

T = TypeVar("T")


class _AlsoOurs(type):
    """Makes the futures of this engine's tasks count as instances."""

    def __instancecheck__(cls, instance: object) -> bool:
        return super().__instancecheck__(instance) or (cls.__name__ == "SyncAsyncFuture" and type(instance) is Called)


class SyncAsyncFuture(Future[T], Generic[T], metaclass=_AlsoOurs):
    """What a called task gives: a future of threads that async code may await."""

    def __await__(self) -> Generator[T, None, T]:
        given: Any = ...
        yield given
        return self.result()


def call(
    func: Callable[..., Any],
    *args: Any,
    retry_policy: Sequence[Any] | None = None,
    cache_policy: Any = None,
    timeout: Any = None,
    **kwargs: Any,
) -> Any:
    """Begin a function as a task of the graph whose node is running; gives its future."""
    return task(func, retry_policy=retry_policy, cache_policy=cache_policy, timeout=timeout)(*args, **kwargs)


def identifier(obj: Any, name: str | None = None) -> str | None:
    """The module and name of a function, or of the function that a node or Runnable is made of; None without one."""
    if hasattr(obj, "triggers"):  # a node
        obj = obj.bound
    if isinstance(obj, RunnableSeq):
        obj = obj.steps[0]
    if isinstance(obj, RunnableCallable):
        obj = obj.func
    named = name or getattr(obj, "__qualname__", None) or getattr(obj, "__name__", None)
    module = getattr(obj, "__module__", None)
    return None if named is None or module is None else f"{module}.{named}"


def get_runnable_for_entrypoint(func: Any) -> Runnable[Any, Any]:
    """A function as what an entrypoint runs."""
    return _entrypoint_of(func) if _importable(func) else _entrypoint_of.__wrapped__(func)


def get_runnable_for_task(func: Any) -> Runnable[Any, Any]:
    """A function as what a task runs: it takes (args, kwargs), and its result is the task's."""
    return _task_of(func) if _importable(func) else _task_of.__wrapped__(func)


def _importable(func: Any) -> bool:
    """Whether its module gives it: such Runnables are made once."""
    module, name = getattr(func, "__module__", None), getattr(func, "__qualname__", None)
    if module in (None, "__main__") or name is None or module not in modules:
        return False
    try:
        return attrgetter(name)(modules[module]) is func
    except AttributeError:
        return False


@cache
def _entrypoint_of(func: Any) -> Runnable[Any, Any]:
    return _callable_of(func, func.__name__)


@cache
def _task_of(func: Any) -> Runnable[Any, Any]:
    inner = getattr(func, "func", None)
    name: str = getattr(func, "__name__", getattr(inner, "__name__", type(func).__name__))
    write = ChannelWrite([ChannelWriteEntry(RETURN)])
    return RunnableSeq(_callable_of(func, name, explode_args=True), write, name=name)


def _callable_of(func: Any, name: str, **options: Any) -> RunnableCallable:
    if is_async_callable(func):
        return RunnableCallable(None, func, name=name, trace=False, recurse=False, **options)
    in_thread: Any = wraps(func)(partial(run_in_executor, None, func))
    return RunnableCallable(func, in_thread, name=name, trace=False, recurse=False, **options)


def _explode_args_trace_inputs(sig: inspect.Signature, input: tuple[tuple[Any, ...], dict[str, Any]]) -> dict[str, Any]:
    """The arguments of a call by name, as traces show them."""
    bound = sig.bind_partial(*input[0], **input[1])
    bound.apply_defaults()
    found = {name: each for name, each in bound.arguments.items() if name not in ("self", "cls")}
    for name, parameter in sig.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD and name in found:
            found.update(found.pop(name))
    return found
