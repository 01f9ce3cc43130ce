"""The checkpointers that people use, in a world whose processes die."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer


class LastingMemory(MemoryCheckpointer):
    """The driver dies, the process does not: whatever was handed over is there."""

    def crash(self) -> None:
        """Nothing is lost."""


class MortalSqlite:
    """The SQLite checkpointer of a process that is killed: the next one finds what was committed until then.

    Stands for the living one: whatever is asked of it is asked of that.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lives = 0
        self._living = self._open()

    def _open(self) -> SqliteCheckpointer:
        return SqliteCheckpointer(self._folder / f"{self._lives}.db")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._living, name)

    def crash(self) -> None:
        """Leave the file as it is in this moment to the next life."""
        dead = self._living
        files = [f"{self._lives}.db", f"{self._lives}.db-wal"]
        self._lives += 1
        with closing(sqlite3.connect(self._folder / files[0])) as guard:
            guard.execute("BEGIN IMMEDIATE")  # nobody is amid a commit
            for name in files:
                found = self._folder / name
                if found.exists():
                    found.with_name(name.replace(f"{self._lives - 1}.db", f"{self._lives}.db")).write_bytes(
                        found.read_bytes()
                    )
        self._living = self._open()
        dead.close()

    def close(self) -> None:
        """Close the living one."""
        self._living.close()
