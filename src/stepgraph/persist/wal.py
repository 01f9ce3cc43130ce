"""The switch of a SQLite file to write-ahead logging, which several processes may make at once."""

from __future__ import annotations

import sqlite3
from time import monotonic, sleep
from typing import Final

WITHIN: Final = 5.0
"""Seconds that other processes get for their switch."""
_PAUSE: Final = 0.005


def use_wal(connection: sqlite3.Connection) -> None:
    """Let readers and a writer of this file not wait for each other.

    SQLite's own waiting does not cover the switch: of processes that open a new file together all but one would fail.
    """
    until = monotonic() + WITHIN
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(_PAUSE)  # nothing announces that another process has let go of the file
        else:
            return
