"""The functional API: a function as a graph of one node, and functions that it calls as tasks with recorded results."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, get_args, get_origin

from stepgraph.core.caching import words_of
from stepgraph.core.channels import LastValue
from stepgraph.core.deprecated import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10
from stepgraph.core.errors import sync_timeout_unsupported
from stepgraph.core.plan import Node, Plan
from stepgraph.core.policies import RetryPolicy, as_retries
from stepgraph.core.types import END, PREVIOUS, RETURN
from stepgraph.graph.actions import is_async
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.graph.inject import injection_of
from stepgraph.graph.policies import cache_namespace, fitting, limits_of, renamed
from stepgraph.run.calls import node_of, start

if TYPE_CHECKING:
    from datetime import timedelta

    from stepgraph.core.limits import CachePolicy, TimeoutPolicy

R = TypeVar("R")
S = TypeVar("S")
Retry = RetryPolicy | Sequence[RetryPolicy] | None
Timeout: TypeAlias = "float | timedelta | TimeoutPolicy | None"


class TaskFunction:
    """A function made a task by `@task`: calling it in a node starts it and gives a future of its result."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        retry_policy: Retry = None,
        cache_policy: CachePolicy | None = None,
        timeout: TimeoutPolicy | None = None,
    ) -> None:
        self.func = function
        functools.update_wrapper(self, function)
        self.__name__ = name or getattr(function, "__name__", None) or _inner_name(function)
        self.retry_policy = as_retries(retry_policy)
        self.cache_policy = fitting("cache_policy", cache_policy, "key_func")
        self.timeout = timeout
        if timeout is not None and not is_async(function):
            raise sync_timeout_unsupported(self.__name__, kind="Task")
        self._node = self._made_node()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return start(self._node, args, kwargs)

    def clear_cache(self, cache: Any) -> None:
        """Let a cache forget this task's results, if the task has a cache policy."""
        if self.cache_policy is not None:
            cache.clear((words_of(cache).namespace(self._node),))

    async def aclear_cache(self, cache: Any) -> None:
        """As `clear_cache`."""
        if self.cache_policy is not None:
            await cache.aclear((words_of(cache).namespace(self._node),))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"task({self.__name__})"

    def _made_node(self) -> Node:
        """The node that stands for the function."""
        function = self.func
        asynchronous = is_async(function)

        async def awaited(given: Any, **extra: Any) -> Any:
            args, kwargs = given
            return {RETURN: await function(*args, **{**extra, **kwargs})}

        def body(given: Any, **extra: Any) -> Any:
            args, kwargs = given
            return {RETURN: function(*args, **{**extra, **kwargs})}

        action: Any = awaited if asynchronous else body
        action.calls = function  # for those who tell of the call
        return node_of(
            action,
            self.__name__,
            is_async=asynchronous,
            inject=injection_of(function, first=True),
            retries=self.retry_policy,
            cache=self.cache_policy,
            cache_ns=cache_namespace(function, self.__name__),
            timeout=self.timeout,
        )


def task(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    retry_policy: Retry = None,
    cache_policy: CachePolicy | None = None,
    timeout: Timeout = None,
    **deprecated: Any,
) -> Any:
    """Make a function a task: within an entrypoint, or a node of a graph, calling it gives a future.

    Its result is recorded, so that a run that goes on after an interrupt or a crash does not call it again: tasks are
    known again by their name and the order of the calls, which must be the same each time.

    `retry_policy` says when it runs again after an error, `timeout` how long each attempt of an async function may
    take, `cache_policy` whether the cache of the graph that calls it keeps its results, by the arguments. `retry` is
    the old name of `retry_policy`. Raises ValueError for a timeout of a sync function.
    """
    old = renamed("task", deprecated, {"retry": ("retry_policy", LangGraphDeprecatedSinceV05)}) if deprecated else {}
    retries = old.get("retry_policy") if retry_policy is None else retry_policy
    limits = limits_of(timeout)

    def decorate(function: Callable[..., Any]) -> TaskFunction:
        return TaskFunction(function, name=name, retry_policy=retries, cache_policy=cache_policy, timeout=limits)

    return decorate if function is None else decorate(function)


def _inner_name(function: Any) -> str:
    inner = getattr(function, "func", None)
    return getattr(inner, "__name__", None) or type(function).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class final(Generic[R, S]):  # noqa: N801  it is used as `entrypoint.final(...)`
    """What an entrypoint returns to give one value to its caller and keep another one for its next run."""

    value: R
    """What the caller gets."""
    save: S
    """What the next run on the thread gets as `previous`."""


final.__qualname__ = "entrypoint.final"
final.__init__.__qualname__ = "entrypoint.final.__init__"


