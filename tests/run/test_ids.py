"""Ids of runs and checkpoints sort by the time of their making, whoever makes them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

from stepgraph.run.ids import RunIds


def test_ids_of_a_run_grow_and_later_runs_sort_after_earlier_ones() -> None:
    first, second = RunIds(), RunIds()
    ids = [first(), first(), second(), second()]

    assert ids == sorted(ids)
    assert {UUID(each).version for each in ids} == {6}


def test_the_numbers_of_a_long_run_go_on_without_a_gap() -> None:
    ids = RunIds()
    found = [ids() for _ in range(70_000)]

    assert len({each[:24] for each in found}) == 1
    assert [int(each[24:], 16) for each in found] == list(range(70_000))
    assert {len(each) for each in found} == {36}


def test_what_gives_ids_directly_goes_on_with_the_same_numbers() -> None:
    ids = RunIds()
    found = [ids(), ids.direct(), ids(), *(ids.direct() for _ in range(600)), ids()]

    assert len({each[:24] for each in found}) == 1
    assert [int(each[24:], 16) for each in found] == list(range(604))
    assert int(RunIds().direct()[24:], 16) == 0


def test_threads_that_begin_at_once_share_one_prefix_and_no_number() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(200):
                ids, start = RunIds(), Barrier(8)

                def several(ids: RunIds = ids, start: Barrier = start) -> list[str]:
                    start.wait()
                    return [ids() for _ in range(5)]

                found = [each for one in [threads.submit(several) for _ in range(8)] for each in one.result()]

                assert len(set(found)) == 40
                assert len({each[:23] for each in found}) == 1
    finally:
        sys.setswitchinterval(interval)
