"""Random graphs in graphs behave alike on both engines; the seed decides graphs, script, driver and saver."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.differential import random_nested, test_random_channels
from tests.differential.lab import Lab
from tests.differential.test_random_channels import setting

SEEDS, BATCH = 60, 20


def play(lab: Lab, seed: int) -> None:
    random_nested.play(lab, seed)
    lab.finish()


def compare(seed: int, directory: Path) -> str:
    """How the seed's accounts differ; empty when they are equal."""
    return test_random_channels.compare(seed, directory, play)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_random_graphs_in_graphs_behave_alike_on_both_engines(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        assert not (found := compare(seed, directory)), f"seed {seed}, {setting(seed)[1:]}: {found}"