class entrypoint:  # noqa: N801  a decorator
    """Make a function of one parameter a graph: `@entrypoint(checkpointer=...)`.

    It may ask for `config`, `runtime`, `store`, `writer` and `previous`: what it returned, or kept by
    `entrypoint.final`, in its last run on the same thread.

    `retry_policy` and `cache_policy` are for the function and for the tasks that it calls, where these have none of
    their own; `cache` (`stepgraph.cache`) keeps the results. `timeout` is for each attempt of an async function.
    """

    final = final
    __class_getitem__: Any = classmethod(GenericAlias)
    """Annotations may name the type of the context: `entrypoint[Context]`."""

    def __init__(
        self,
        checkpointer: Any = None,
        store: Any = None,
        cache: Any = None,
        context_schema: Any = None,
        cache_policy: CachePolicy | None = None,
        retry_policy: Retry = None,
        timeout: Timeout = None,
        **deprecated: Any,
    ) -> None:
        old = renamed("entrypoint", deprecated, _OLD_NAMES) if deprecated else {}
        self.checkpointer = checkpointer
        self.store = store
        self.cache = cache
        self.context_schema = old.get("context_schema") if context_schema is None else context_schema
        self.cache_policy = fitting("cache_policy", cache_policy, "key_func")
        self.retry_policy = old.get("retry_policy") if retry_policy is None else retry_policy
        self.timeout = limits_of(timeout)

    def __call__(self, function: Callable[..., Any]) -> CompiledStateGraph:
        """The graph. Raises NotImplementedError for a generator, ValueError for a function without a parameter."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise NotImplementedError("Generators are not supported in the Functional API.")
        signature = inspect.signature(function)
        if not signature.parameters:
            raise ValueError(
                f"Entrypoint function must have at least one parameter: {function!r} would not get its input."
            )
        returned, saved = _types(signature.return_annotation)
        name = getattr(function, "__name__", None) or type(function).__name__
        asynchronous, retries = is_async(function), as_retries(self.retry_policy)
        if self.timeout is not None and not asynchronous:
            raise sync_timeout_unsupported(name)
        node = Node(
            name,
            _body(function),
            is_async=asynchronous,
            reads=(),
            inject=injection_of(function),
            writes=frozenset((END, PREVIOUS)),
            retries=retries,
            timeout=self.timeout,
            cache=self.cache_policy,
            cache_ns=cache_namespace(function, name),
            source=function,
            edited=_update,
        )
        plan = Plan(
            name="LangGraph",
            channels={END: LastValue(returned, key=END), PREVIOUS: LastValue(saved, key=PREVIOUS)},
            nodes={name: node},
            output_keys=END,
            shown_keys=END,
            entry=name,
            call_retries=retries,
            call_cache=self.cache_policy,
            schemas=(_taken(signature), returned, saved, self.context_schema),
        )
        graph = CompiledStateGraph(
            Entrypoint(function, signature, returned),
            plan,
            checkpointer=self.checkpointer,
            store=self.store,
            cache=self.cache,
            context_schema=self.context_schema,
        )
        graph.stream_eager, graph.retry_policy, graph.cache_policy = True, retries, self.cache_policy
        return graph


_OLD_NAMES: dict[str, tuple[str, type[Warning]]] = {
    "config_schema": ("context_schema", LangGraphDeprecatedSinceV10),
    "retry": ("retry_policy", LangGraphDeprecatedSinceV05),
}


@dataclass(frozen=True, slots=True)
class Entrypoint:
    """What an entrypoint's graph was made of: in place of a builder."""

    function: Callable[..., Any]
    signature: inspect.Signature
    output_schema: Any

    @property
    def input_schema(self) -> Any:
        return _taken(self.signature)

    @property
    def state_schema(self) -> Any:
        return self.output_schema


def _taken(signature: inspect.Signature) -> Any:
    """The type of what an entrypoint takes."""
    first = next(iter(signature.parameters.values()))
    return Any if first.annotation is first.empty else first.annotation


def _body(function: Callable[..., Any]) -> Callable[..., Any]:
    if is_async(function):

        async def awaited(value: Any, **extra: Any) -> Any:
            return _update(await function(value, **extra))

        return awaited

    def body(value: Any, **extra: Any) -> Any:
        return _update(function(value, **extra))

    return body


def _update(result: Any) -> dict[str, Any]:
    if isinstance(result, final):
        return {END: result.value, PREVIOUS: result.save}
    return {END: result, PREVIOUS: result}


def _types(annotation: Any) -> tuple[Any, Any]:
    """The types of what is returned and of what is kept."""
    if annotation is inspect.Signature.empty or annotation is final:
        return Any, Any
    if get_origin(annotation) is not final:
        return annotation, annotation
    kinds = get_args(annotation)
    if len(kinds) != 2:
        raise TypeError(
            "Please an annotation for both the return_ and the save values: `-> entrypoint.final[int, str]` for an "
            "int that is returned and a str that is kept."
        )
    return kinds[0], kinds[1]
