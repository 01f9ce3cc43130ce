"""Where threads are kept: in memory, in an SQLite file, or wherever a registered URL scheme says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepgraph.core.checkpoint import Checkpointer
from stepgraph.core.errors import CheckpointError
from stepgraph.core.registry import checkpointers
from stepgraph.persist.memory import MemoryCheckpointer

if TYPE_CHECKING:
    from stepgraph.persist.sqlite import SqliteCheckpointer

__all__ = ["MemoryCheckpointer", "SqliteCheckpointer", "open_checkpointer"]


def __getattr__(name: str) -> Any:
    if name == "SqliteCheckpointer":  # a program that keeps nothing in files need not load sqlite3
        from stepgraph.persist.sqlite import SqliteCheckpointer

        return SqliteCheckpointer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def open_checkpointer(url: str) -> Checkpointer:
    """The checkpointer of a URL: `memory://`, `sqlite:///runs.db`, `sqlite:////data/runs.db`, `sqlite://:memory:`."""
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in checkpointers:
        known = ", ".join(f"{name}://" for name in checkpointers)
        raise CheckpointError(
            f"Checkpointer URL {url!r}: unknown scheme. Known: {known}. Example: 'sqlite:///runs.db'."
        )
    opened: Checkpointer = checkpointers.load(scheme)(url)
    return opened
