"""The two engines under one set of names, so that a program is written once and run on both."""

from __future__ import annotations

import asyncio
import functools
import inspect
import operator
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import aiosqlite
from typing_extensions import TypedDict

Calls = Literal["sync", "async", "async nodes"]
Saver = Literal["none", "memory", "sqlite", "async sqlite", "model"]


@dataclass(frozen=True)
class Engine:
    """One library: `words` has its public names, `savers` makes its checkpointers."""

    name: str
    words: Any
    savers: dict[str, Callable[[Path], Any]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.words, name)

    @contextmanager
    def saver(self, kind: Saver, directory: Path) -> Iterator[Any]:
        """A checkpointer for one test, closed at its end."""
        if kind == "none":
            yield None
            return
        made = self.savers[kind](directory)
        try:
            yield made
        finally:
            if hasattr(made, "close"):
                made.close()


class Words:
    """Names looked up in several modules, in order."""

    def __init__(self, *modules: Any) -> None:
        self._modules = modules

    def __getattr__(self, name: str) -> Any:
        for module in self._modules:
            found = getattr(module, name, None)
            if found is not None:
                return found
        raise AttributeError(name)


def reference() -> Engine:
    """LangGraph, which says what the right answer is."""
    from langgraph import channels, config, errors, func, pregel, runtime, types
    from langgraph import graph as builder
    from langgraph.cache import memory as caches
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import message, ui
    from langgraph.managed import IsLastStep, RemainingSteps
    from langgraph.pregel import _write

    class Managed:
        pass

    Managed.IsLastStep, Managed.RemainingSteps = IsLastStep, RemainingSteps  # type: ignore[attr-defined]  # a bag of names
    words = Words(
        builder, types, channels, errors, config, runtime, func, message, ui, caches, pregel, _write, Managed,
        delta_states(channels.DeltaChannel),
    )  # fmt: skip
    savers = {"memory": lambda _: InMemorySaver(), "sqlite": _reference_sqlite, "async sqlite": AsyncSqlite}
    return Engine("langgraph", words, savers)


class AsyncSqlite:
    """LangGraph's file saver of async programs, which has to be opened on the loop that uses it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "langgraph.db"

    async def opened(self) -> Any:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        return AsyncSqliteSaver(await aiosqlite.connect(self._path))


def _reference_sqlite(path: Path) -> Any:
    """LangGraph's file saver of sync programs."""
    from langgraph.checkpoint.sqlite import SqliteSaver

    class Closing(SqliteSaver):
        def close(self) -> None:
            self.conn.close()

    return Closing(sqlite3.connect(path / "langgraph.db", check_same_thread=False))


def delta_states(channel: Any) -> Any:
    """Schemas whose `log` is one engine's DeltaChannel."""

    def fold(state: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
        return [*state, *(each for write in writes for each in write)]

    def fold_in_place(state: list[Any], writes: Sequence[list[Any]]) -> list[Any]:
        for write in writes:
            state.extend(write)
        return state

    def merge(one: set[str], other: set[str]) -> set[str]:
        return one | other

    class States:
        def delta_state(self, frequency: int, *, inner: bool = False, in_place: bool = False) -> Any:
            made = channel(fold_in_place if in_place else fold, snapshot_frequency=frequency)
            log, count = Annotated[list, made], Annotated[int, operator.add]
            if inner:
                return TypedDict("Inner", {"log": log, "count": count})  # type: ignore[operator]  # a schema of parts
            tags = Annotated[set, merge]
            return TypedDict("State", {"log": log, "count": count, "tags": tags, "x": str})  # type: ignore[operator]  # the same

    return States()


def ours() -> Engine:
    """stepgraph."""
    import stepgraph
    from stepgraph import cache
    from stepgraph.core import channels, errors
    from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer
    from tests.simulation.model import ModelCheckpointer

    savers = {
        "model": lambda _: ModelCheckpointer(),
        "memory": lambda _: MemoryCheckpointer(),
        "sqlite": lambda path: SqliteCheckpointer(str(path / "stepgraph.db")),
    }
    return Engine("stepgraph", Words(stepgraph, errors, cache, channels, delta_states(channels.DeltaChannel)), savers)


def as_async(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function as a coroutine function that gives up control once before it begins."""
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return function(*args, **kwargs)

    return awaited
