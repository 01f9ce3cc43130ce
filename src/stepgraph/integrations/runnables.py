"""Functions as Runnables that get a graph's config, runtime, store and writer by parameter name."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial, wraps
from typing import Any

from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langchain_core.runnables.config import _set_config_context, run_in_executor

from stepgraph.graph.inject import wanted
from stepgraph.integrations.configs import ensure_config, patch_config
from stepgraph.integrations.listeners import listened, manager_for
from stepgraph.run.side_by_side import InContext

RUNTIME = "__pregel_runtime"
NODE_ERROR = "__pregel_node_error"
_NOT_SHOWN = ("name", "func", "afunc", "config", "kwargs", "trace", "node")
_FROM_RUNTIME = {"writer": "stream_writer", "store": "store", "previous": "previous"}


class RunnableCallable(Runnable[Any, Any]):
    """A function, its async form, or both, as one Runnable.

    Parameters called config, runtime, store, writer, previous or error are given by name where they are annotated so
    or not at all. `trace=False` leaves its calls out of callbacks. A Runnable that the function returns is run on the
    same input, unless `recurse` is False. With `explode_args` the input is a pair of positional and keyword arguments.
    """

    def __init__(
        self,
        func: Callable[..., Any] | None,
        afunc: Callable[..., Awaitable[Any]] | None = None,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        trace: bool = True,
        recurse: bool = True,
        explode_args: bool = False,
        **kwargs: Any,
    ) -> None:
        if func is None and afunc is None:
            raise ValueError("At least one of func or afunc must be provided.")
        self.name = name or _name_of(func if func is not None else afunc)
        self.func = func
        self.afunc = afunc
        self.tags = tags
        self.kwargs = kwargs
        self.trace = trace
        self.recurse = recurse
        self.explode_args = explode_args
        self.func_accepts = _accepted(func if func is not None else afunc)

    def __repr__(self) -> str:
        shown = {key: value for key, value in vars(self).items() if key not in _NOT_SHOWN}
        return f"{self.get_name()}({', '.join(f'{key}={value!r}' for key, value in shown.items())})"

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Call the function. Raises TypeError if there is only an async one."""
        if self.func is None:
            raise TypeError(
                f'No synchronous function provided to "{self.name}".\nEither initialize with a synchronous function '
                "or invoke via the async API (ainvoke, astream, etc.)"
            )
        settings = ensure_config() if config is None else config
        args, extra = self._arguments(input, settings, kwargs)
        if not self.trace:
            return self._followed(self.func(*args, **extra), input, settings)
        if not self.tags and not listened(settings):
            return self._followed(_context_of(settings).run(self.func, *args, **extra), input, settings)
        run = manager_for(settings, self.tags).on_chain_start(
            None, input, name=settings.get("run_name") or self.get_name(), run_id=settings.pop("run_id", None)
        )
        try:
            context = _context_of(patch_config(settings, callbacks=run.get_child()))
            result = context.run(self.func, *args, **extra)
        except BaseException as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end(result)
        return self._followed(result, input, settings)

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Await the async function; without one, the function is called."""
        if self.afunc is None:
            return self.invoke(input, config)
        settings = ensure_config() if config is None else config
        args, extra = self._arguments(input, settings, kwargs)
        if not self.trace:
            result = await self.afunc(*args, **extra)
        elif not self.tags and not listened(settings):
            result = await InContext(self.afunc(*args, **extra), _context_of(settings))
        else:
            run = await manager_for(settings, self.tags, asynchronous=True).on_chain_start(
                None, input, name=settings.get("run_name") or self.get_name(), run_id=settings.pop("run_id", None)
            )
            try:
                context = _context_of(patch_config(settings, callbacks=run.get_child()))
                call: Any = self.afunc(*args, **extra)
                result = await asyncio.create_task(call, context=context)
            except BaseException as error:
                await run.on_chain_error(error)
                raise
            await run.on_chain_end(result)
        if self.recurse and isinstance(result, Runnable):
            return await result.ainvoke(input, settings)  # type: ignore[arg-type]  # a RunnableConfig
        return result

    def _followed(self, result: Any, input: Any, config: Any) -> Any:
        return result.invoke(input, config) if self.recurse and isinstance(result, Runnable) else result

    def _arguments(self, input: Any, config: Mapping[str, Any], given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        args, named = input if self.explode_args else ((input,), {})
        extra = {**self.kwargs, **named, **given}
        if self.func_accepts:
            configurable = config.get("configurable") or {}
            for name, (key, default) in self.func_accepts.items():
                if name not in extra:
                    extra[name] = self._extra(name, key, default, config, configurable)
        return args, extra

    def _extra(
        self, name: str, key: str, default: Any, config: Mapping[str, Any], configurable: Mapping[str, Any]
    ) -> Any:
        runtime = configurable.get(RUNTIME)
        if name == "config":
            return config
        if name == "error":
            return configurable.get(NODE_ERROR)
        if runtime is not None:
            return runtime if name == "runtime" else getattr(runtime, key)
        if name == "writer":
            return _write_nothing
        if default is not inspect.Parameter.empty:
            return default
        raise ValueError(
            f"Missing required config key {name!r} for {self.name!r}: it takes what only a running graph gives."
        )


def _write_nothing(_: Any) -> None:
    """The writer where no graph runs."""


def _accepted(function: Any) -> dict[str, tuple[str, Any]]:
    """The parameters that a graph gives: where its runtime has each, if it is there, and the default."""
    names = [name for name, _ in wanted(function)]
    parameters = inspect.signature(function).parameters if names else {}
    return {name: (_FROM_RUNTIME.get(name, "N/A"), parameters[name].default) for name in names}


def _name_of(function: Any) -> str | None:
    name = getattr(function, "__name__", None)
    return None if name == "<lambda>" else name


def _context_of(config: Any) -> Any:
    """A copy of the present context in which langchain-core finds `config`."""
    context = copy_context()
    context.run(_set_config_context, config)
    return context


@contextmanager
def set_config_context(config: Any, run: Any = None) -> Any:
    """A copy of the present context in which langchain-core finds `config`, for the length of a `with` block."""
    del run  # langsmith's run is found in the config's callbacks
    yield _context_of(config)


def is_async_callable(func: Any) -> bool:
    """Whether calling it gives a coroutine."""
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(getattr(func, "__call__", None))  # noqa: B004  its kind matters


def is_async_generator(func: Any) -> bool:
    """Whether calling it gives an async generator."""
    return inspect.isasyncgenfunction(func) or inspect.isasyncgenfunction(getattr(func, "__call__", None))  # noqa: B004  its kind matters


class Bound(RunnableCallable):
    """What a node was made of. A function put in place of `func` or `afunc` is what the node calls from then on."""

    node: Any = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in ("func", "afunc") and self.node is not None:
            self.node.call(value)


Bound.__name__ = Bound.__qualname__ = RunnableCallable.__name__  # what programs see a node to be made of


def bound_of(source: Any, node: Any) -> Runnable[Any, Any]:
    """What a node was made of, as a Runnable. `node` is told by its `call` of what is put in the function's place."""
    made = coerce_to_runnable(source, name=getattr(node, "name", None), trace=False)
    if type(made) is RunnableCallable:
        made.__class__ = Bound
        made.__dict__["node"] = node
    return made


def coerce_to_runnable(thing: Any, *, name: str | None, trace: bool) -> Runnable[Any, Any]:
    """A Runnable, function or dict as a Runnable. Raises TypeError for anything else."""
    if isinstance(thing, Runnable):
        return thing
    if is_async_generator(thing) or inspect.isgeneratorfunction(thing):
        return RunnableLambda(thing, name=name)
    if callable(thing):
        if is_async_callable(thing):
            return RunnableCallable(None, thing, name=name, trace=trace)
        in_thread: Any = partial(run_in_executor, None, thing)
        return RunnableCallable(thing, wraps(thing)(in_thread), name=name, trace=trace)
    if isinstance(thing, dict):
        return RunnableParallel(thing)
    raise TypeError(f"Expected a Runnable, callable or dict. Instead got an unsupported type: {type(thing)}")
