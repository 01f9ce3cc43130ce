"""Runs of langchain-core's callbacks for graphs and nodes, as tracers, loggers and `astream_events` know them.

A graph with listeners runs a *traced* twin of its plan, whose bodies and routers report themselves; without listeners
nothing of this is there.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextvars import ContextVar, copy_context
from copy import copy
from dataclasses import replace
from importlib import import_module
from types import FunctionType
from typing import Any

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackManager, CallbackManager
from langchain_core.runnables import Runnable, RunnableSequence
from langchain_core.runnables.config import _set_config_context

from stepgraph.core.body import continues
from stepgraph.core.errors import ParentCommand
from stepgraph.core.plan import Node, Plan, Router
from stepgraph.core.task import RETURN, Task
from stepgraph.core.types import END, PARENT, PREVIOUS, START, Command
from stepgraph.graph.actions import is_generator
from stepgraph.graph.functional import final
from stepgraph.run.aio import around
from stepgraph.run.context import config_of, current_task
from stepgraph.run.threads import pool

_VARIABLES: Mapping[Any, Any] = getattr(os.environ, "_data", os.environ)
"""What lies behind `os.environ`, which takes 3 µs to look four names up: as long as a node."""
_SWITCHES = tuple(
    getattr(os.environ, "encodekey", str)(name) if _VARIABLES is not os.environ else name
    for name in ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING")
)
HIDDEN = "langsmith:hidden"
_OF_ENTRYPOINTS = frozenset((END, PREVIOUS))
"""What the node of an entrypoint writes."""
_SECRET = ("key", "token", "secret", "password", "auth")


def listened(config: Mapping[str, Any]) -> bool:
    """Whether anybody wants to hear of runs: the config's callbacks, a tracer switched on, a collector of runs,
    instrumentation."""
    if config.get("callbacks"):
        return True
    made = vars(BaseCallbackManager)["__init__"]
    if type(made) is not FunctionType or hasattr(made, "__wrapped__"):
        return True  # instrumentation adds its handler to every manager that is made
    contexts = sys.modules.get("langchain_core.tracers.context")
    if contexts is None:  # no manager was made yet
        if not _VARIABLES.keys().isdisjoint(_SWITCHES):
            return True
        try:
            asked = _told(sys.modules.get("langsmith._internal._context"))
        except AttributeError:  # of a version of langsmith that keeps this elsewhere: then as with a manager
            asked = True
        if not asked:
            told = sys.modules.get("langchain_core.globals")
            return told is not None and bool(told.get_debug())
        contexts = import_module("langchain_core.tracers.context")
    for variable, _, _, switch in contexts._configure_hooks:
        # The engine's own hook is no variable: it hears for streams, which need no runs.
        if type(variable) is ContextVar and variable.get() is not None:
            return True
        if switch is not None and os.environ.get(switch):
            return True
    return _traces(contexts) or bool(sys.modules["langchain_core.globals"].get_debug())


def _traces(contexts: Any) -> bool:
    """Whether LangSmith's tracer is on. langchain-core's own answer takes as long as a whole run of a node.

    It is what the context says, else what was set for the process, else what the environment says, which langsmith
    reads once. Only the last of these is told here.
    """
    try:
        around = sys.modules["langsmith._internal._context"]
        if contexts.tracing_v2_callback_var.get() is None and not _told(around):
            variable = contexts.ls_utils.get_env_var
            return bool(variable("TRACING_V2", default=variable("TRACING", default="")) == "true")
    except (AttributeError, KeyError):
        pass  # a version of langsmith that keeps this elsewhere, or another module in its place
    return bool(contexts._tracing_v2_is_enabled())


def _told(around: Any) -> bool:
    """Whether langsmith was told in code about tracing, by its context or for the process. Not without langsmith."""
    return around is not None and (
        around._TRACING_ENABLED.get() is not None
        or around._PARENT_RUN_TREE_REF.get() is not None
        or around._GLOBAL_TRACING_ENABLED is not None
    )


def manager_for(config: Mapping[str, Any], tags: Any = None, *, asynchronous: bool = False) -> Any:
    """The callback manager for a run with this config: the config's own, or a new one of its handlers."""
    kind: Any = AsyncCallbackManager if asynchronous else CallbackManager
    own, all_tags, metadata = (
        config.get("callbacks"),
        [*(config.get("tags") or ()), *(tags or ())],
        config.get("metadata"),
    )
    if isinstance(own, kind):
        if all_tags:
            own.add_tags(all_tags)
        if metadata:
            own.add_metadata(dict(metadata))
        return own
    return kind.configure(
        inheritable_callbacks=own,
        inheritable_tags=all_tags or None,
        inheritable_metadata=dict(metadata) if metadata else None,
        langsmith_inheritable_metadata=_tracer_metadata(config.get("configurable") or {}),
    )


