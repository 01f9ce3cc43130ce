"""Random graphs of channels behave alike on both engines; the seed decides graph, calls, driver and saver."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from tests.differential import random_channels
from tests.differential.engines import Calls, Engine, Saver, ours, reference
from tests.differential.lab import Lab, lab
from tests.differential.test_programs import difference, differs

SEEDS, BATCH = 80, 20
REFERENCE, OURS = reference(), ours()
ON_THEIRS = Engine(OURS.name, OURS.words, REFERENCE.savers)
SETTINGS: tuple[tuple[Engine, Saver], ...] = (
    (OURS, "none"), (OURS, "model"), (OURS, "memory"), (OURS, "sqlite"), (ON_THEIRS, "memory"), (ON_THEIRS, "sqlite")
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


Play = Callable[[Lab, int], None]


def account(play: Play, engine: Engine, seed: int, saver: Saver, directory: Path) -> list[tuple[str, Any]]:
    """What the seed's script saw on an engine."""
    _, _, calls, quiet = setting(seed)
    with lab(engine, calls, saver, directory, quiet=quiet) as opened:
        opened.durability = Random(seed + 50_000).choice((None, "sync", "async"))
        play(opened, seed)
        return opened.record


def compare(seed: int, directory: Path, play: Play = random_channels.play) -> str:
    """How the seed's accounts differ; empty when they are equal."""
    engine, saver, _, _ = setting(seed)
    got = account(play, engine, seed, saver, directory)
    kind: Saver = "memory" if saver != "none" else "none"
    return differs((account(play, REFERENCE, seed, kind, directory) for _ in range(3)), got)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_random_graphs_of_channels_behave_alike_on_both_engines(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + BATCH):
        directory = tmp_path / str(seed)
        directory.mkdir()
        assert not (found := compare(seed, directory)), f"seed {seed}, {setting(seed)[1:]}: {found}"


def edits(lab: Lab) -> None:
    """Edits and copies of a state with keys that end with their superstep, and a Command as input."""

    keys = {
        "log": Annotated[list, operator.add],
        "flash": Annotated[str, lab.EphemeralValue(str)],
        "said": Annotated[list, lab.Topic(str)],
    }
    g = lab.graph(TypedDict("Brief", keys))  # type: ignore[misc]  # keys of one engine's own channels
    g.add_node("a", lambda s: {"log": [sorted(s)], "flash": "a", "said": "a"})
    g.add_node("b", lambda s: {"log": [sorted(s)]})
    g.add_node("c", lambda s: {"log": [sorted(s)], "said": ["c", "d"]})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_edge("b", "c")
    lab.compile(g, interrupt_before=["b"])
    lab.run({"log": []})
    lab.run(lab.Command(update={"log": ["told"]}))
    lab.run({"log": []})
    lab.update({"log": ["edited"]}, "a")
    lab.update({"log": ["edited"], "flash": "edited"}, "b")
    lab.update(None, "__copy__")
    lab.run(None)
    lab.update(None, "__copy__")
    lab.run(None)
    lab.history()


@pytest.mark.parametrize("saver", ["model", "memory", "sqlite"])
def test_an_edit_and_a_copy_leave_out_keys_that_end_with_their_superstep(saver: Saver, tmp_path: Path) -> None:
    accounts = []
    for engine, kind in ((REFERENCE, "memory"), (OURS, saver)):
        with lab(engine, "sync", kind, tmp_path) as opened:  # type: ignore[arg-type]  # kinds of savers
            edits(opened)
            accounts.append(opened.record)
    assert not (found := difference(*accounts)), found


def test_two_nodes_that_read_one_channel_each_get_their_own_form() -> None:
    """DEVIATIONS["one input for two nodes"]."""
    seen: list[Any] = []
    bare = OURS.NodeBuilder().subscribe_only("a").do(seen.append).write_to("b")
    named = OURS.NodeBuilder().subscribe_to("a").do(seen.append).write_to("b")
    channels = {"a": OURS.LastValue(int), "b": OURS.AnyValue(int)}
    OURS.Pregel(nodes={"one": bare, "two": named}, channels=channels, input_channels="a", output_channels="b").invoke(1)
    assert seen == [1, {"a": 1}]
