"""The suite that LangGraph publishes for checkpointers, on ours: every capability it knows, the optional ones too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import Capability

from stepgraph.compat import as_langgraph_saver
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer


def in_memory(_folder: Path) -> MemoryCheckpointer:
    return MemoryCheckpointer()


def in_a_file(folder: Path) -> SqliteCheckpointer:
    return SqliteCheckpointer(folder / "runs.db")


@pytest.mark.parametrize("capability", [each.value for each in Capability])
@pytest.mark.parametrize("make", [in_memory, in_a_file])
def test_ours_has_the_capability(make: Callable[[Path], Any], capability: str, tmp_path: Path) -> None:
    @checkpointer_test(name="ours")
    async def ours() -> AsyncGenerator[Any, None]:
        checkpointer = make(tmp_path)
        yield as_langgraph_saver(checkpointer)
        checkpointer.close()

    report = asyncio.run(validate(ours, capabilities={capability}))
    result = report.results[capability]
    assert result.failures == []
    assert result.tests_passed > 4
