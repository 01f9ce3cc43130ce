"""A checkpointer by its URL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stepgraph.core import registry
from stepgraph.core.errors import CheckpointError
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer, open_checkpointer


def test_memory() -> None:
    assert isinstance(open_checkpointer("memory://"), MemoryCheckpointer)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///runs.db", lambda here: "runs.db"),
        ("sqlite:///two%20words.db", lambda here: "two words.db"),
        ("sqlite:////{here}/runs.db", lambda here: f"{here}/runs.db"),
        ("sqlite://:memory:", lambda here: ":memory:"),
        ("sqlite:///:memory:", lambda here: ":memory:"),
    ],
)
def test_sqlite(url: str, path: Callable[[Path], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    opened = open_checkpointer(url.replace("{here}", str(tmp_path).lstrip("/")))
    assert isinstance(opened, SqliteCheckpointer)
    assert opened.path == path(tmp_path)
    assert opened.path == ":memory:" or (tmp_path / opened.path).exists()
    opened.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mongo://x", "unknown scheme. Known: memory://, sqlite://. Example: 'sqlite:///runs.db'"),
        ("runs.db", "unknown scheme. Known: memory://, sqlite://"),
        ("sqlite://runs.db", "name a file after three slashes, e.g. 'sqlite:///runs.db'"),
        ("sqlite:///", "name a file after three slashes"),
        ("memory://x", "memory has no name or path. Write 'memory://'."),
    ],
)
def test_a_wrong_url_is_told_how_to_write_it(url: str, words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        open_checkpointer(url)
    assert words in str(caught.value)
    assert repr(url) in str(caught.value)


def test_another_scheme_can_be_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.checkpointers, "_rows", dict(registry.checkpointers._rows))
    registry.checkpointers.register("mine", lambda url: url.upper())
    assert open_checkpointer("mine://x") == "MINE://X"


def test_sqlite3_is_loaded_on_use_only() -> None:
    code = "import sys, stepgraph.persist as p; assert 'sqlite3' not in sys.modules; p.SqliteCheckpointer(':memory:')"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_checkpointer_closes_at_the_end_of_a_with_block(tmp_path: Path) -> None:
    with SqliteCheckpointer(tmp_path / "a.db") as opened:
        assert opened.load("t", "") is None
    with pytest.raises(CheckpointError, match="is closed"):
        opened.load("t", "")


def test_a_module_without_the_name() -> None:
    import stepgraph.persist

    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = stepgraph.persist.Nothing
