"""The list of programs: each a function of a lab, with what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.differential.lab import Lab


@dataclass(frozen=True)
class Program:
    """`needs_saver`: makes no sense without a checkpointer. `sync_only`: has nodes that must not become async."""

    name: str
    play: Callable[[Lab], None]
    needs_saver: bool = False
    sync_only: bool = False


PROGRAMS: dict[str, Program] = {}


def program(
    play: Callable[[Lab], None] | None = None, *, needs_saver: bool = False, sync_only: bool = False
) -> Callable[..., None]:
    """Register a program under its function's name."""

    def register(play: Callable[[Lab], None]) -> Callable[[Lab], None]:
        name = play.__name__
        assert name not in PROGRAMS, f"two programs are called {name}"
        PROGRAMS[name] = Program(name, play, needs_saver, sync_only)
        return play

    return register(play) if play is not None else register
