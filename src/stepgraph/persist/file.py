"""The SQLite file of a checkpointer: opening, schema, statements, and errors that say what to do.

    log(number, thread, ns)              one row a namespace of a thread
    block(key, base, id, late, data)     consecutive lines of a log; key = log number << 32 | number of the first line
    fork(parent, key)                    where a line of another thread continues from a log

A block's `base` is the number of the nearest mark at or before it, `id` its first checkpoint's, `late` says that it
holds records that name their checkpoint. A mark always begins a block, so one or two range queries read a state.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from stepgraph.core.errors import CheckpointError
from stepgraph.persist.wal import use_wal

APPLICATION: Final = 0x53544750
"""Marks the file as ours: "STGP"."""
SCHEMA: Final = 1
"""Version of the tables; a newer stepgraph may raise it."""
BITS: Final = 32
LAST: Final = (1 << BITS) - 1
BUSY: Final = 5.0
"""Seconds to wait for another process that is writing."""

_TABLES: Final = """
CREATE TABLE log
(number INTEGER PRIMARY KEY AUTOINCREMENT, thread TEXT NOT NULL, ns TEXT NOT NULL, UNIQUE (thread, ns));
CREATE TABLE block (key INTEGER PRIMARY KEY, base INTEGER NOT NULL, id, late INTEGER, data BLOB NOT NULL);
CREATE INDEX late ON block (key) WHERE late;
CREATE TABLE fork (parent INTEGER NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (parent, key)) WITHOUT ROWID;
CREATE TRIGGER orphan BEFORE INSERT ON block WHEN NOT EXISTS (SELECT 1 FROM log WHERE number = NEW.key >> 32)
BEGIN SELECT RAISE(ABORT, 'the thread was deleted'); END;
"""

Row = tuple[int, int, bytes | str | None, int | None, bytes]
"""key, base, id, late, data."""
_MOST: Final = 256
"""Rows a statement: one statement is one trip out of the interpreter lock."""


class File:
    """One connection for all threads, used under `lock`. `path` is `":memory:"` for a file that is none."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        with self.translated("open"):
            self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = _connected(self.path)
        try:
            _prepare(connection, self.path)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """What a query finds."""
        with self.lock:
            try:
                return self._used().execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise explained(error, self.path, "read") from error

    def insert(self, rows: Sequence[Row]) -> None:
        """Add blocks, all or none. In one statement where that is possible: one trip out of the interpreter lock."""
        connection = self._used()
        if len(rows) <= _MOST:
            if rows:
                connection.execute(_insertion(len(rows)), [value for row in rows for value in row])
        elif connection.in_transaction:
            for place in range(0, len(rows), _MOST):
                self.insert(rows[place : place + _MOST])
        else:
            with self.transaction():
                self.insert(rows)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        connection = self._used()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _used(self) -> sqlite3.Connection:
        if self._connection is None:
            return self._connect()
        return self._connection

    @contextmanager
    def translated(self, doing: str) -> Iterator[None]:
        """SQLite's errors as CheckpointErrors that name the file and the mend."""
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self.path, doing) from error

    def close(self) -> None:
        """Release the file."""
        with self.lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with self.translated("close"):
                    connection.close()

    def forked(self) -> None:
        """In a forked child: leave the parent's connection alone, for closing it would meddle with its locks."""
        self.lock = threading.RLock()
        if self.path != ":memory:" and self._connection is not None:
            _immortal(self._connection)
            self._connection = None


@cache
def _insertion(rows: int) -> str:
    return "INSERT INTO block (key, base, id, late, data) VALUES " + ",".join(["(?,?,?,?,?)"] * rows)


def _immortal(connection: sqlite3.Connection) -> None:
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _connected(path: str) -> sqlite3.Connection:
    if path == ":memory:":
        return _connection(path, uri=False)
    file = Path(path)
    if file.is_dir():
        raise CheckpointError(f"{path!r} is a directory. Name a file in it, e.g. {str(file / 'runs.db')!r}.")
    if not file.parent.is_dir():
        raise CheckpointError(f"Cannot create {path!r}: there is no directory {str(file.parent)!r}. Create it first.")
    if file.exists() and not os.access(file, os.W_OK):
        return _read_only(file)
    return _connection(path, uri=False)


def _read_only(file: Path) -> sqlite3.Connection:
    """A file that may only be read. Where its directory is read-only too, no other process can write it either."""
    mode = "mode=ro" if os.access(file.parent, os.W_OK) else "immutable=1"
    return _connection(f"{file.absolute().as_uri()}?{mode}", uri=True)


def _connection(path: str, *, uri: bool) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=BUSY, isolation_level=None, check_same_thread=False, uri=uri, cached_statements=256
    )


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    """Check that the file is ours, or make it so."""
    connection.execute("BEGIN")  # what the check reads is of one moment: another process may be making the tables
    try:
        version = _checked(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")
    if version == SCHEMA and _is_read_only(connection):
        return
    use_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA journal_size_limit=16777216")
    if version == 0:
        connection.execute("BEGIN IMMEDIATE")
        if _checked(connection, path) == 0:  # still: another process may have been faster
            for statement in _statements():
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute("COMMIT")


def _statements() -> list[str]:
    table, block, late, fork, trigger = _TABLES.strip().split(";\n", 4)
    return [table, block, late, fork, trigger]


def _checked(connection: sqlite3.Connection, path: str) -> int:
    """The version of the tables, 0 in an empty file. Raises CheckpointError for a file that is not ours or too new."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == APPLICATION:
        if version > SCHEMA:
            raise CheckpointError(
                f"{path!r} was written by a newer stepgraph (tables of version {version}; this one knows {SCHEMA}). "
                "Upgrade stepgraph, or use another file."
            )
        return version
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 5")]
    if tables or application:
        raise CheckpointError(
            f"{path!r} is a database of another program (tables: {', '.join(tables)}). "
            "Use a file of its own for checkpoints."
        )
    return 0


def _is_read_only(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_READONLY"):
            return True
        raise
    return False


_MENDS: Final = {
    "SQLITE_FULL": "The disk is full. Free some space: what is not written yet is kept and tried again.",
    "SQLITE_READONLY": "The file is read-only. Make it writable, or copy it.",
    "SQLITE_CANTOPEN": "The file cannot be opened. Check its path and permissions.",
    "SQLITE_NOTADB": "It is not a database. Choose another file, or delete this one if nothing in it is needed.",
    "SQLITE_CORRUPT": "The file is damaged. Restore a backup, or rescue what is left with `sqlite3 FILE .recover`.",
    "SQLITE_BUSY": f"Another process has been writing for {BUSY:.0f} seconds. End it, or use one file a process.",
    "SQLITE_IOERR": "The disk failed, or is full. What is not written yet is kept and tried again.",
    "SQLITE_TOOBIG": "A value is larger than SQLite's limit of 1 GB. Store it in a file and its name in the state.",
}


def explained(error: sqlite3.Error, path: str, doing: str) -> CheckpointError:
    """What SQLite says, where, and how to mend it."""
    name = getattr(error, "sqlite_errorname", "") or ""
    mend = next((mend for code, mend in _MENDS.items() if name.startswith(code)), "")
    if not mend and isinstance(error, sqlite3.ProgrammingError):
        mend = "It is closed. Open a new checkpointer."
    return CheckpointError(f"Cannot {doing} {path!r}: {error}. {mend}".rstrip())
