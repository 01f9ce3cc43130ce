"""A cache in one SQLite file, which several processes may share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from time import time
from typing import Any

from stepgraph.cache.base import BaseCache, FullKey, Namespace
from stepgraph.persist.wal import use_wal

_TABLE = """
CREATE TABLE IF NOT EXISTS cache (
    ns TEXT NOT NULL, key TEXT NOT NULL, expiry REAL, encoding TEXT NOT NULL, val BLOB NOT NULL, PRIMARY KEY (ns, key)
) WITHOUT ROWID
"""


class SqliteCache(BaseCache):
    """Keeps encoded values in the file at `path`. `clock` gives seconds since the epoch.

    What is too old is removed when somebody asks for it.
    """

    def __init__(self, *, path: str, serde: Any = None, clock: Callable[[], float] = time) -> None:
        super().__init__(serde=serde)
        self._clock = clock
        self._lock = Lock()
        self._file = sqlite3.connect(path, check_same_thread=False)
        use_wal(self._file)
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.execute("PRAGMA busy_timeout=5000")
        self._file.execute(_TABLE)
        self._file.commit()

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        """The values of those keys that are there and not too old."""
        now = self._clock()
        found: dict[FullKey, Any] = {}
        with self._lock, self._file as file:
            for ns, key in keys:
                row = file.execute(
                    "SELECT expiry, encoding, val FROM cache WHERE ns = ? AND key = ?", (_text(ns), key)
                ).fetchone()
                if row is None:
                    continue
                end, kind, content = row
                if end is not None and now >= end:
                    file.execute("DELETE FROM cache WHERE ns = ? AND key = ?", (_text(ns), key))
                else:
                    found[ns, key] = self._decoded(kind, content)
        return found

    def set(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        """Keep values, each with the seconds it stays, or None for ever."""
        now = self._clock()
        rows = [
            (_text(ns), key, None if ttl is None else now + ttl, *self._encoded(value))
            for (ns, key), (value, ttl) in pairs.items()
        ]
        with self._lock, self._file as file:
            file.executemany(
                "INSERT OR REPLACE INTO cache (ns, key, expiry, encoding, val) VALUES (?, ?, ?, ?, ?)", rows
            )

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget all values of these namespaces, or all there are."""
        with self._lock, self._file as file:
            if namespaces is None:
                file.execute("DELETE FROM cache")
            else:
                file.executemany("DELETE FROM cache WHERE ns = ?", [(_text(ns),) for ns in namespaces])

    def close(self) -> None:
        """Release the file. Idempotent."""
        with self._lock:
            self._file.close()

    def __del__(self) -> None:
        if "_file" in self.__dict__:
            self._file.close()


def _text(ns: Namespace) -> str:
    return ",".join(ns)
