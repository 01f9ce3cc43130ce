"""The SQLite checkpointer keeps the contract, in a file and in memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stepgraph.core.checkpoint import Checkpointer
from stepgraph.persist import SqliteCheckpointer
from tests.contract.checkpointer import CheckpointerContract


class TestFile(CheckpointerContract):
    @pytest.fixture
    def checkpointer(self, tmp_path: Path) -> Iterator[Checkpointer]:
        with_file = SqliteCheckpointer(tmp_path / "runs.db")
        yield with_file
        with_file.close()

    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Callable[[], Checkpointer]:
        number = itertools.count()
        return lambda: SqliteCheckpointer(tmp_path / f"{next(number)}.db")

    def reopened(self, checkpointer: SqliteCheckpointer) -> SqliteCheckpointer:
        checkpointer.close()
        return SqliteCheckpointer(checkpointer.path)


class TestInMemory(CheckpointerContract):
    @pytest.fixture
    def checkpointer(self) -> Iterator[Checkpointer]:
        without_file = SqliteCheckpointer(":memory:")
        yield without_file
        without_file.close()

    @pytest.fixture
    def fresh(self) -> Callable[[], Checkpointer]:
        return lambda: SqliteCheckpointer(":memory:")
