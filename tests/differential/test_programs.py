"""Every program gives the same account on LangGraph and on stepgraph: streams, states, history and errors."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest

from tests.differential import (  # noqa: F401  they register programs
    programs_flow,
    programs_functional,
    programs_messages,
    programs_nested,
    programs_people,
    programs_policies,
    programs_runtime,
    programs_state,
    programs_streams,
    programs_subgraphs,
    programs_threads,
)
from tests.differential.engines import Calls, Engine, Saver, ours, reference
from tests.differential.lab import lab
from tests.differential.registry import PROGRAMS, Program

CALLS: tuple[Calls, ...] = ("sync", "async", "async nodes")
REFERENCE, OURS = reference(), ours()
SAVERS: tuple[Saver, ...] = ("none", "model", "memory", "sqlite")
CASES = [
    pytest.param(program, calls, saver, id=f"{program.name}-{calls}-{saver}")
    for program in PROGRAMS.values()
    for calls in CALLS
    for saver in SAVERS
    if not (saver == "none" and program.needs_saver) and not (calls == "async nodes" and program.sync_only)
]


def play(
    engine: Engine, program: Program, calls: Calls, saver: Saver, directory: Path, *, quiet: bool = False
) -> list[tuple[str, Any]]:
    """What a program's run on an engine looked like."""
    with lab(engine, calls, saver, directory, quiet=quiet) as opened:
        program.play(opened)
        opened.finish()
        return opened.record


@cache
def expected(name: str, calls: Calls, saved: bool, quiet: bool = False) -> list[tuple[str, Any]]:
    """LangGraph's account; its savers agree with each other, so memory stands for all."""
    return play(REFERENCE, PROGRAMS[name], calls, "memory" if saved else "none", Path(), quiet=quiet)


def difference(want: list[tuple[str, Any]], got: list[tuple[str, Any]]) -> str:
    """The first entry that differs, as a diff from LangGraph's to ours; empty when all are equal."""
    for position, (one, other) in enumerate(zip(want, got, strict=False)):
        if one != other:
            lines = [pformat(each, width=140).splitlines() for each in (one, other)]
            diff = "\n".join(difflib.unified_diff(*lines, "langgraph", "stepgraph", lineterm="", n=4))
            return f"entry {position}, {one[0]}:\n{diff}"
    if len(want) != len(got):
        return f"langgraph wrote {len(want)} entries, stepgraph {len(got)}"
    return ""


def asked(cached: Callable[..., Any], *question: Any, **options: Any) -> Iterator[Any]:
    """What a cached function of LangGraph's accounts says, and what it says when it is asked anew, twice.

    LangGraph's threads race: once in some thousand supersteps its memory saver loses what a task wrote.
    """
    yield cached(*question, **options)
    for _ in range(2):
        yield cached.__wrapped__(*question, **options)  # type: ignore[attr-defined]  # the function that was cached


def differs(wanted: Iterator[list[tuple[str, Any]]], got: list[tuple[str, Any]]) -> str:
    """How an account differs from each of LangGraph's; empty when it is equal to one."""
    found = ""
    for want in wanted:
        if not (found := difference(want, got)):
            break
    return found


@pytest.mark.parametrize(("program", "calls", "saver"), CASES)
def test_a_program_streams_the_same_on_both_engines(
    program: Program, calls: Calls, saver: Saver, tmp_path: Path
) -> None:
    got = play(OURS, program, calls, saver, tmp_path)
    assert not (found := differs(asked(expected, program.name, calls, saver != "none"), got)), found


@pytest.mark.parametrize(("program", "calls", "saver"), CASES)
def test_a_program_gives_the_same_results_when_nobody_listens(
    program: Program, calls: Calls, saver: Saver, tmp_path: Path
) -> None:
    got = play(OURS, program, calls, saver, tmp_path, quiet=True)
    assert not (found := differs(asked(expected, program.name, calls, saver != "none", quiet=True), got)), found


def test_the_comparison_notices_a_difference() -> None:
    want = expected("chain_of_editors", "sync", True)
    other = [(what, details) for what, details in want]
    other[-1] = ("history", want[-1][1][:-1])
    assert difference(want, other).startswith(f"entry {len(want) - 1}, history")
    assert difference(want, want[:-1]) == f"langgraph wrote {len(want)} entries, stepgraph {len(want) - 1}"
