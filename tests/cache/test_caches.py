"""Every cache keeps copies by namespace and key, forgets what is too old, and can be shared by threads."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stepgraph.cache import BaseCache, InMemoryCache, SqliteCache

NS, OTHER = ("a", "node"), ("a", "other")


@pytest.fixture(params=["memory", "sqlite"])
def cache(request: pytest.FixtureRequest, tmp_path: Any, now: list[float]) -> Any:
    if request.param == "memory":
        yield InMemoryCache(clock=lambda: now[0])
        return
    made = SqliteCache(path=str(tmp_path / "cache.db"), clock=lambda: now[0])
    yield made
    made.close()


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


def test_it_gives_back_what_is_there(cache: BaseCache) -> None:
    cache.set({(NS, "k"): ({"x": (1, [2])}, None), (OTHER, "k"): ("other", None)})
    assert cache.get([(NS, "k"), (NS, "missing"), (OTHER, "k")]) == {(NS, "k"): {"x": (1, [2])}, (OTHER, "k"): "other"}
    assert cache.get([]) == {}


def test_values_are_copies(cache: BaseCache) -> None:
    value = [1]
    cache.set({(NS, "k"): (value, None)})
    value.append(2)
    cache.get([(NS, "k")])[NS, "k"].append(3)
    assert cache.get([(NS, "k")]) == {(NS, "k"): [1]}


def test_a_later_value_replaces_an_earlier(cache: BaseCache) -> None:
    cache.set({(NS, "k"): (1, None)})
    cache.set({(NS, "k"): (2, None)})
    assert cache.get([(NS, "k")]) == {(NS, "k"): 2}


def test_values_get_too_old(cache: BaseCache, now: list[float]) -> None:
    cache.set({(NS, "short"): (1, 10), (NS, "long"): (2, None)})
    now[0] = 1009.9
    assert len(cache.get([(NS, "short"), (NS, "long")])) == 2
    now[0] = 1010.0
    assert cache.get([(NS, "short"), (NS, "long")]) == {(NS, "long"): 2}


def test_namespaces_can_be_cleared_alone(cache: BaseCache) -> None:
    cache.set({(NS, "k"): (1, None), (OTHER, "k"): (2, None)})
    cache.clear([NS, ("never", "there")])
    assert cache.get([(NS, "k"), (OTHER, "k")]) == {(OTHER, "k"): 2}
    cache.clear()
    assert cache.get([(OTHER, "k")]) == {}


def test_the_async_methods_do_the_same(cache: BaseCache) -> None:
    async def main() -> Any:
        await cache.aset({(NS, "k"): (1, None)})
        found = await cache.aget([(NS, "k")])
        await cache.aclear([NS])
        return found, await cache.aget([(NS, "k")])

    assert asyncio.run(main()) == ({(NS, "k"): 1}, {})


def test_threads_can_share_it(cache: BaseCache) -> None:
    def work(number: int) -> bool:
        cache.set({(NS, str(number)): (number, None)})
        return cache.get([(NS, str(number))]) == {(NS, str(number)): number}

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(200)))


def test_another_encoding_can_be_given(tmp_path: Any) -> None:
    class Reversing:
        def dumps_typed(self, value: str) -> tuple[str, bytes]:
            return "reversed", value[::-1].encode()

        def loads_typed(self, kept: tuple[str, bytes]) -> str:
            assert kept[0] == "reversed"
            return kept[1].decode()[::-1]

    made = SqliteCache(path=str(tmp_path / "c.db"), serde=Reversing())
    made.set({(NS, "k"): ("abc", None)})
    assert made.get([(NS, "k")]) == {(NS, "k"): "abc"}
    made.close()
    made.close()


def test_a_file_is_shared_by_processes_and_outlives_them(tmp_path: Any) -> None:
    path = str(tmp_path / "c.db")
    first, second = SqliteCache(path=path), SqliteCache(path=path)
    first.set({(NS, "k"): (1, None)})
    assert second.get([(NS, "k")]) == {(NS, "k"): 1}
    first.close()
    second.close()