def _tracer_metadata(configurable: Mapping[str, Any]) -> dict[str, Any] | None:
    """What only LangSmith shows of `configurable`: plain values that are no secrets."""
    found = {
        key: value
        for key, value in configurable.items()
        if not key.startswith("__")
        and isinstance(value, (str, int, float, bool))
        and not any(word in key.casefold() for word in _SECRET)
    }
    return found or None


def traced(plan: Plan, asynchronous: bool) -> Plan:
    """The plan with bodies and routers that report themselves, for sync or for async runs."""
    kind = _AsyncNode if asynchronous else _SyncNode
    return replace(
        plan, nodes={name: kind(node).node() if _is_heard(node) else node for name, node in plan.nodes.items()}
    )


def _is_heard(node: Node) -> bool:
    """Whether it has runs. The entry has one only where it routes."""
    return node.name != START or bool(node.routers)


class _TracedNode:
    """A node that reports its runs. Its run ends after its routers, which are runs below it."""

    def __init__(self, plain: Node) -> None:
        self.plain = plain
        self.tags = [HIDDEN] if plain.name == START else None
        # LangGraph runs a node as one sequence: the steps of what was added, then what writes, then the routers.
        self.steps: Sequence[Any] = ()
        if plain.child is None and isinstance(plain.source, RunnableSequence):
            self.steps = plain.source.steps
        elif plain.child is None and isinstance(plain.source, Runnable):
            self.steps = [plain.source]
        self.generates = plain.child is None and is_generator(plain.source)
        """Whether it yields its update: LangGraph makes a Runnable of such a function, which has a run of its own."""

    def config(self, task: Task) -> dict[str, Any]:
        """The config of the node's own run, and of what it calls while it has none."""
        around = task.scope.request.config.get("callbacks")
        task.callbacks = None if around is None else around.get_child(f"graph:step:{task.step}")
        return config_of(task)

    def told(self, result: Any) -> Any:
        """What callbacks hear that the node gave: of an entrypoint what its function returned."""
        if self.plain.writes != _OF_ENTRYPOINTS:
            return result
        given, kept = result[END], result[PREVIOUS]
        return given if given is kept else final(value=given, save=kept)

    def shown(self, value: Any, part: str) -> Any:
        """What tracers record of an input or output."""
        process = getattr(self.plain.trace_policy, f"process_{part}", None)
        return value if process is None else process(value)

    def routers(self) -> tuple[Router, ...]:
        """The node's routers, as runs below the node's."""
        own = len(self.steps) or (0 if self.plain.name == START else 1)
        first = 2 + own + len(self.plain.successors) + len(self.plain.joins)
        last = len(self.plain.routers) - 1
        return tuple(
            replace(router, twin=None, choose=self.router(router, f"seq:step:{first + position}", position == last))
            for position, router in enumerate(self.plain.routers)
        )

    def router(self, router: Router, tag: str, last: bool) -> Callable[..., Any]:
        raise NotImplementedError

    def step_config(self, task: Task, run: Any, number: int) -> dict[str, Any]:
        """The config of one step of a Runnable that was added as the node."""
        task.callbacks = run.get_child(f"seq:step:{number}")
        return config_of(task)

    def extra(self, task: Task) -> dict[str, Any]:
        return {} if self.plain.inject is None else self.plain.inject(task)


def _entered(config: dict[str, Any]) -> None:
    """Let langsmith's own decorators in node code find the run that they are in."""
    _set_config_context(config)  # type: ignore[arg-type]  # a RunnableConfig


def _own_first(manager: Any) -> Any:
    """The manager with the run's own tag before those that it inherits, as a Runnable's run has them."""
    manager.tags.sort(key=manager.inheritable_tags.__contains__)
    return manager


