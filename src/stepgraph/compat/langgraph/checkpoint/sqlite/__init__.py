"""Threads in an SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from stepgraph.persist.sqlite import SqliteCheckpointer

__all__ = ("SqliteSaver",)


class SqliteSaver(SqliteCheckpointer):
    """A checkpointer of this engine under LangGraph's name; it keeps threads in its own format."""

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str) -> Iterator[Self]:
        """The checkpointer of a file, or of `:memory:`, closed at the end of the `with` block."""
        saver = cls(conn_string)
        try:
            yield saver
        finally:
            saver.close()
