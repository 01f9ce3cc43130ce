"""Runs of langchain-core's callbacks for graphs and nodes, as tracers, loggers and `astream_events` know them.

A graph with listeners runs a *traced* twin of its plan, whose bodies and routers report themselves; without listeners
nothing of this is there.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from langchain_core.runnables import Runnable, RunnableSequence

from stepgraph.core.body import continues
from stepgraph.core.errors import ParentCommand
from stepgraph.core.plan import Node, Plan, Router
from stepgraph.core.task import Task
from stepgraph.core.types import END, PARENT, PREVIOUS, RETURN, START, Command
from stepgraph.graph.actions import is_generator
from stepgraph.graph.functional import final
from stepgraph.integrations.listeners import manager_for
from stepgraph.integrations.reports import aend, astart, end, enter, feeds_events, own_first, start, tap
from stepgraph.run.aio import around
from stepgraph.run.context import config_of, current_task
from stepgraph.run.threads import pool

HIDDEN = "langsmith:hidden"
_OF_ENTRYPOINTS = frozenset((END, PREVIOUS))
"""What the node of an entrypoint writes."""


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
            run = start(manager, value, self.shown(value, "inputs"), plain.name)
            task.callbacks = run.get_child("seq:step:1")
            try:
                enter(config_of(task))
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
                end(run, told, self.shown(told, "outputs"))
            return result

        return run_node

    def called(self, task: Task, value: Any) -> Any:
        assert self.plain.body is not None
        if not self.generates:
            return self.plain.body(value, **self.extra(task))
        inner = own_first(task.callbacks).on_chain_start(None, value, name=self.plain.name)
        task.callbacks = inner.get_child()
        enter(config_of(task))
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
                run = start(manager_for(self.config(task), self.tags), given, given, START)
                task.traced = (run, given)
            if task.traced is None:  # a resumed task: its node's run is over
                return router.choose(value, **extra)
            run, result = task.traced
            inner = None if router.twin else own_first(run.get_child(tag)).on_chain_start(None, value, name=name)
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
                end(run, result, self.shown(result, "outputs"))
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
            run = await astart(manager, value, self.shown(value, "inputs"), plain.name)
            task.callbacks = run.get_child("seq:step:1")
            try:
                enter(config_of(task))
                tapped = any(map(feeds_events, run.handlers))
                result = await self.result(task, value, graph, run, tapped)
                if continues(plain, result):
                    result = await result.ainvoke(value, config_of(task))
                if not plain.routers:
                    await tap(run, self.told(result))
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
                await aend(run, told, self.shown(told, "outputs"))
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
        inner = await own_first(task.callbacks).on_chain_start(None, value, name=plain.name)
        task.callbacks = inner.get_child()
        enter(config_of(task))
        try:
            result = await self.called(task, value)
            await tap(inner, result)
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
                task.traced = (await astart(manager, given, given, START), given)
            if task.traced is None:
                return await _chosen(router, value, extra)
            run, result = task.traced
            inner = None if router.twin else await own_first(run.get_child(tag)).on_chain_start(None, value, name=name)
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
                await tap(run, result)
                await aend(run, result, self.shown(result, "outputs"))
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
            enter(config_of(task))
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
            enter(config_of(task))
            result = await (body(given, **extra) if node.is_async else _in_thread(body, given, extra))
            await tap(run, result[RETURN])
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
