"""Random programs give the same account on both engines; the seed decides graph, script, driver and saver."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.differential import random_programs
from tests.differential.engines import Calls, Engine, Saver, ours, reference
from tests.differential.lab import lab
from tests.differential.test_programs import difference

SEEDS, BATCH = 500, 20
POLICIES = range(1_000, 1_100, BATCH)
REFERENCE, OURS = reference(), ours()


def setting(seed: int) -> tuple[Calls, Saver, bool]:
    """Driver, checkpointer of ours, and whether nobody listens."""
    rng = Random(-seed - 1)
    calls: Calls = rng.choice(("sync", "sync", "async", "async nodes"))
    saver: Saver = rng.choice(("none", "model", "model", "memory", "sqlite"))
    return calls, saver, rng.random() < 0.3


def play(engine: Engine, seed: int, saver: Saver, directory: Path, *, policies: bool = False) -> list[tuple[str, Any]]:
    """What the seed's program looked like on an engine."""
    calls, _, quiet = setting(seed)
    if engine is REFERENCE and random_programs.may_fail(seed):
        calls = "sync"  # see DEVIATIONS["cancelled half-way"]
    with lab(engine, calls, saver, directory, quiet=quiet) as opened:
        random_programs.play(opened, seed, policies=policies)
        opened.finish()
        return opened.record


def compare(seed: int, directory: Path, *, policies: bool = False) -> str:
    """How the seed's accounts differ; empty when they are equal."""
    _, saver, _ = setting(seed)
    got = play(OURS, seed, saver, directory, policies=policies)
    found = ""
    for _ in range(3):  # as `asked` does, and for its reason
        want = play(REFERENCE, seed, "memory" if saver != "none" else "none", directory, policies=policies)
        if not (found := unlike(seed, want, got)):
            break
    return found


def unlike(seed: int, want: list[tuple[str, Any]], got: list[tuple[str, Any]]) -> str:
    """How two accounts differ, up to a superstep in which either of two errors may be the one that is raised."""
    for position, (one, other) in enumerate(zip(want, got, strict=False)):
        if either(one, other) and random_programs.may_fail(seed):
            return difference(want[:position], got[:position])
    return difference(want, got)


def either(one: tuple[str, Any], other: tuple[str, Any]) -> bool:
    """Whether a subgraph and its sibling both failed in a superstep: which error is raised depends on threads.

    That is so within either engine, and what the other of the two had done by then does too.
    """
    raised = [each[1][1] if isinstance(each[1], tuple) else each[1] for each in (one, other)]
    return one[0] == other[0] and raised in (
        ["ConnectionError", "GraphRecursionError"],
        ["GraphRecursionError", "ConnectionError"],
    )


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_random_programs_give_the_same_account_on_both_engines(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        assert not (found := compare(seed, directory)), f"seed {seed}, {setting(seed)}: {found}"


@pytest.mark.parametrize("first", POLICIES)
def test_random_programs_with_policies_give_the_same_account_on_both_engines(first: int, tmp_path: Path) -> None:
    """Retries, error handlers, timeouts and caches."""
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        assert not (found := compare(seed, directory, policies=True)), f"seed {seed}, {setting(seed)}: {found}"