def _parts(manager: Any) -> tuple[Any, Any]:
    """A manager of those who get the real values, and one of the tracers."""
    from langchain_core.tracers.base import BaseTracer

    real, tracers = copy(manager), copy(manager)
    # What feeds `astream_events` and `astream_log` is a tracer too, whose values the caller sees.
    tracers.handlers = [
        each for each in manager.handlers if isinstance(each, BaseTracer) and not hasattr(each, "tap_output_aiter")
    ]
    real.handlers = [each for each in manager.handlers if each not in tracers.handlers]
    return real, tracers


def _started(manager: Any, value: Any, shown: Any, name: str) -> Any:
    """The beginning of a node's run, which tracers record as `shown`."""
    if shown is value:
        return manager.on_chain_start(None, value, name=name)
    real, tracers = _parts(manager)
    run = real.on_chain_start(None, value, name=name)
    tracers.on_chain_start(None, shown, name=name, run_id=run.run_id)
    run.handlers = manager.handlers
    return run


async def _astarted(manager: Any, value: Any, shown: Any, name: str) -> Any:
    if shown is value:
        return await manager.on_chain_start(None, value, name=name)
    real, tracers = _parts(manager)
    run = await real.on_chain_start(None, value, name=name)
    await tracers.on_chain_start(None, shown, name=name, run_id=run.run_id)
    run.handlers = manager.handlers
    return run


def _ended(run: Any, result: Any, shown: Any) -> None:
    """The end of a node's run, which tracers record as `shown`."""
    if shown is result:
        run.on_chain_end(result)
        return
    real, tracers = _parts(run)
    tracers.on_chain_end(shown)
    real.on_chain_end(result)


async def _aended(run: Any, result: Any, shown: Any) -> None:
    if shown is result:
        await run.on_chain_end(result)
        return
    real, tracers = _parts(run)
    await tracers.on_chain_end(shown)
    await real.on_chain_end(result)


def _router_name(router: Router) -> str | None:
    """Its function's name, which a lambda has none of; that of a Runnable is its own affair."""
    name = getattr(router.choose, "__name__", None)
    return None if name in (None, "<lambda>") else str(name)


def _upward(result: Any) -> ParentCommand | None:
    """The first Command for the parent graph in a node's result: in LangGraph the node's run ends with it."""
    for each in result if isinstance(result, (list, tuple)) else (result,):
        if isinstance(each, Command) and each.graph == PARENT:
            return ParentCommand(each)
    return None


class _SyncNode(_TracedNode):
    def node(self) -> Node:
        plain = self.plain
        if plain.is_async:
            return _AsyncNode(plain).node()
        graph = plain.source if plain.child is not None else None
        return replace(plain, body=self.body(graph), inject=None, child=None, twin=None, routers=self.routers())

    def body(self, graph: Any) -> Callable[[Any], Any]:
        plain = self.plain

        def run_node(value: Any) -> Any:
            task = current_task.get()
            manager = manager_for(self.config(task), self.tags)
            run = _started(manager, value, self.shown(value, "inputs"), plain.name)
            task.callbacks = run.get_child("seq:step:1")
            try:
                _entered(config_of(task))
                if graph is not None:
                    result = graph.invoke(value, config_of(task))
                elif self.steps:
                    result = value
                    for number, step in enumerate(self.steps, 1):
                        result = step.invoke(result, self.step_config(task, run, number))
                elif plain.body is None:
                    result = value
                else:
                    result = self.called(task, value)
                    if continues(plain, result):
                        result = result.invoke(value, config_of(task))
            except BaseException as error:
                run.on_chain_error(error)
                raise
            up = _upward(result)
            if up is not None:
                run.on_chain_error(up)
            elif plain.routers:
                task.traced = (run, result)
            else:
                told = self.told(result)
                _ended(run, told, self.shown(told, "outputs"))
            return result

        return run_node

    def called(self, task: Task, value: Any) -> Any:
        assert self.plain.body is not None
        if not self.generates:
            return self.plain.body(value, **self.extra(task))
        inner = _own_first(task.callbacks).on_chain_start(None, value, name=self.plain.name)
        task.callbacks = inner.get_child()
        _entered(config_of(task))
        try:
            result = self.plain.body(value, **self.extra(task))
        except BaseException as error:
            inner.on_chain_error(error)
            raise
        inner.on_chain_end(result)
        return result

    def router(self, router: Router, tag: str, last: bool) -> Callable[..., Any]:
        name = _router_name(router) or "RunnableCallable"

        def choose(value: Any, **extra: Any) -> Any:
            task = current_task.get()
            if task.traced is None and self.plain.name == START:  # it has no body whose run could go on
                given = task.scope.inputs
                run = _started(manager_for(self.config(task), self.tags), given, given, START)
                task.traced = (run, given)
            if task.traced is None:  # a resumed task: its node's run is over
                return router.choose(value, **extra)
            run, result = task.traced
            inner = None if router.twin else _own_first(run.get_child(tag)).on_chain_start(None, value, name=name)
            task.callbacks = run.get_child(tag) if inner is None else inner.get_child()
            try:
                chosen = router.choose(value, **_again(router, task, extra))
            except BaseException as error:
                if inner is not None:
                    inner.on_chain_error(error)
                run.on_chain_error(error)
                raise
            if inner is not None:
                inner.on_chain_end(chosen)
            if last:
                _ended(run, result, self.shown(result, "outputs"))
            return chosen

        return choose


