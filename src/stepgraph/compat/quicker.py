"""What langgraph-prebuilt does in a slow way, done in a short one that gives the same.

Its tool node makes a pool of threads a call, which costs more than all else that it does. A lone tool needs no second
thread to wait for: it runs here, in a copy of the context as there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextvars import copy_context
from types import ModuleType, TracebackType
from typing import Any

EXECUTOR = "get_executor_for_config"
"""The name by which that module finds what runs its tools, which is langchain-core's."""


def quicken(module: ModuleType) -> None:
    """Let the module of the tool node run lone tools without a pool."""
    theirs = getattr(module, EXECUTOR, None)
    if theirs is not None:
        setattr(module, EXECUTOR, lambda config: Executor(theirs, config))


class Executor:
    """Stands for the pool of a `with` block, and opens one for what it can't do here."""

    __slots__ = ("_config", "_make", "_open", "_pool")

    def __init__(self, make: Callable[[Any], Any], config: Any) -> None:
        self._make, self._config = make, config
        self._open: Any = None
        self._pool: Any = None

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        return None if self._open is None else self._open.__exit__(kind, error, trace)

    def map(self, function: Callable[..., Any], *items: Sequence[Any], **settings: Any) -> Iterator[Any]:
        """What `function` gives for each, in order."""
        if settings or len(items[0]) != 1 or _on_a_loop():
            found: Iterator[Any] = self.threads.map(function, *items, **settings)
            return found
        return _alone(function, [each[0] for each in items])

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """A future of what it gives."""
        return self.threads.submit(function, *args, **named)

    @property
    def threads(self) -> Any:
        """The pool."""
        if self._open is None:
            self._open = self._make(self._config)
            self._pool = self._open.__enter__()
        return self._pool


def _alone(function: Callable[..., Any], args: Sequence[Any]) -> Iterator[Any]:
    yield copy_context().run(function, *args)


def _on_a_loop() -> bool:
    """Whether this thread runs an event loop: a tool may run one of its own, which only another thread lets it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
