"""Random entrypoints give the same account on both engines; the seed decides tasks, body, script, driver and saver."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.differential import random_functions
from tests.differential.engines import Engine, Saver, ours, reference
from tests.differential.lab import lab
from tests.differential.test_programs import differs
from tests.differential.test_random import setting

SEEDS, BATCH = 100, 20
REFERENCE, OURS = reference(), ours()


def play(engine: Engine, seed: int, saver: Saver, directory: Path) -> list[tuple[str, Any]]:
    """What the seed's program looked like on an engine."""
    calls, _, quiet = setting(seed)
    with lab(engine, calls, saver, directory, quiet=quiet) as opened:
        random_functions.play(opened, seed)
        opened.finish()
        return opened.record


def compare(seed: int, directory: Path) -> str:
    """How the seed's accounts differ; empty when they are equal."""
    _, saver, _ = setting(seed)
    got = play(OURS, seed, saver, directory)
    kind: Saver = "memory" if saver != "none" else "none"
    return differs((play(REFERENCE, seed, kind, directory) for _ in range(3)), got)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_random_entrypoints_give_the_same_account_on_both_engines(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        assert not (found := compare(seed, directory)), f"seed {seed}, {setting(seed)}: {found}"