class _AsyncNode(_TracedNode):
    def node(self) -> Node:
        plain = self.plain
        graph = plain.source if plain.child is not None else None
        routers = tuple(replace(router, is_async=True) for router in self.routers())
        return replace(
            plain, body=self.body(graph), inject=None, child=None, twin=None, is_async=True, routers=routers
        )  # fmt: skip

    def body(self, graph: Any) -> Callable[[Any], Any]:
        plain = self.plain

        async def run_node(value: Any) -> Any:
            task = current_task.get()
            manager = manager_for(self.config(task), self.tags, asynchronous=True)
            run = await _astarted(manager, value, self.shown(value, "inputs"), plain.name)
            task.callbacks = run.get_child("seq:step:1")
            try:
                _entered(config_of(task))
                tapped = any(hasattr(handler, "tap_output_aiter") for handler in run.handlers)
                result = await self.result(task, value, graph, run, tapped)
                if continues(plain, result):
                    result = await result.ainvoke(value, config_of(task))
                if not plain.routers:
                    await _tap(run, self.told(result))
            except BaseException as error:
                await asyncio.shield(run.on_chain_error(error))
                raise
            up = _upward(result)
            if up is not None:
                await run.on_chain_error(up)
            elif plain.routers:
                task.traced = (run, result)
            else:
                told = self.told(result)
                await _aended(run, told, self.shown(told, "outputs"))
            return result

        return run_node

    async def result(self, task: Task, value: Any, graph: Any, run: Any, tapped: bool) -> Any:
        plain = self.plain
        if graph is not None:
            return await graph.ainvoke(value, config_of(task))
        if self.steps and tapped:
            return await self.streamed(task, value, run)
        if self.steps:
            for number, step in enumerate(self.steps, 1):
                value = await step.ainvoke(value, self.step_config(task, run, number))
            return value
        if plain.body is None:
            return value
        if not self.generates:
            return await self.called(task, value)
        inner = await _own_first(task.callbacks).on_chain_start(None, value, name=plain.name)
        task.callbacks = inner.get_child()
        _entered(config_of(task))
        try:
            result = await self.called(task, value)
            await _tap(inner, result)
        except BaseException as error:
            await asyncio.shield(inner.on_chain_error(error))
            raise
        await inner.on_chain_end(result)
        return result

    async def called(self, task: Task, value: Any) -> Any:
        plain, extra = self.plain, self.extra(task)
        assert plain.body is not None
        if plain.is_async:
            return await plain.body(value, **extra)
        if plain.twin is not None:
            return await plain.twin(value, **extra)
        if plain.inline:
            return plain.body(value, **extra)
        return await _in_thread(plain.body, value, extra)

    async def streamed(self, task: Task, value: Any, run: Any) -> Any:
        """The steps' result, added up of the chunks that event streams show."""
        first, *others = self.steps
        chunks = first.astream(value, self.step_config(task, run, 1))
        for number, step in enumerate(others, 2):
            chunks = step.atransform(chunks, self.step_config(task, run, number))
        result: Any = None
        async for chunk in chunks:
            try:
                result = chunk if result is None else result + chunk
            except TypeError:
                result = chunk
        return result

    def router(self, router: Router, tag: str, last: bool) -> Callable[..., Any]:
        name = _router_name(router)

        async def choose(value: Any, **extra: Any) -> Any:
            task = current_task.get()
            if task.traced is None and self.plain.name == START:
                given = task.scope.inputs
                manager = manager_for(self.config(task), self.tags, asynchronous=True)
                task.traced = (await _astarted(manager, given, given, START), given)
            if task.traced is None:
                return await _chosen(router, value, extra)
            run, result = task.traced
            inner = None if router.twin else await _own_first(run.get_child(tag)).on_chain_start(None, value, name=name)
            task.callbacks = run.get_child(tag) if inner is None else inner.get_child()
            try:
                chosen = await _chosen(router, value, _again(router, task, extra))
            except BaseException as error:
                if inner is not None:
                    await inner.on_chain_error(error)
                await run.on_chain_error(error)
                raise
            if inner is not None:
                await inner.on_chain_end(chosen)
            if last:
                await _tap(run, result)
                await _aended(run, result, self.shown(result, "outputs"))
            return chosen

        return choose


