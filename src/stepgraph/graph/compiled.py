"""A compiled graph: what users run, stream, inspect and change."""

from __future__ import annotations

import sys
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from contextvars import copy_context
from types import GenericAlias
from typing import Any, Self, Unpack

from stepgraph.core import registry
from stepgraph.core.engine import Engine, Outcome
from stepgraph.core.plan import Plan
from stepgraph.core.types import START, Namespace
from stepgraph.graph.answers import listen, plain_result, print_run, returned
from stepgraph.graph.calls import CallOptions, run_options, takes_options
from stepgraph.graph.engines import below, engine_of, plain_engine
from stepgraph.graph.patched import RUNS, contains_graphs, replace_own, restore_own, through
from stepgraph.graph.threads import Threads
from stepgraph.run.config import merged
from stepgraph.run.context import current_task
from stepgraph.run.straight import straight
from stepgraph.run.sync import SyncDriver
from stepgraph.run.threads import pool
from stepgraph.run.tokens import LIVE_MODES, hearing_events


class CompiledStateGraph(Threads):
    """A runnable graph. Made by `StateGraph.compile()`; safe to run many times at once."""

    __class_getitem__: Any = classmethod(GenericAlias)
    """Annotations may name the types of state, context, input and output: `CompiledStateGraph[State, Context]`."""
    stream_mode = "updates"
    """What `stream` yields when it is not told."""

    step_timeout: float | None = None
    """Seconds that a superstep may take, then the run raises TimeoutError; set it on the compiled graph."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        through(cls)

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Where langchain-core is loaded, a graph that is one of its Runnables too."""
        kind: Any = graph_class() if cls is CompiledStateGraph else cls
        made: Self = object.__new__(kind)
        return made

    def __init__(
        self,
        builder: Any,
        plan: Plan,
        *,
        checkpointer: Any = None,
        store: Any = None,
        cache: Any = None,
        debug: bool = False,
        context_schema: Any = None,
        transformers: Sequence[Any] = (),
    ) -> None:
        self.builder = builder
        self.plan = plan
        self.checkpointer = _checkpointer(checkpointer)
        self.store = registry.open_store(store) if isinstance(store, str) else store
        if store is not None:
            registry.kin("langgraph.store.base")  # whose tools may ask whether it is one of theirs
        self.transformers = tuple(transformers)
        """What makes streams of its own of every v3 run."""
        self.cache = cache
        self.debug = debug
        """Whether every call prints updates and values."""
        self.context_schema = context_schema
        self.config: dict[str, Any] = {}
        if plan.nested:
            contains_graphs(self)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in RUNS:
            replace_own(self, name)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in RUNS:
            restore_own(self, name)

    def forget(self) -> None:
        """The plan's nodes have changed: drop what was made of them."""

    @property
    def saver(self) -> Any:
        """The checkpointer as runs of this graph use it: one of LangGraph's is translated."""
        return registry.translated(self.checkpointer)

    def below(
        self, around: Mapping[str, Any], metadata: Mapping[str, Any], limit: int
    ) -> tuple[dict[str, Any], dict[str, Any], int]:
        """Config, checkpoint metadata and recursion limit with which it runs as a node of another graph."""
        return below(self, around, metadata, limit)

    # Running: the options of all calls stand in `graph/calls.py`, what they return in `graph/answers.py`

    @takes_options
    def invoke(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        thread: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Run to the end, or to a pause, and return the output keys, or `output_keys`.

        At a pause the result also has `"__interrupt__"`: the questions that node code asked. `input` None goes on
        with the thread, a Command answers or redirects it. `config` is LangGraph's dict; `thread` is short for its
        thread_id. With `version="v2"` the result is a GraphOutput; with a `stream_mode` other than "values", a list
        of chunks. Raises what nodes raise, GraphRecursionError, InvalidUpdateError, EmptyInputError.
        """
        if not (options or self.debug):
            return self._run(plain_engine(self, input, self._merged(config, thread)))
        if options.get("stream_mode", "values") != "values":
            return list(self.stream(input, config, thread=thread, **self._of_output(options)))
        engine = self._begin("invoke", input, config, thread, options)
        engine.request.blocking = not self.plan.has_async
        print_run(self, engine, options)
        return returned(self, self._outcome(engine), options)

    def _run(self, engine: Engine) -> Any:
        """Run it from sync code: straight on, where nobody looks at it."""
        has_async = engine.plan.has_async
        engine.request.blocking = not has_async
        if not has_async and _is_straight(engine) and straight(engine):
            return None if engine.awaited is not None else engine.plan.output(engine.state.values)
        return plain_result(self._outcome(engine))

    def _of_output(self, options: CallOptions) -> CallOptions:
        """The options of a stream whose chunks are the result: of the output keys, unless others are asked for."""
        plan = self.plan
        if plan.all_output or plan.entry != START or options.get("output_keys") is not None:
            return options
        return {**options, "output_keys": plan.output_keys}

    def _outcome(self, engine: Engine) -> Outcome:
        """Run it from sync code."""
        width = engine.request.config.get("max_concurrency")
        driven: Outcome = (
            _loops().run_here(engine.run(), width) if self.has_async else SyncDriver(width=width).run(engine.run())
        )
        return driven

    @takes_options
    async def ainvoke(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        thread: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """As `invoke`, on the running loop; sync nodes run in helper threads."""
        if not options and not self.debug:
            engine = plain_engine(self, input, self._merged(config, thread))
            if not _is_straight(engine):
                return plain_result(await _loops().outcome_of(engine))
            over, outcome = await _loops().straight_outcome_of(engine)
            if not over:
                return plain_result(outcome)
            return None if engine.awaited is not None else engine.plan.output(engine.state.values)
        if options.get("stream_mode", "values") != "values":
            return [chunk async for chunk in self.astream(input, config, thread=thread, **self._of_output(options))]
        engine = self._begin("ainvoke", input, config, thread, options)
        print_run(self, engine, options)
        return returned(self, await _loops().outcome_of(engine), options)

    @takes_options
    def stream(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        thread: str | None = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[Any]:
        """Run, yielding what `stream_mode` asks for.

        The modes are values, updates (default), custom, messages, tasks, checkpoints, debug and tools. One mode yields
        payloads, a list of modes (mode, payload) pairs; `subgraphs=True` puts the namespace in front. With
        `version="v2"` every chunk is a dict with "type", "ns" and "data".
        """
        chunks: deque[Any] = deque()
        engine = self._begin("stream", input, config, thread, options)
        engine.request.blocking = not self.plan.has_async
        modes = self._modes(options, config)
        live = not LIVE_MODES.isdisjoint((modes,) if isinstance(modes, str) else modes)
        live = live or self.plan.entry != START  # functions that an entrypoint calls end long before it does
        driver = SyncDriver(chunks, live=live, width=engine.request.config.get("max_concurrency"))
        put = chunks.append if not live else _waking(chunks, driver)
        listen(self, engine, modes, put, options)
        if self.plan.has_async:
            yield from _loops().chunks_beside(engine, engine.request.emit, chunks)
            return
        steps = driver.steps(engine.run())
        try:
            for _step in steps:
                while chunks:
                    yield chunks.popleft()
        except GeneratorExit:
            raise
        except BaseException:
            while chunks:
                yield chunks.popleft()
            raise
        finally:
            steps.close()
        while chunks:
            yield chunks.popleft()

    @takes_options
    async def astream(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        thread: str | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncIterator[Any]:
        """As `stream`, on the running loop. Closing the iterator cancels the run and waits for its end."""
        engine = self._begin("astream", input, config, thread, options)
        modes = self._modes(options, config)
        chunks = _loops().chunks_of(engine, lambda put: listen(self, engine, modes, put, options))
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    def _begin(self, what: str, input: Any, config: Any, thread: str | None, options: CallOptions) -> Engine:
        """The engine of a call with options."""
        asked = run_options(options, what)
        keys = options.get("output_keys")
        unknown = [key for key in ((keys,) if isinstance(keys, str) else keys or ()) if key not in self.plan.channels]
        if unknown:
            raise ValueError(
                f"Key {unknown[0]} not in channels: {what}() was given it in output_keys, and the state has "
                f"{sorted(self.plan.channels)}."
            )
        engine = self.engine(input, self._merged(config, thread), **asked)
        if keys is not None:
            engine.returns(keys)
        if asked.get("durability") is not None and engine.request.checkpointer is None:
            warnings.warn("`durability` has no effect when no checkpointer is present.", stacklevel=3)
        return engine

    def _modes(self, options: CallOptions, config: Mapping[str, Any] | None) -> Any:
        """What a stream yields: an empty list of modes is none."""
        asked = options.get("stream_mode")
        return self._default_modes(config) if asked is None else asked

    def _default_modes(self, config: Mapping[str, Any] | None) -> str:
        """Values for a graph that a node calls with its own config, as for a graph that was added as a node."""
        if current_task.get(None) is None:
            return self.stream_mode
        given = (config or {}).get("configurable") or {}
        return "values" if given.get("checkpoint_ns") else self.stream_mode

    def _lone_key(self) -> str | Sequence[str] | None:
        """The keys that streams show; of a functional graph the one key whose value they show."""
        keys = self.plan.output_keys
        return keys if isinstance(keys, str) and self.plan.entry != START else None

    def stream_events(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        version: str = "v2",
        thread: str | None = None,
        transformers: Sequence[Any] | None = None,
        **options: Any,
    ) -> Any:
        """A run that its readers drive (`version="v3"`): `for state in run.values`, `for message in run.messages`.

        `transformers` are classes, or functions from a namespace, of StreamTransformers, whose streams are
        `run.extensions`. `options` are those of `stream`, without `stream_mode` and `subgraphs`.
        """
        if version != "v3":
            return self._elsewhere("stream_events")(input, config, version=version, **options)
        from stepgraph.run.v3.opening import check_options, opened
        from stepgraph.run.v3.runs import GraphRunStream

        check_options(options)
        _say_beta("stream_events", "GraphRunStream")
        scope = self._place(config)
        mux, modes = opened(scope, (*self.transformers, *(transformers or ())), is_async=False)
        parts = self.stream(
            input, hearing_events(config), thread=thread, stream_mode=modes, subgraphs=True, version="v2", **options
        )
        return GraphRunStream(parts, mux)

    def astream_events(
        self,
        input: Any,
        config: Mapping[str, Any] | None = None,
        *,
        version: str = "v2",
        thread: str | None = None,
        transformers: Sequence[Any] | None = None,
        **options: Any,
    ) -> Any:
        """As `stream_events`, to be awaited: `async for state in run.values`."""
        if version != "v3":
            return self._elsewhere("astream_events")(input, config, version=version, **options)
        return self._opened(input, config, thread, transformers, options)

    async def _opened(
        self, input: Any, config: Mapping[str, Any] | None, thread: str | None, transformers: Any, options: Any
    ) -> Any:
        from stepgraph.run.v3.opening import check_options, opened
        from stepgraph.run.v3.runs import AsyncGraphRunStream

        check_options(options)
        _say_beta("astream_events", "AsyncGraphRunStream")
        scope = self._place(config)
        mux, modes = opened(scope, (*self.transformers, *(transformers or ())), is_async=True)
        parts = self.astream(
            input, hearing_events(config), thread=thread, stream_mode=modes, subgraphs=True, version="v2", **options
        )
        return AsyncGraphRunStream(parts, mux)

    def _elsewhere(self, what: str) -> Any:
        """The method of a base class, langchain-core's Runnable. Raises NotImplementedError where there is none."""
        method = getattr(super(), what, None)
        if method is None:
            raise NotImplementedError(
                f"Versions 1 and 2 of {what}() are langchain-core's: they are there where it is installed and "
                f'imported before the graph is compiled. Here there is {what}(version="v3"), or stream().'
            )
        return method

    def _place(self, config: Mapping[str, Any] | None) -> Namespace:
        """The namespace in which a run begins: that of the node that calls it with its config, or the outermost."""
        ns = ((config or {}).get("configurable") or {}).get("checkpoint_ns")
        return tuple(str(ns).split("|")) if ns and current_task.get(None) is not None else ()

    def batch(self, inputs: Sequence[Any], config: Any = None, **options: Any) -> list[Any]:
        """Invoke each input, in threads; results in the order of `inputs`. `config` is one dict or one an input."""
        configs = config if isinstance(config, Sequence) else [config] * len(inputs)
        futures = [
            pool.submit(copy_context().run, _call, self.invoke, one, each, options)
            for one, each in zip(inputs, configs, strict=True)
        ]
        return [future.result() for future in futures]

    async def abatch(self, inputs: Sequence[Any], config: Any = None, **options: Any) -> list[Any]:
        """Invoke each input at once on the running loop; results in the order of `inputs`."""
        configs = config if isinstance(config, Sequence) else [config] * len(inputs)
        runs = (self.ainvoke(one, each, **options) for one, each in zip(inputs, configs, strict=True))
        return list(await _loops().gather(*runs))

    # Making an engine

    def engine(self, input: Any, config: dict[str, Any], **options: Any) -> Engine:
        """One run of this graph, not started: for drivers, debuggers and servers. Their options are `engine_of`'s."""
        return engine_of(self, input, config, **options)


def _say_beta(*what: str) -> None:
    """Where programs take this engine for LangGraph, they hear from it what is experimental there."""
    if "beta" in registry.adapters:
        registry.adapters.load("beta")(*what)


def graph_class() -> type[CompiledStateGraph]:
    """What `compile` makes: with langchain-core loaded, a graph that is one of its Runnables too."""
    if sys.modules.get("langchain_core") is None:
        return CompiledStateGraph
    runnable: type[CompiledStateGraph] = registry.adapters.load("graph")
    return runnable


def _checkpointer(given: Any) -> Any:
    """The object behind what `compile(checkpointer=...)` was given; a URL is opened."""
    if isinstance(given, str) and "://" in given:
        return registry.open_checkpointer(given)
    known = given is None or isinstance(given, bool)
    if known or (not isinstance(given, type) and hasattr(registry.translated(given), "save_record")):
        return given
    raise TypeError(
        f'Invalid checkpointer provided. Expected an object of stepgraph.persist, a URL like "sqlite:///runs.db", '
        f"a checkpointer of LangGraph's, True, False or None. "
        f"Received {'the class ' + given.__name__ if isinstance(given, type) else type(given).__name__}."
    )


def _is_straight(engine: Engine) -> bool:
    """Whether nobody looks at a run that takes new input, and it can begin as a sprint."""
    request = engine.request
    return (
        engine.plan.straight
        and type(request.input) is dict
        and request.parent is None
        and request.emit is None
        and request.durability == "async"
        and not (engine.keeper or request.control or request.step_timeout)
    )


def _call(function: Any, one: Any, config: Any, options: dict[str, Any]) -> Any:
    return function(one, config, **options)


def _waking(chunks: deque[Any], driver: SyncDriver) -> Callable[[Any], None]:
    def put(chunk: Any) -> None:
        chunks.append(chunk)
        driver.wake.set()

    return put


def _loops() -> Any:
    """`stepgraph.graph.loops`, imported on first use: asyncio takes a quarter of the import time."""
    from stepgraph.graph import loops

    return loops


__all__ = ["CompiledStateGraph", "graph_class", "merged"]
