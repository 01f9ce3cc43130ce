"""Handlers that hear when a graph pauses and when it goes on, given as other callbacks are: `config["callbacks"]`.

A handler is one of langchain-core's too, where that is installed, so that it may stand among them.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from stepgraph.core import events as ev
from stepgraph.core.engine import Engine
from stepgraph.core.types import Interrupt

if TYPE_CHECKING:
    Handler: Any = object
else:
    try:
        from langchain_core.callbacks import BaseCallbackHandler as Handler
    except ImportError:  # then no other callbacks are there
        Handler = object

logger = logging.getLogger("stepgraph")
GraphLifecycleStatus = Literal["input", "pending", "done", "interrupt_before", "interrupt_after", "out_of_steps"]


@dataclass(frozen=True)
class GraphInterruptEvent:
    """A graph has paused: node code asked somebody, or a breakpoint was met."""

    run_id: UUID | None
    """The run of the graph, as other callbacks know it."""
    status: GraphLifecycleStatus
    """Either "interrupt_before" or "interrupt_after" at a breakpoint; "pending" when node code asks."""
    checkpoint_id: str
    """The checkpoint from which the run can go on; empty without a checkpointer."""
    checkpoint_ns: tuple[str, ...]
    """Empty for the outermost graph."""
    interrupts: tuple[Interrupt, ...]
    """What was asked; nothing at a breakpoint."""


@dataclass(frozen=True)
class GraphResumeEvent:
    """A graph, or a graph inside it, goes on from a checkpoint."""

    run_id: UUID | None
    """The run of the graph, as other callbacks know it."""
    status: GraphLifecycleStatus
    """Always "pending"."""
    checkpoint_id: str
    """The checkpoint that it goes on from."""
    checkpoint_ns: tuple[str, ...]
    """Which graph it is: empty for the outermost one."""


GraphLifecycleEvent = GraphInterruptEvent | GraphResumeEvent


class GraphCallbackHandler(Handler):  # type: ignore[misc]  # langchain-core's class, where it is installed
    """Derive from it, and give an instance in `config["callbacks"]`.

    The methods are called in the thread that drives the run, so they should be short; they may be coroutine functions.
    """

    def on_interrupt(self, event: GraphInterruptEvent) -> Any:
        """The outermost graph has paused. Of pauses in subgraphs it hears when they have reached the outermost one."""

    def on_resume(self, event: GraphResumeEvent) -> Any:
        """A graph goes on."""


class Lifecycle:
    """Tells handlers of one graph's run, from its events. Made only where there are handlers."""

    def __init__(self, handlers: list[GraphCallbackHandler], engine: Engine, run: Any) -> None:
        self.handlers = handlers
        self.ns = engine.scope.ns
        self.outermost = engine.request.parent is None
        self.alone = run is None
        """Whether nobody else tells of graphs inside this one: where runs are reported, each has its own teller."""
        self.run_id = getattr(run, "run_id", None)
        self.checkpoints: dict[tuple[str, ...], str] = {}
        self.begun: list[Any] = []
        """asyncio's tasks of handlers that are coroutine functions."""

    def __call__(self, event: ev.Event) -> None:
        ns = event.ns
        if ns != self.ns and not self.alone:
            return
        match event:
            case ev.CheckpointLoaded() | ev.CheckpointSaved():
                self.checkpoints[ns] = event.checkpoint
            case ev.StepFinished(source="resume"):
                self._tell("on_resume", GraphResumeEvent(self.run_id, "pending", self.checkpoints.get(ns, ""), ns))
            case ev.RunFinished(status="interrupted") if self.outermost and ns == self.ns:
                status, checkpoint = _STATUSES.get(event.place, "pending"), self.checkpoints.get(ns, "")
                self._tell("on_interrupt", GraphInterruptEvent(self.run_id, status, checkpoint, ns, event.interrupts))

    def _tell(self, name: str, event: GraphLifecycleEvent) -> None:
        for handler in self.handlers:
            try:
                result = getattr(handler, name)(event)
                if inspect.iscoroutine(result):
                    self._begin(result, handler, name)
            except Exception as error:  # noqa: BLE001  a handler's own
                _failed(handler, name, error)

    def _begin(self, coroutine: Coroutine[Any, Any, Any], handler: GraphCallbackHandler, name: str) -> None:
        """Run a handler's coroutine: at once, or beside the run where that has the loop."""
        import asyncio  # takes time to load

        async def guarded() -> None:
            try:
                await coroutine
            except Exception as error:  # noqa: BLE001  a handler's own
                _failed(handler, name, error)

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(guarded())
        else:
            self.begun.append(loop.create_task(guarded()))

    async def ended(self) -> None:
        """Wait for the coroutines that have begun; raises what a handler with `raise_error` raised."""
        while self.begun:
            await self.begun.pop(0)


_STATUSES: dict[str | None, GraphLifecycleStatus] = {"before": "interrupt_before", "after": "interrupt_after"}


def _failed(handler: GraphCallbackHandler, name: str, error: Exception) -> None:
    if getattr(handler, "raise_error", False):
        raise error
    logger.warning("Error in %s.%s callback: %r", type(handler).__name__, name, error, exc_info=error)


def attach(engine: Engine, callbacks: Any) -> Lifecycle | None:
    """Let the graph handlers among `callbacks` (a list, or langchain-core's manager) hear of the engine's run."""
    given: Any = getattr(callbacks, "handlers", callbacks)
    if not isinstance(given, Iterable):
        given = (given,)
    handlers = [each for each in given if isinstance(each, GraphCallbackHandler)]
    if not handlers:
        return None
    told = Lifecycle(handlers, engine, callbacks if hasattr(callbacks, "run_id") else None)
    others = engine.request.emit

    def both(event: ev.Event) -> None:
        told(event)
        if others is not None:
            others(event)

    engine.listen(told if others is None else both)
    return told
