"""Programs on our engine with LangGraph's savers: the same account, and the same threads stored, field by field."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.compat.dump import dump
from tests.compat.engines import ours_on_theirs
from tests.differential import (
    programs_flow,  # noqa: F401  it registers programs, as the others
    programs_functional,  # noqa: F401  the same
    programs_nested,  # noqa: F401  the same
    programs_people,  # noqa: F401  the same
    programs_subgraphs,
    programs_threads,
)
from tests.differential.engines import Calls, Engine, reference
from tests.differential.lab import Lab, lab
from tests.differential.registry import PROGRAMS, Program
from tests.differential.test_programs import asked, differs

REFERENCE, OURS = reference(), ours_on_theirs()
CALLS: tuple[Calls, ...] = ("sync", "async", "async nodes")
SAVED = [
    pytest.param(program, calls, id=f"{program.name}-{calls}")
    for program in PROGRAMS.values()
    for calls in CALLS
    if not (calls == "async nodes" and program.sync_only)
]


OTHERWISE = {
    "pydantic_state": 'DEVIATIONS["refused input"]: the failure is recorded like any other',
    "errors_of_nodes_and_updates": 'DEVIATIONS["defects"]: a failed task keeps no half of its writes',
    "copying_checkpoints": "an update that can't be applied is refused before the copy is made",
    "handler_of_a_router": "what the body had returned is kept beside: LangGraph takes it for the end of the task",
    "retried_subgraph": "the child's last checkpoint is stored also when the child was tried again",
    "remove_an_unknown_message": "a superstep that the state can't take is recorded as the failure of its lone task",
    "push_without_an_id": "the recorded error says more",
    "an_async_task_in_sync_code": "the same",
    "retried_entrypoint": 'DEVIATIONS["tasks called again"]: the tasks of each attempt have ids of their own there',
    "a_task_gives_up": "as above: its failure and its result are two tasks there",
}
"""Programs that store something else than LangGraph on purpose, and why."""


def play(engine: Engine, program: Program, calls: Calls, quiet: bool) -> tuple[list[tuple[str, Any]], Any]:
    """The account of a program's run, and what its saver holds in the end."""
    with lab(engine, calls, "memory", Path(), quiet=quiet) as opened:
        program.play(opened)
        opened.finish()
        return opened.record, dump(opened.checkpointer)


@cache
def expected(name: str, calls: Calls, quiet: bool) -> tuple[list[tuple[str, Any]], Any]:
    return play(REFERENCE, PROGRAMS[name], calls, quiet)


@pytest.mark.parametrize(("program", "calls"), SAVED)
@pytest.mark.parametrize("quiet", [False, True], ids=["streamed", "quiet"])
def test_a_program_gives_the_same_account_on_langgraphs_saver(program: Program, calls: Calls, quiet: bool) -> None:
    got, _ = play(OURS, program, calls, quiet)
    wanted = (want for want, _ in asked(expected, program.name, calls, quiet))
    assert not (found := differs(wanted, got)), found


class AsyncOnly(InMemorySaver):
    """A saver whose sync methods are not there, as those of AsyncRedisSaver."""

    def get_tuple(self, config: Any) -> Any:
        raise NotImplementedError

    def list(self, config: Any, **options: Any) -> Any:
        raise NotImplementedError

    def put(self, *args: Any) -> Any:
        raise NotImplementedError

    def put_writes(self, *args: Any) -> Any:
        raise NotImplementedError

    async def aget_tuple(self, config: Any) -> Any:
        return super().get_tuple(config)

    async def alist(self, config: Any, **options: Any) -> Any:
        for each in super().list(config, **options):
            yield each

    async def aput(self, *args: Any) -> Any:
        return super().put(*args)

    async def aput_writes(self, *args: Any) -> Any:
        return super().put_writes(*args)


AWAITED = [
    program
    for program in PROGRAMS.values()
    if program.needs_saver and program.play.__module__ in (programs_subgraphs.__name__, programs_threads.__name__)
]


@pytest.mark.parametrize("program", AWAITED, ids=lambda program: program.name)
def test_an_async_run_leaves_a_savers_sync_methods_alone(program: Program) -> None:
    opened = Lab(OURS, "async", AsyncOnly(), quiet=True)
    try:
        program.play(opened)
        opened.finish()
    finally:
        opened.close()
    wanted = (want for want, _ in asked(expected, program.name, "async", True))
    assert not (found := differs(wanted, opened.record)), found


@pytest.mark.parametrize(("program", "calls"), SAVED)
def test_a_program_stores_what_langgraph_would_have_stored(program: Program, calls: Calls) -> None:
    _, got = play(OURS, program, calls, True)
    wanted = (list(stored.items()) for _, stored in asked(expected, program.name, calls, True))
    lines = differs(wanted, list(got.items()))
    assert bool(lines) is (program.name in OTHERWISE and bool(got)), lines or "it is equal now: take it off the list"
