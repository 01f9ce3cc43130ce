"""Both engines at once on one saver: each call of a program goes to the one or the other, and nobody may notice.

A program builds its graph with words that stand for either engine's: builders make two graphs, all else is looked up
in the engine whose turn it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.compat.engines import ours_on_theirs
from tests.differential.engines import Calls, Engine, Saver, reference
from tests.differential.lab import Lab

ENGINES = (reference(), ours_on_theirs())
Order = Callable[[int], int]
"""Which engine (0: LangGraph, 1: ours) performs the n-th call."""


class Both:
    """The words of the engine whose turn it is."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.calls = 0
        self.turn = order(0)

    @property
    def name(self) -> str:
        return ENGINES[self.turn].name

    def StateGraph(self, *args: Any, **kwargs: Any) -> Builders:  # noqa: N802  the engines' name
        made = [
            engine.StateGraph(*(_part(each, which) for each in args), **_parts(kwargs, which))
            for which, engine in enumerate(ENGINES)
        ]
        return Builders(self, made)

    @property
    def entrypoint(self) -> Any:
        return Entrypoints(self)

    def task(self, function: Any = None, **options: Any) -> Any:
        if function is None:
            return lambda given: self.task(given, **options)
        return Graphs(self, [engine.task(function, **_parts(options, which)) for which, engine in enumerate(ENGINES)])

    def __getattr__(self, name: str) -> Any:
        if name in MADE:
            return lambda *args, **kwargs: Graphs(self, [getattr(each, name)(*args, **kwargs) for each in ENGINES])
        return getattr(ENGINES[self.turn], name)

    def next(self) -> None:
        """The call is over: the next engine's turn."""
        self.calls += 1
        self.turn = self.order(self.calls)


class Builders:
    """Two builders that are told the same."""

    def __init__(self, both: Both, made: list[Any]) -> None:
        self._both = both
        self._made = made

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            found = [
                getattr(made, name)(*(_part(each, which) for each in args), **_parts(kwargs, which))
                for which, made in enumerate(self._made)
            ]
            return Graphs(self._both, found) if name == "compile" else self

        return call


class Entrypoints:
    """Both engines' decorator."""

    def __init__(self, both: Both) -> None:
        self._both = both

    def __call__(self, **options: Any) -> Callable[[Any], Graphs]:
        made = [engine.entrypoint(**_parts(options, which)) for which, engine in enumerate(ENGINES)]
        return lambda function: Graphs(self._both, [each(function) for each in made])

    @property
    def final(self) -> Any:
        return ENGINES[self._both.turn].entrypoint.final


MADE = frozenset({"RetryPolicy", "TimeoutPolicy", "delta_state"})
"""What each engine makes an object of its own of."""


class Graphs:
    """Two compiled graphs, tasks or policies, of which one is asked."""

    def __init__(self, both: Both, made: list[Any]) -> None:
        self._both = both
        self.made = made

    def __getattr__(self, name: str) -> Any:
        return getattr(self.made[self._both.turn], name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.made[self._both.turn](*args, **kwargs)


def _part(given: Any, which: int) -> Any:
    if isinstance(given, (list, tuple)):
        return type(given)(_part(each, which) for each in given)
    return given.made[which] if isinstance(given, Graphs) else given


def _parts(options: dict[str, Any], which: int) -> dict[str, Any]:
    return {name: _part(each, which) for name, each in options.items()}


class PairLab(Lab):
    """A lab in which every call changes hands."""

    engine: Both  # type: ignore[assignment]  # it stands for an Engine

    _file: Any = None

    def open_file(self, path: Path) -> None:
        """Keep threads with LangGraph's async saver."""
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        self._file = AsyncSqliteSaver.from_conn_string(str(path))
        self.checkpointer = self.wait(self._file.__aenter__())

    def close(self) -> None:
        if self._file is not None:
            self.wait(self._file.__aexit__(None, None, None))
        super().close()

    def _drain(self, *args: Any) -> Any:
        try:
            return super()._drain(*args)
        finally:
            self.engine.next()

    def _result(self, *args: Any) -> Any:
        try:
            return super()._result(*args)
        finally:
            self.engine.next()

    def _call(self, *args: Any, **options: Any) -> Any:
        try:
            return super()._call(*args, **options)
        finally:
            self.engine.next()

    def states(self, *args: Any, **options: Any) -> Any:
        try:
            return super().states(*args, **options)
        finally:
            self.engine.next()


@contextmanager
def pair_lab(order: Order, calls: Calls, saver: Saver, directory: Path, *, quiet: bool = True) -> Iterator[PairLab]:
    """A lab that is closed afterwards. Async calls with a file have LangGraph's async saver, on the lab's loop."""
    awaited = saver == "sqlite" and calls != "sync"
    with ENGINES[0].saver("none" if awaited else saver, directory) as made:
        opened = PairLab(Both(order), calls, made, quiet=quiet)  # type: ignore[arg-type]  # it stands for an Engine
        try:
            if awaited:
                opened.open_file(directory / "langgraph.db")
            yield opened
        finally:
            opened.close()


__all__ = ["ENGINES", "Engine", "Order", "PairLab", "pair_lab"]
