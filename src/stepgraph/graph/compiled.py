"""A compiled graph: what users run, stream, inspect and change."""

from __future__ import annotations

import sys
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from contextvars import copy_context
from os import environ
from time import time
from types import GenericAlias
from typing import Any, Self, Unpack

from stepgraph.core import registry
from stepgraph.core.checkpoint import plain_values
from stepgraph.core.child import overheard
from stepgraph.core.engine import Engine, Outcome
from stepgraph.core.errors import ThreadRequiredError
from stepgraph.core.events import Emit
from stepgraph.core.plan import Plan
from stepgraph.core.request import ORDINARY, Request
from stepgraph.core.types import INTERRUPT, MISSING, START, GraphOutput, Namespace
from stepgraph.graph.calls import CallOptions, printed_modes, run_options, takes_options
from stepgraph.graph.patched import RUNS, contains_graphs, replace_own, restore_own, through
from stepgraph.graph.snapshots import inner_plan, journey
from stepgraph.graph.threads import ROOT_ONLY_LENT, Threads
from stepgraph.run.chunks import Mappers, printer, v1, v2
from stepgraph.run.config import (
    CACHE,
    CHECKPOINTER,
    DURABILITY,
    LENT,
    RUNTIME,
    addresses,
    inherited,
    merged,
)
from stepgraph.run.context import TASK, ambient, current_task
from stepgraph.run.ids import RunIds
from stepgraph.run.straight import straight
from stepgraph.run.streams import Streams
from stepgraph.run.sync import SyncDriver
from stepgraph.run.threads import pool
from stepgraph.run.tokens import LIVE_MODES, hearing_events, listen_in
from stepgraph.schema.channels import is_keyed, mapper_of
from stepgraph.schema.validate import as_context

DEFAULT_RECURSION_LIMIT = int(environ.get("LANGGRAPH_DEFAULT_RECURSION_LIMIT", "10007"))