async def _in_thread(body: Callable[..., Any], value: Any, extra: dict[str, Any]) -> Any:
    """Call it where it holds up no loop; functions that it calls run on this one."""
    context = copy_context()
    context.run(around.set, asyncio.get_running_loop())
    return await asyncio.wrap_future(pool.submit(lambda: context.run(body, value, **extra)))


def called(node: Node) -> Node:
    """The node of a function of the functional API, with a run of its own below that of the task that calls it."""
    body: Any = node.body
    shown = _arguments_of(body.calls)

    def run_function(given: Any) -> Any:
        task = current_task.get()
        extra = {} if node.inject is None else node.inject(task)
        run = manager_for(_called_config(task)).on_chain_start(None, shown(given), name=node.name)
        task.callbacks = run.get_child("seq:step:1")
        try:
            _entered(config_of(task))
            result = body(given, **extra)
        except BaseException as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end(result[RETURN])
        return result

    async def await_function(given: Any) -> Any:
        task = current_task.get()
        extra = {} if node.inject is None else node.inject(task)
        manager = manager_for(_called_config(task), asynchronous=True)
        run = await manager.on_chain_start(None, shown(given), name=node.name)
        task.callbacks = run.get_child("seq:step:1")
        try:
            _entered(config_of(task))
            result = await (body(given, **extra) if node.is_async else _in_thread(body, given, extra))
            await _tap(run, result[RETURN])
        except BaseException as error:
            await asyncio.shield(run.on_chain_error(error))
            raise
        await run.on_chain_end(result[RETURN])
        return result

    if node.is_async:
        return replace(node, body=await_function, inject=None)
    return replace(node, body=run_function, twin=await_function, inject=None)


def _called_config(task: Task) -> dict[str, Any]:
    """The config of a called function's own run."""
    assert task.caller is not None
    task.callbacks = task.caller.callbacks.copy()  # it is changed for the run
    return config_of(task)


def _arguments_of(function: Any) -> Callable[[Any], dict[str, Any]]:
    """What makes of (args, kwargs) what tracers show of a call: the arguments by name, with their defaults."""
    signature = inspect.signature(function)
    keywords = [name for name, each in signature.parameters.items() if each.kind is each.VAR_KEYWORD]

    def shown(given: Any) -> dict[str, Any]:
        bound = signature.bind_partial(*given[0], **given[1])
        bound.apply_defaults()
        found = {name: value for name, value in bound.arguments.items() if name not in ("self", "cls")}
        for name in keywords:
            found.update(found.pop(name))
        return found

    return shown


def _again(router: Router, task: Task, extra: dict[str, Any]) -> dict[str, Any]:
    """What a Runnable in a router's place is given: the config of now, below whose run it reports its own."""
    return extra if router.twin is None or router.inject is None else router.inject(task)


async def _chosen(router: Router, value: Any, extra: dict[str, Any]) -> Any:
    if router.twin is not None:
        return await router.twin(value, **extra)
    chosen = router.choose(value, **extra)
    return await chosen if router.is_async else chosen


async def _tap(run: Any, result: Any) -> None:
    """Let event streams show the result as a chunk."""
    for handler in run.handlers:
        if hasattr(handler, "tap_output_aiter"):
            async for _ in handler.tap_output_aiter(run.run_id, _once(result)):
                pass


async def _once(value: Any) -> AsyncIterator[Any]:
    yield value
