"""A store in one SQLite file, whose items may be forgotten after a time."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import RLock
from time import time
from typing import TYPE_CHECKING

from stepgraph.persist.wal import use_wal
from stepgraph.store.base import IndexConfig, Item, Namespace, PutOp, TTLConfig, check_labels
from stepgraph.store.batches import Row, RowStore
from stepgraph.store.meaning import Vector

if TYPE_CHECKING:
    from stepgraph.store.sweeping import Sweeper

_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    ttl REAL,
    expires REAL,
    PRIMARY KEY (namespace, key)
);
CREATE TABLE IF NOT EXISTS vectors (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (namespace, key, path)
);
"""
_LIVE = "(expires IS NULL OR expires > ?)"


class SqliteStore(RowStore):
    """Keeps items in the file at `path`; values must be JSON. Any thread may use it; close it at the end.

    `ttl` says after how many minutes items are forgotten, and whether reading one begins them anew. An item that is
    over its time is never shown; `sweep_ttl` takes such ones out of the file.
    """

    supports_ttl = True

    def __init__(self, path: str, *, index: IndexConfig | None = None, ttl: TTLConfig | None = None) -> None:
        super().__init__(index=index)
        self.ttl_config = ttl
        self._sweeper: Sweeper | None = None
        self._lock = RLock()
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        use_wal(self._file)
        self._file.executescript(_SCHEMA)

    def close(self) -> None:
        """Release the file, and end the thread that sweeps it. Idempotent."""
        self._stop_sweeping()
        with self._lock:
            self._file.close()

    def setup(self) -> None:
        """Nothing to do: the file is ready when the store is made."""

    def sweep_ttl(self) -> int:
        """Take what is over its time out of the file; how many items that were."""
        return self._swept()

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> Future[None]:
        """Sweep now and then in a thread; the future is done when that has ended, and cancelling it ends it.

        Every 5 minutes, if neither the call nor the store's `ttl` says otherwise. Without `ttl` there is no thread.
        """
        if not self.ttl_config:
            nothing: Future[None] = Future()
            nothing.set_result(None)
            return nothing
        if self._sweeper is None or not self._sweeper.alive:
            from stepgraph.store.sweeping import MINUTES, Sweeper

            minutes = sweep_interval_minutes or self.ttl_config.get("sweep_interval_minutes") or MINUTES
            self._sweeper = Sweeper(self._swept, minutes)
            return self._sweeper.ended
        running, other = self._sweeper, Future[None]()
        other.add_done_callback(lambda _: running.stop(0))
        return other

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End the thread that sweeps; whether there is none any more within `timeout` seconds."""
        return self._stop_sweeping(timeout)

    def _stop_sweeping(self, timeout: float | None = None) -> bool:
        return self._sweeper is None or self._sweeper.stop(timeout)

    def _swept(self) -> int:
        with self._lock:
            gone = "SELECT namespace, key FROM items WHERE expires <= ?"
            now = time()
            self._file.execute("BEGIN IMMEDIATE")
            self._file.execute(f"DELETE FROM vectors WHERE (namespace, key) IN ({gone})", (now,))
            swept = self._file.execute("DELETE FROM items WHERE expires <= ?", (now,)).rowcount
            self._file.execute("COMMIT")
        return swept

    def _read(self, namespace: Namespace, key: str, refresh: bool) -> Item | None:
        with self._lock:
            row = self._file.execute(
                f"SELECT namespace, key, value, created, updated FROM items "
                f"WHERE namespace = ? AND key = ? AND {_LIVE}",
                (_text(namespace), key, time()),
            ).fetchone()
        if row is None:
            return None
        item = _item(row)
        if refresh:
            self._found([item])
        return item

    def _rows(self, prefix: Namespace) -> Iterator[Row]:
        below = "(namespace = ? OR substr(namespace, 1, ?) = ?)" if prefix else "(? IS NOT NULL OR ? = ?)"
        start = _text(prefix) + "."
        where = (_text(prefix), len(start), start)
        with self._lock:
            rows = self._file.execute(
                f"SELECT namespace, key, value, created, updated FROM items WHERE {below} AND {_LIVE} "
                # LangGraph's order, whose times are whole seconds: those written last come first.
                f"ORDER BY CAST(updated AS INTEGER) DESC, {'namespace, ' if prefix else ''}rowid",
                (*where, time()),
            ).fetchall()
            kept = self._file.execute(f"SELECT namespace, key, path, vector FROM vectors WHERE {below}", where)
            vectors: dict[tuple[str, str], dict[str, Vector]] = {}
            for namespace, key, path, vector in kept:
                vectors.setdefault((namespace, key), {})[path] = array("f", vector)
        return iter([Row(_item(row), vectors.get((row[0], row[1]), {})) for row in rows])

    def _spaces(self) -> list[Namespace]:
        with self._lock:
            found = self._file.execute(f"SELECT DISTINCT namespace FROM items WHERE {_LIVE}", (time(),)).fetchall()
        return [tuple(text.split(".")) for (text,) in found]

    def _found(self, items: Iterable[Item]) -> None:
        with self._lock:
            self._file.executemany(
                "UPDATE items SET expires = ? + ttl * 60 WHERE namespace = ? AND key = ? AND ttl IS NOT NULL",
                [(time(), _text(item.namespace), item.key) for item in items],
            )

    def _write(self, puts: list[tuple[PutOp, dict[str, Vector]]]) -> None:
        with self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                for op, vectors in puts:
                    self._write_one(op, vectors)
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")

    def _write_one(self, op: PutOp, vectors: dict[str, Vector]) -> None:
        place = (_text(op.namespace), op.key)
        self._file.execute("DELETE FROM vectors WHERE namespace = ? AND key = ?", place)
        if op.value is None:
            self._file.execute("DELETE FROM items WHERE namespace = ? AND key = ?", place)
            return
        now = time()
        expires = None if op.ttl is None else now + op.ttl * 60
        self._file.execute(
            "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (namespace, key) DO UPDATE SET "
            "rowid = (SELECT max(rowid) + 1 FROM items), value = excluded.value, "
            "updated = excluded.updated, ttl = excluded.ttl, expires = excluded.expires, "
            "created = CASE WHEN items.expires <= excluded.updated THEN excluded.created ELSE items.created END",
            (*place, json.dumps(op.value), now, now, op.ttl, expires),
        )
        self._file.executemany(
            "INSERT INTO vectors VALUES (?, ?, ?, ?)",
            [(*place, path, array("f", vector).tobytes()) for path, vector in vectors.items()],
        )


def _text(namespace: Namespace) -> str:
    """A namespace as the file has it; labels have no periods."""
    check_labels(namespace)
    return ".".join(namespace)


def _item(row: tuple[str, str, str, float, float]) -> Item:
    namespace, key, value, created, updated = row
    return Item(
        value=json.loads(value),
        key=key,
        namespace=tuple(namespace.split(".")),
        created_at=datetime.fromtimestamp(created, UTC),
        updated_at=datetime.fromtimestamp(updated, UTC),
    )


def from_url(url: str) -> SqliteStore:
    """The store of `sqlite:///memories.db`, `sqlite:////data/memories.db` or `sqlite://:memory:`."""
    rest = url.partition("://")[2]
    return SqliteStore(rest.removeprefix("/") if rest.startswith("/") else rest)