_PLAIN = frozenset(("configurable", "recursion_limit"))


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

    # Running: the options of all calls stand in `graph/calls.py`

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
            return self._run(self._engine(input, self._merged(config, thread)))
        if options.get("stream_mode", "values") != "values":
            return list(self.stream(input, config, thread=thread, **self._of_output(options)))
        engine = self._begin("invoke", input, config, thread, options)
        engine.request.blocking = not self.plan.has_async
        self._print(engine, options)
        return self._returned(self._outcome(engine), options)

    def _run(self, engine: Engine) -> Any:
        """Run it from sync code: straight on, where nobody looks at it."""
        has_async = engine.plan.has_async
        engine.request.blocking = not has_async
        if not has_async and _is_straight(engine) and straight(engine):
            return None if engine.awaited is not None else engine.plan.output(engine.state.values)
        return _result(self._outcome(engine))

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
            engine = self._engine(input, self._merged(config, thread))
            if not _is_straight(engine):
                return _result(await _loops().outcome_of(engine))
            over, outcome = await _loops().straight_outcome_of(engine)
            if not over:
                return _result(outcome)
            return None if engine.awaited is not None else engine.plan.output(engine.state.values)
        if options.get("stream_mode", "values") != "values":
            return [chunk async for chunk in self.astream(input, config, thread=thread, **self._of_output(options))]
        engine = self._begin("ainvoke", input, config, thread, options)
        self._print(engine, options)
        return self._returned(await _loops().outcome_of(engine), options)

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
        self._listen(engine, modes, put, options)
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
        chunks = _loops().chunks_of(engine, lambda put: self._listen(engine, modes, put, options))
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
        outer = current_task.get(None)
        given = (config or {}).get("configurable") or {}
        called = outer is not None and bool(given.get("checkpoint_ns"))
        return "values" if called else self.stream_mode

    def _returned(self, outcome: Outcome, options: CallOptions) -> Any:
        """What a call returns, in the version that it asks for."""
        return self._versioned(outcome.values, outcome.interrupts, options.get("version", "v1"))

    def _versioned(self, values: Any, asked: Sequence[Any], version: str) -> Any:
        if version == "v1":
            return _with_questions(values, asked)
        mapper, shown = self._mappers().output, {} if asked and values is None else values
        return GraphOutput(mapper(shown) if mapper is not None and isinstance(shown, dict) else shown, tuple(asked))

    def _mappers(self) -> Mappers:
        """What makes objects of values for version v2: of Pydantic and dataclass schemas only."""
        schemas = (getattr(self.builder, name, None) for name in ("output_schema", "state_schema"))
        return Mappers(*(mapper_of(schema) if is_keyed(schema) else None for schema in schemas))

    def _print(self, engine: Engine, options: CallOptions) -> None:
        """Print what a call without chunks asks to be printed."""
        printed = printed_modes(options, self.debug)
        if printed:
            self._listen(engine, (), _nobody, options)

    def _lone_key(self) -> str | Sequence[str] | None:
        """The keys that streams show; of a functional graph the one key whose value they show."""
        keys = self.plan.output_keys
        return keys if isinstance(keys, str) and self.plan.entry != START else None

    def _listen(self, engine: Engine, modes: Any, put: Callable[[Any], None], options: CallOptions) -> None:
        """Let a stream see the run; a graph inside another one goes on telling the outer's listeners too."""
        subgraphs = bool(options.get("subgraphs"))
        shape = v2(self._mappers()) if options.get("version") == "v2" else v1(modes, subgraphs)
        shown = (modes,) if isinstance(modes, str) else tuple(modes)
        printed = printed_modes(options, self.debug)
        show = printer(subgraphs)

        def deliver(ns: Any, mode: str, payload: Any) -> None:
            if mode in printed:
                show(ns, mode, payload)
            if mode in shown:
                put(shape(ns, mode, payload))

        keys = options.get("output_keys")
        streams = Streams(
            self.plan, {*shown, *printed}, deliver, subgraphs=subgraphs, root=engine.scope.ns,
            config=engine.request.config, keys=self._lone_key() if keys is None else keys,
        )  # fmt: skip
        if subgraphs:
            engine.request.relayed = streams.modes
        listen_in(engine, streams.modes)
        outer = engine.request.emit
        taken = "custom" in streams.modes and engine.request.parent is not None

        def both(event: Any) -> None:
            streams(event)
            if outer is not None:
                outer(event._replace(kind="taken") if taken and getattr(event, "kind", None) == "custom" else event)

        if outer is None:
            engine.listen(streams, streams.unheard)
        else:
            engine.listen(both)

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

    def engine(
        self,
        input: Any,
        config: dict[str, Any],
        *,
        emit: Emit | None = None,
        interrupt_before: Any = None,
        interrupt_after: Any = None,
        durability: Any = None,
        context: Any = None,
        reading: bool = False,
        strict: bool = False,
        **more: Any,
    ) -> Engine:
        """One run of this graph, not started: for drivers, debuggers and servers. `config` is complete.

        `reading` means the graph that the config's namespace is of, with `strict` a known one.
        """
        around = None if reading else current_task.get(None)
        outer, callbacks = None, None if reading else config.get("callbacks")
        if not reading and (config or around is not None):
            outer = (config.get("configurable") or {}).get(TASK)
            if around is not None:
                if outer is None and not addresses(config):
                    outer = around
                config = inherited(ambient(around), config)
        configurable = config.get("configurable") or {}
        limit = config.get("recursion_limit", DEFAULT_RECURSION_LIMIT)
        if limit < 1:
            raise ValueError("recursion_limit must be at least 1")
        thread = configurable.get("thread_id")
        saver = self.saver if not isinstance(self.checkpointer, bool) else None
        store, cache = self.store, self.cache
        if outer is None:
            lent = () if LENT.isdisjoint(configurable) else LENT.intersection(configurable)
            if CHECKPOINTER in lent and self.checkpointer is not False:
                saver = registry.translated(configurable[CHECKPOINTER])
            if CACHE in lent:
                cache = configurable[CACHE]
            if RUNTIME in lent:
                around_it = configurable[RUNTIME]
                store = around_it.store
                context = getattr(around_it, "context", None) if context is None else context
                more.setdefault("control", getattr(around_it, "control", None))
            if DURABILITY in lent:
                durability = durability or configurable[DURABILITY]
            if self.checkpointer is True and not reading and CHECKPOINTER not in lent:
                raise RuntimeError(ROOT_ONLY_LENT)
            if saver is not None and thread is None:
                raise ThreadRequiredError
        plan, ns_text = self.plan, configurable.get("checkpoint_ns") or "" if outer is None else ""
        checkpoint = configurable.get("checkpoint_id")
        if ns_text and reading:
            plan, ns_text = inner_plan(plan, ns_text, strict=strict)
        elif ns_text:
            places = {} if checkpoint is None or saver is None else journey(saver, str(thread), configurable)
            checkpoint = places.pop("", (None, None))[1]
            more["journey"], ns_text = places, ""
        request = Request(input, config, time, RunIds(), limit)
        request.run_id = None if config.get("run_id") is None else str(config["run_id"])
        request.thread = None if thread is None else str(thread)
        request.ns = tuple(ns_text.split("|")) if ns_text else ()
        request.checkpointer, request.checkpoint = saver, checkpoint
        request.emit = emit
        request.interrupt_before, request.interrupt_after = _names(interrupt_before), _names(interrupt_after)
        request.durability = durability or ("async" if outer is None else outer.scope.request.durability)
        request.metadata = _metadata(config)
        request.store, request.cache, request.step_timeout = store, cache, self.step_timeout
        request.context = None if context is None else as_context(self.context_schema, context) or None
        for name, value in more.items():
            setattr(request, name, value)
        engine = Engine(plan, request) if outer is None else self._nested(outer, request)
        if callbacks and outer is None:
            handlers = sys.modules.get("stepgraph.integrations.callbacks")  # where the class of such handlers is
            if handlers is not None:
                handlers.attach(engine, callbacks)
        return engine

    def _engine(self, input: Any, config: dict[str, Any]) -> Engine:
        """The same for a call that says no more than its input, thread and limit: all else is what it is by default."""
        saver, thread, limit = self.checkpointer, None, DEFAULT_RECURSION_LIMIT
        if saver is not None or config:
            configurable = config.get("configurable")
            limit = config.get("recursion_limit", limit)
            if configurable is None or not _PLAIN.issuperset(config) or limit < 1 or isinstance(saver, bool):
                return self.engine(input, config)
            thread = configurable.get("thread_id")
            if thread is None or len(configurable) > 1:
                return self.engine(input, config)
        if current_task.get(None) is not None:
            return self.engine(input, config)
        request = Request(input, config, time, RunIds(), limit)
        if thread is not None:
            request.thread = str(thread)
            request.checkpointer = registry.translated(saver)
            request.around = getattr(config, "around", MISSING)
        if self.store is not None:
            request.store = self.store
        if self.cache is not None:
            request.cache = self.cache
        if self.step_timeout is not None:
            request.step_timeout = self.step_timeout
        return Engine(self.plan, request)

    def _nested(self, outer: Any, request: Request) -> Engine:
        """A graph called from node code: one namespace deeper, with what surrounds it."""
        scope = outer.scope
        around: Request = scope.request
        saver = around.checkpointer or request.checkpointer
        request.run_id, request.thread, request.checkpoint = around.run_id, scope.thread, None
        request.ns = outer.call_ns(self.checkpointer is True)
        request.lasting = self.checkpointer is True
        request.checkpointer = None if self.checkpointer is False else saver
        request.clock, request.gate, request.probe = scope.clock, scope.gate, scope.probe
        request.emit = overheard(outer, scope.emit)
        request.unheard = scope.unheard if outer.progress is None else scope.unheard & ORDINARY
        request.store = self.store or around.store
        request.cache = self.cache
        request.context = request.context or around.context
        request.control = request.control or around.control
        request.parent = outer
        engine = Engine(self.plan, request)
        if engine.keeper is not None:
            engine.keeper.awaits = False  # that of the outer run does not say how this one is driven
        return engine


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


def _names(given: Any) -> frozenset[str]:
    if not given:
        return frozenset()
    return frozenset((given,) if isinstance(given, str) else (_NO_NODE if name == "*" else name for name in given))


_NO_NODE = ":"
"""In the place of a "*" in a list, where it is a name like any other."""


def _metadata(config: Mapping[str, Any]) -> dict[str, Any]:
    """What checkpoints say of a run: plain values of the config's metadata and configurable."""
    return plain_values({**(config.get("configurable") or {}), **(config.get("metadata") or {})})


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


def _result(outcome: Outcome) -> Any:
    return _with_questions(outcome.values, outcome.interrupts)


def _with_questions(values: Any, asked: Sequence[Any]) -> Any:
    """Values and questions as version 1 returns them together."""
    return {**(values if isinstance(values, dict) else {}), INTERRUPT: list(asked)} if asked else values


def _call(function: Any, one: Any, config: Any, options: dict[str, Any]) -> Any:
    return function(one, config, **options)


def _nobody(chunk: Any) -> None:
    """Takes chunks that nobody asked for."""


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
