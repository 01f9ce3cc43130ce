"""A compiled graph that is a Runnable of langchain-core: what `compile()` makes where langchain-core is loaded."""

from __future__ import annotations

import sys
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, get_type_hints

from langchain_core.runnables import Runnable, RunnableConfig

from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.core.engine import Engine
from stepgraph.core.plan import Plan
from stepgraph.graph.calls import takes_options
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.graph.engines import plain_engine
from stepgraph.integrations.ambient import child_config, surrounding
from stepgraph.integrations.listeners import graph_manager_for, listened
from stepgraph.integrations.tracing import traced
from stepgraph.run.config import check, inherited, shown_metadata
from stepgraph.run.context import current_task, shared_config


class Settings(dict[str, Any]):
    """A call's config, complete: with the graph's own and the one around it."""

    around: Any = None
    """What langchain-core's variable held when the call came."""
    asynchronous = False
    engine: Engine | None = None
    lifecycle: Any = None
    """What tells graph handlers of the run, if there are any."""

    async def told(self) -> None:
        """Wait for graph handlers that are coroutine functions."""
        if self.lifecycle is not None:
            await self.lifecycle.ended()


class RunnableGraph(CompiledStateGraph, Runnable[Any, Any]):  # type: ignore[misc]  # `name` is a property, read by both
    """A graph with everything that a Runnable has: pipes, batches, event streams, callbacks, retries, fallbacks."""

    batch = Runnable.batch  # type: ignore[assignment]  # callbacks and `return_exceptions` are langchain-core's
    abatch = Runnable.abatch  # type: ignore[assignment]  # the same

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        return super(CompiledStateGraph, self).get_name(suffix, name=name or self.name)

    # Runs of callbacks around the run of the graph

    hears = False
    """Whether a graph inside it was given callbacks of its own: then it reports its runs, as they are below these."""

    def __init__(self, builder: Any, plan: Plan, **given: Any) -> None:
        super().__init__(builder, plan, **given)
        if plan.nested:
            inside = [node.source for node in plan.nodes.values() if node.child is not None]
            self.hears = any(bool(each.config.get("callbacks")) or getattr(each, "hears", False) for each in inside)

    @takes_options
    def invoke(self, input: Any, config: Any = None, *, thread: str | None = None, **options: Any) -> Any:
        """As `CompiledStateGraph.invoke`, and the config's callbacks hear of it."""
        if self._plainly(config, thread):
            if options or self.debug:
                return super().invoke(input, **options)
            return self._run(plain_engine(self, input, {}))
        settings = self._merged(config, thread)
        if not self._heard(settings, options):
            return super().invoke(input, settings, **options)
        run = self._manager(settings).on_chain_start(
            None, input, name=self._run_name(settings), run_id=settings.get("run_id")
        )
        settings["callbacks"] = run
        try:
            result = super().invoke(input, settings, **options)
        except BaseException as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end(_output(settings, options))
        return result

    @takes_options
    async def ainvoke(self, input: Any, config: Any = None, *, thread: str | None = None, **options: Any) -> Any:
        """As `invoke`, on the running loop."""
        if self._plainly(config, thread):
            return await super().ainvoke(input, **options)
        settings = self._merged(config, thread)
        settings.asynchronous = True
        if not self._heard(settings, options):
            return await super().ainvoke(input, settings, **options)
        run = await self._manager(settings).on_chain_start(
            None, input, name=self._run_name(settings), run_id=settings.get("run_id")
        )
        settings["callbacks"] = run
        try:
            result = await super().ainvoke(input, settings, **options)
            await settings.told()
        except BaseException as error:
            await run.on_chain_error(error)
            raise
        await run.on_chain_end(_output(settings, options))
        return result

    @takes_options
    def stream(self, input: Any, config: Any = None, *, thread: str | None = None, **options: Any) -> Iterator[Any]:
        """As `CompiledStateGraph.stream`, and the config's callbacks hear of it."""
        if options.get("stream_mode") is None:
            options["stream_mode"] = self._default_modes(config)
        settings = self._merged(config, thread)
        if not (self.hears or listened(settings)):
            yield from super().stream(input, settings, **options)
            return
        run = self._manager(settings).on_chain_start(
            None, input, name=self._run_name(settings), run_id=settings.get("run_id")
        )
        settings["callbacks"] = run
        try:
            yield from super().stream(input, settings, **options)
        except BaseException as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end(_streamed(settings, options))

    @takes_options
    async def astream(
        self, input: Any, config: Any = None, *, thread: str | None = None, **options: Any
    ) -> AsyncIterator[Any]:
        """As `stream`, on the running loop."""
        if options.get("stream_mode") is None:
            options["stream_mode"] = self._default_modes(config)
        settings = self._merged(config, thread)
        settings.asynchronous = True
        if not (self.hears or listened(settings)):
            plain: Any = super().astream(input, settings, **options)
            async with aclosing(plain):
                async for chunk in plain:
                    yield chunk
            return
        run = await self._manager(settings).on_chain_start(
            None, input, name=self._run_name(settings), run_id=settings.get("run_id")
        )
        settings["callbacks"] = run
        try:
            chunks: Any = super().astream(input, settings, **options)
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
            await settings.told()
        except BaseException as error:
            await run.on_chain_error(error)
            raise
        await run.on_chain_end(_streamed(settings, options))

    def config_schema(self, *, include: Sequence[str] | None = None) -> Any:
        """A Pydantic model of the config: the context under `configurable`, and the keys of a config in `include`."""
        _say_deprecated("config_schema", "`get_context_jsonschema` for the relevant schema")
        return self._config_model(include)

    def get_config_jsonschema(self, *, include: Sequence[str] | None = None) -> dict[str, Any]:
        """The JSON Schema of `config_schema`."""
        _say_deprecated("get_config_jsonschema", "`get_context_jsonschema`")
        found: dict[str, Any] = self._config_model(include).model_json_schema()
        return found

    def _config_model(self, include: Sequence[str] | None) -> Any:
        from pydantic import create_model

        fields: dict[str, Any] = {} if self.context_schema is None else {"configurable": (self.context_schema, None)}
        wanted = set(include or ()) - {"configurable"}
        fields |= {key: (hint, None) for key, hint in get_type_hints(RunnableConfig).items() if key in wanted}
        return create_model(self.get_name("Config"), **fields)

    def _plainly(self, config: Any, thread: str | None) -> bool:
        """Whether a call has no config, nor is there one around it, and nobody listens."""
        return not (config or thread or self.config or child_config.variable.get() or self.hears or listened(_NOTHING))

    def _heard(self, settings: Settings, options: Mapping[str, Any]) -> bool:
        """Whether callbacks hear of an `invoke`; one that collects chunks leaves that to its stream."""
        return options.get("stream_mode") in (None, "values") and (self.hears or listened(settings))

    def _manager(self, settings: Settings) -> Any:
        check(settings)
        task = current_task.get(None)
        config: Mapping[str, Any] = settings
        if task is not None and _inside(task, settings.around):  # else what is around it is in the settings already
            config = inherited(shared_config(task), settings)
        shown = {**config, "metadata": shown_metadata(config)}
        manager = graph_manager_for(shown, asynchronous=settings.asynchronous)
        if "ls_integration" not in manager.metadata:
            manager.add_metadata({"ls_integration": "langgraph"})
        if task is None:  # what hears one graph only hears that of the node that made it
            manager.handlers, manager.inheritable_handlers = (
                # True itself: a mock or a proxy has something under any name.
                [each for each in handlers if getattr(each, "of_one_graph", False) is not True]
                for handlers in (manager.handlers, manager.inheritable_handlers)
            )
        return manager

    def _run_name(self, settings: Settings) -> str:
        return settings.get("run_name") or self.get_name()

    def _merged(self, config: Any, thread: str | None) -> Settings:
        """The whole config of a call. One that langchain-core hands down is taken up, as from a Runnable around."""
        if type(config) is Settings and thread is None:
            return config
        around = child_config.variable.get()
        own = super()._merged(config, thread)
        task = current_task.get(None)
        if around and (task is None or not _inside(task, around)):
            own = inherited(around, own)
        settings = Settings(own)
        settings.around = around
        return settings

    # The engine of a run that is listened to

    def engine(self, input: Any, config: dict[str, Any], **options: Any) -> Engine:
        """One run of this graph, not started. One that callbacks hear of takes the traced plan."""
        if type(config) is not Settings:
            return super().engine(input, config, **options)
        run = config.get("callbacks")
        heard = hasattr(run, "get_child")
        given = config if run is None else {key: value for key, value in config.items() if key not in _OF_THIS_RUN}
        graph = self._traced(config.asynchronous) if heard else self
        engine = CompiledStateGraph.engine(graph, input, given, **options)
        request = engine.request
        request.around = config.around
        if run is not None:
            request.config = {**request.config, "callbacks": run}
            handlers = sys.modules.get("stepgraph.integrations.callbacks")
            config.lifecycle = None if handlers is None else handlers.attach(engine, run)
        if heard:
            config.engine = engine
        return engine

    def _replan(self, **changes: Any) -> None:
        super()._replan(**changes)
        self.forget()

    def forget(self) -> None:
        for kind in ("_traced_sync", "_traced_async"):
            self.__dict__.pop(kind, None)

    def _traced(self, asynchronous: bool) -> RunnableGraph:
        """This graph on a plan whose bodies and routers report themselves."""
        kind = "_traced_async" if asynchronous else "_traced_sync"
        plan = self.__dict__.get(kind)
        if plan is None:
            plan = self.__dict__[kind] = traced(self.plan, asynchronous)
        # A new one each time: a checkpointer, a store or a timeout may have been set on this graph since.
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.plan = plan
        return other


_NOTHING: Mapping[str, Any] = {}
_OF_THIS_RUN = ("callbacks", "run_name", "run_id")
"""What nothing below the run inherits as it is."""


RunnableGraph.__name__ = RunnableGraph.__qualname__ = CompiledStateGraph.__name__  # programs ask for it


def _inside(task: Any, around: Any) -> bool:
    """Whether the variable holds what it held when the running task's run began: then nobody has set it since."""
    return around is surrounding(task)


def _say_deprecated(name: str, instead: str) -> None:
    warnings.warn(f"`{name}` is deprecated. Use {instead} instead.", LangGraphDeprecatedSinceV10, stacklevel=3)


def _output(settings: Settings, options: Mapping[str, Any]) -> Any:
    """What callbacks are told that a run gave: the output, or the keys that the caller asked for."""
    engine, keys = settings.engine, options.get("output_keys")
    if engine is None:
        return None
    return engine.plan.output(engine.state.values, keys)


def _streamed(settings: Settings, options: Mapping[str, Any]) -> Any:
    """What callbacks are told that a stream gave: all that its values show, or the keys that the caller asked for."""
    engine = settings.engine
    if engine is None or options.get("output_keys") is not None:
        return _output(settings, options)
    return engine.plan.shown(engine.state.values)
