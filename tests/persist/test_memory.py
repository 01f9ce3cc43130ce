"""The memory checkpointer keeps the contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stepgraph.core.checkpoint import Checkpointer
from stepgraph.persist import MemoryCheckpointer
from tests.contract.checkpointer import CheckpointerContract


class TestMemory(CheckpointerContract):
    @pytest.fixture
    def checkpointer(self) -> Checkpointer:
        return MemoryCheckpointer()

    @pytest.fixture
    def fresh(self) -> Callable[[], Checkpointer]:
        return MemoryCheckpointer

    def reopened(self, checkpointer: MemoryCheckpointer) -> MemoryCheckpointer:
        """Without tips, everything is replayed from the lines, as another process would."""
        for log in checkpointer._logs.values():
            log.tip = None
        return checkpointer
