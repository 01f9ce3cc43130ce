"""The beginning and the end of a node's run, as callbacks are told of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import copy
from typing import Any

from langchain_core.runnables.config import _set_config_context


def enter(config: dict[str, Any]) -> None:
    """Let langsmith's own decorators in node code find the run that they are in."""
    _set_config_context(config)  # type: ignore[arg-type]  # a RunnableConfig


def own_first(manager: Any) -> Any:
    """The manager with the run's own tag before those that it inherits, as a Runnable's run has them."""
    manager.tags.sort(key=manager.inheritable_tags.__contains__)
    return manager


def start(manager: Any, value: Any, shown: Any, name: str) -> Any:
    """The beginning of a node's run, which tracers record as `shown`."""
    if shown is value:
        return manager.on_chain_start(None, value, name=name)
    real, tracers = _parts(manager)
    run = real.on_chain_start(None, value, name=name)
    tracers.on_chain_start(None, shown, name=name, run_id=run.run_id)
    run.handlers = manager.handlers
    return run


async def astart(manager: Any, value: Any, shown: Any, name: str) -> Any:
    """As `start`, of an async run."""
    if shown is value:
        return await manager.on_chain_start(None, value, name=name)
    real, tracers = _parts(manager)
    run = await real.on_chain_start(None, value, name=name)
    await tracers.on_chain_start(None, shown, name=name, run_id=run.run_id)
    run.handlers = manager.handlers
    return run


def end(run: Any, result: Any, shown: Any) -> None:
    """The end of a node's run, which tracers record as `shown`."""
    if shown is result:
        run.on_chain_end(result)
        return
    real, tracers = _parts(run)
    tracers.on_chain_end(shown)
    real.on_chain_end(result)


async def aend(run: Any, result: Any, shown: Any) -> None:
    """As `end`, of an async run."""
    if shown is result:
        await run.on_chain_end(result)
        return
    real, tracers = _parts(run)
    await tracers.on_chain_end(shown)
    await real.on_chain_end(result)


def feeds_events(handler: Any) -> bool:
    """Whether `astream_events` or `astream_log` reads it, by its class: a proxy has something under any name."""
    return hasattr(type(handler), "tap_output_aiter")


async def tap(run: Any, result: Any) -> None:
    """Let event streams show the result as a chunk."""
    for handler in run.handlers:
        if feeds_events(handler):
            async for _ in handler.tap_output_aiter(run.run_id, _once(result)):
                pass


async def _once(value: Any) -> AsyncIterator[Any]:
    yield value


def _parts(manager: Any) -> tuple[Any, Any]:
    """A manager of those who get the real values, and one of the tracers."""
    from langchain_core.tracers.base import BaseTracer

    real, tracers = copy(manager), copy(manager)
    # What feeds `astream_events` and `astream_log` is a tracer too, whose values the caller sees.
    tracers.handlers = [each for each in manager.handlers if isinstance(each, BaseTracer) and not feeds_events(each)]
    real.handlers = [each for each in manager.handlers if each not in tracers.handlers]
    return real, tracers
