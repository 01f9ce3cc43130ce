"""Ids of runs and checkpoints sort by the time of their making, whoever makes them."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest

from stepgraph.run import ids
from stepgraph.run.ids import RunIds


def numbers(found: list[str]) -> list[int]:
    """How far each is from the first one."""
    return [int(each[24:], 16) - int(found[0][24:], 16) for each in found]


def test_ids_of_a_run_grow_and_later_runs_sort_after_earlier_ones() -> None:
    first, second = RunIds(), RunIds()
    found = [first(), first(), second(), second()]

    assert found == sorted(found)
    assert {UUID(each).version for each in found} == {6}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python warns of what is tested here
def test_a_process_forked_while_another_thread_begins_a_run_makes_ids() -> None:
    with ids._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if ids._lock.acquire(timeout=5) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_numbers_of_a_long_run_go_on_without_a_gap() -> None:
    new_id = RunIds()
    found = [new_id() for _ in range(70_000)]

    assert len({each[:24] for each in found}) == 1
    assert numbers(found) == list(range(70_000))
    assert {len(each) for each in found} == {36}


def test_what_gives_ids_directly_goes_on_with_the_same_numbers() -> None:
    new = RunIds()
    found = [new(), new.direct(), new(), *(new.direct() for _ in range(600)), new()]

    assert len({each[:24] for each in found}) == 1
    assert numbers(found) == list(range(604))


def test_sources_that_begin_in_one_moment_share_a_prefix_and_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_700_000_000_000_000_000]
    monkeypatch.setattr(ids, "time_ns", lambda: now[0])
    monkeypatch.setattr(ids, "_last", 0)
    monkeypatch.setattr(ids, "_moment", None)
    first, second, third = RunIds(), RunIds(), RunIds()
    found = [first(), second(), first(), third(), second()]
    assert numbers(found) == list(range(5))
    assert len({each[:24] for each in found}) == 1

    now[0] += 1_000_000
    found.append(RunIds()())
    now[0] -= 3_600_000_000_000  # somebody has set the clock back
    found += [RunIds()(), RunIds()(), RunIds()()]
    assert found == sorted(found)
    assert len({each[:24] for each in found}) == 3


def test_a_prefix_of_ones_own_is_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    now = ids.time_ns()
    monkeypatch.setattr(ids, "time_ns", lambda: now)
    found = [RunIds()(), ids.own_prefix() + "f" * 12, ids.own_prefix() + "0" * 12, RunIds()(), RunIds()()]
    assert found == sorted(found)
    assert len({each[:24] for each in found}) == 4


def test_threads_that_begin_at_once_share_one_prefix_and_no_number() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(200):
                new, start = RunIds(), Barrier(8)

                def several(new: RunIds = new, start: Barrier = start) -> list[str]:
                    start.wait()
                    return [new() for _ in range(5)]

                found = [each for one in [threads.submit(several) for _ in range(8)] for each in one.result()]

                assert len(set(found)) == 40
                assert len({each[:24] for each in found}) == 1
    finally:
        sys.setswitchinterval(interval)
