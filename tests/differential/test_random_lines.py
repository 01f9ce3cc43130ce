"""Random lines of nodes behave alike on both engines, chunk by chunk; the seed decides all that there is to decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.differential import random_lines, test_random_channels
from tests.differential.test_random_channels import setting

SEEDS, BATCH = 60, 20


def compare(seed: int, directory: Path) -> str:
    """How the seed's accounts differ; empty when they are equal."""
    return test_random_channels.compare(seed, directory, random_lines.play)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_random_lines_of_nodes_behave_alike_on_both_engines(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        assert not (found := compare(seed, directory)), f"seed {seed}, {setting(seed)[1:]}: {found}"
