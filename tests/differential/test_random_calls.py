"""Random calls on one thread behave alike on both engines; the seed decides graph, calls, driver and saver."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.differential import random_calls
from tests.differential.engines import Calls, Engine, Saver, ours, reference
from tests.differential.lab import lab
from tests.differential.test_programs import difference

SEEDS, BATCH = 60, 10
REFERENCE, OURS = reference(), ours()
ON_THEIRS = Engine(OURS.name, OURS.words, REFERENCE.savers)
SETTINGS: tuple[tuple[Engine, Saver], ...] = (
    (OURS, "model"), (OURS, "memory"), (OURS, "sqlite"), (ON_THEIRS, "memory"), (ON_THEIRS, "sqlite")
)  # fmt: skip


def setting(seed: int) -> tuple[Engine, Saver, Calls, bool]:
    """Our engine with its own checkpointers or LangGraph's, the driver, and whether nobody listens."""
    rng = Random(-seed - 1)
    engine, saver = rng.choice(SETTINGS)
    calls: Calls = rng.choice(("sync", "sync", "async", "async nodes"))
    if engine is ON_THEIRS and saver == "sqlite" and calls != "sync":
        # which an async node that calls a graph without awaiting it may not use
        saver = "async sqlite" if calls == "async" else "memory"
    return engine, saver, calls, rng.random() < 0.3


def play(engine: Engine, seed: int, saver: Saver, directory: Path) -> list[tuple[str, Any]]:
    """What the seed's script saw on an engine."""
    _, _, calls, quiet = setting(seed)
    with lab(engine, calls, saver, directory, quiet=quiet) as opened:
        random_calls.play(opened, seed)
        return opened.record


def compare(seed: int, directory: Path) -> str:
    """How the seed's accounts differ; empty when they are equal."""
    engine, saver, _, _ = setting(seed)
    got = play(engine, seed, saver, directory)
    found = ""
    for _ in range(3):  # as `asked` does, and for its reason
        want = play(REFERENCE, seed, "memory", directory)
        if not (found := unlike(want, got)):
            break
    return found


def unlike(want: list[tuple[str, Any]], got: list[tuple[str, Any]]) -> str:
    """How two accounts differ, up to an edit that only LangGraph calls ambiguous: DEVIATIONS["ambiguous alone"]."""
    refused = ("update", ("raised", "InvalidUpdateError", True))
    pairs = zip(want, got, strict=False)
    same = len(list(takewhile(lambda pair: pair[0] == pair[1] or pair[0] != refused or pair[1][0] != "update", pairs)))
    if same < min(len(want), len(got)):
        want, got = want[:same], got[:same]
    return difference(want, got)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_random_calls_on_a_thread_behave_alike_on_both_engines(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        assert not (found := compare(seed, directory)), f"seed {seed}, {setting(seed)[1:]}: {found}"


@pytest.mark.parametrize("seed", [3036])  # an answer that nobody asked for, before a Command that goes on
def test_calls_that_once_differed_behave_alike(seed: int, tmp_path: Path) -> None:
    assert not (found := compare(seed, tmp_path)), f"seed {seed}, {setting(seed)[1:]}: {found}"
