"""Programs half on one engine, half on the other, over one saver of LangGraph's: the account is that of one engine."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.compat.pair import Order, pair_lab
from tests.compat.test_savers_programs import REFERENCE, expected
from tests.differential import programs_functional, programs_nested, programs_people, random_programs
from tests.differential.engines import Calls
from tests.differential.lab import lab
from tests.differential.registry import PROGRAMS, Program
from tests.differential.test_programs import asked, difference, differs

ORDERS: dict[str, Order] = {
    "langgraph first": lambda call: call % 2,
    "ours first": lambda call: 1 - call % 2,
    "langgraph runs, ours reads": lambda call: (0, 1)[call % 2],
    "two and two": lambda call: (call // 2) % 2,
    "two and two, ours first": lambda call: 1 - (call // 2) % 2,
}
APART = {
    "question_in_a_called_graph": "LangGraph finds the graph in the node's closure, where a pair of graphs stands",
    "several_subgraphs_in_one_node": "as above",
    "a_lasting_subgraph_called_twice_by_one_node": "as above",
    "an_entrypoint_calls_graphs": "as above",
    "cached_tasks": "each engine has cache keys of its own",
    "cached_entrypoint": "as above",
    "untracked_is_gone_after_a_pause": "the state's type names one engine's channel",
}
"""Programs that can't change hands, and why."""


def changes_hands(program: Program) -> bool:
    """Whether a program has something on its thread to go on with: all that call functions have."""
    of_functions = program.play.__module__ == programs_functional.__name__
    return (program.needs_saver or of_functions) and program.name not in APART


SAVED = [program for program in PROGRAMS.values() if changes_hands(program)]


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("program", SAVED, ids=lambda program: program.name)
def test_a_program_may_change_hands_between_any_two_calls(program: Program, order: Order) -> None:
    with pair_lab(order, "sync", "memory", Path()) as opened:
        program.play(opened)
        opened.finish()
    wanted = (want for want, _ in asked(expected, program.name, "sync", True))
    assert not (found := differs(wanted, opened.record)), found


PAUSING = (programs_people.__name__, programs_nested.__name__)
FILES = [program for program in SAVED if program.play.__module__ in PAUSING]
ALTERNATING: list[Order] = [ORDERS["langgraph first"], ORDERS["two and two, ours first"]]


@pytest.mark.parametrize("calls", ["sync", "async"])
@pytest.mark.parametrize("program", FILES, ids=lambda program: program.name)
def test_a_thread_in_a_file_may_change_hands_too(program: Program, calls: Calls, tmp_path: Path) -> None:
    """With LangGraph's SqliteSaver and AsyncSqliteSaver, whose checkpoints each hold the whole state."""
    for place, order in enumerate(ALTERNATING):
        (tmp_path / str(place)).mkdir()
        with pair_lab(order, calls, "sqlite", tmp_path / str(place)) as opened:
            program.play(opened)
            opened.finish()
        wanted = (want for want, _ in asked(expected, program.name, calls, True))
        assert not (found := differs(wanted, opened.record)), found


@pytest.mark.parametrize("calls", ["sync", "async"])
@pytest.mark.parametrize("first", range(200, 260, 20))
def test_random_programs_may_change_hands_in_a_file(first: int, calls: Calls, tmp_path: Path) -> None:
    for seed in range(first, first + 20):
        with lab(REFERENCE, calls, "memory", Path(), quiet=True) as opened:
            random_programs.play(opened, seed)
            opened.finish()
            want = opened.record
        rng = Random(seed)
        hands = [rng.randint(0, 1) for _ in range(200)]
        folder = tmp_path / str(seed)
        folder.mkdir()
        with pair_lab(lambda call, hands=hands: hands[call % 200], calls, "sqlite", folder) as pair:
            random_programs.play(pair, seed)
            pair.finish()
        assert not (found := difference(want, pair.record)), f"seed {seed}, {hands[:12]}: {found}"


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_random_programs_may_change_hands_between_any_two_calls(first: int) -> None:
    for seed in range(first, first + 20):
        with lab(REFERENCE, "sync", "memory", Path(), quiet=True) as opened:
            random_programs.play(opened, seed)
            opened.finish()
            want = opened.record
        rng = Random(seed)
        hands = [rng.randint(0, 1) for _ in range(200)]
        with pair_lab(lambda call, hands=hands: hands[call % 200], "sync", "memory", Path()) as pair:
            random_programs.play(pair, seed)
            pair.finish()
        assert not (found := difference(want, pair.record)), f"seed {seed}, {hands[:12]}: {found}"
