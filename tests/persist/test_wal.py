"""Several processes open one new SQLite file at the same moment."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stepgraph.persist import wal

OPENERS = {
    "checkpointer": "from stepgraph.persist import SqliteCheckpointer as Kind",
    "store": "from stepgraph.store.sqlite import SqliteStore as Kind",
    "cache": "from stepgraph.cache.sqlite import SqliteCache as Kind",
}
PROCESSES = 6
FILES = 20


@pytest.fixture
def other(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads a file without write-ahead logging, which hinders the switch."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None, check_same_thread=False)) as made:
        made.execute("CREATE TABLE some (x)")
        made.execute("INSERT INTO some VALUES (1)")
        made.execute("BEGIN")
        made.execute("SELECT * FROM some").fetchall()
        yield made


def test_the_switch_waits_for_others(tmp_path: Path, other: sqlite3.Connection) -> None:
    ending = threading.Timer(0.1, other.execute, ["COMMIT"])
    ending.start()
    with closing(sqlite3.connect(tmp_path / "x.db", timeout=0)) as mine:
        wal.use_wal(mine)
        assert mine.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    ending.join()


def test_the_switch_does_not_wait_for_ever(
    tmp_path: Path, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "WITHIN", 0.05)
    with (
        closing(sqlite3.connect(tmp_path / "x.db", timeout=0)) as mine,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        wal.use_wal(mine)


@pytest.mark.parametrize("kind", OPENERS)
def test_processes_open_new_files_together(tmp_path: Path, kind: str) -> None:
    code = f"""
import sys
{OPENERS[kind]}
for line in sys.stdin:
    Kind(path=line.strip())
    print("open", flush=True)
"""
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    said = []
    for n in range(FILES):
        for each in children:
            assert each.stdin is not None
            each.stdin.write(f"{tmp_path / f'{n}.db'}\n")
            each.stdin.flush()
        said.append([each.stdout.readline() for each in children if each.stdout])
    for each in children:
        each.communicate(timeout=60)
    assert said == [["open\n"] * PROCESSES] * FILES
