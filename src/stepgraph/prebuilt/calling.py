"""Several calls at once, in threads, under the limit that a config sets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import copy_context
from typing import Any, TypeVar

from stepgraph.run.threads import WORKERS, Batch

A = TypeVar("A")
R = TypeVar("R")


def configs(config: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """A config for each of several runs: a run id is of the first only. Metadata names what langchain-core names."""
    configurable, metadata = config.get("configurable") or {}, dict(config.get("metadata") or {})
    for key in ("model", "checkpoint_ns"):
        if isinstance(configurable.get(key), str):
            metadata.setdefault(key, configurable[key])
    found = [{**config, "metadata": metadata} for _ in range(count)]
    for each in found[1:]:
        each.pop("run_id", None)
    return found


async def all_of(calls: Sequence[Coroutine[Any, Any, R]]) -> list[R]:
    """What each gives, in order. All are awaited to their ends; then the first error, in order, is raised."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException):
            raise each
    return found  # type: ignore[return-value]  # no error is among them


def at_once(work: Callable[[A], R], items: Sequence[A], config: Mapping[str, Any]) -> list[R]:
    """What `work` gives for each, in order.

    A lone one runs right here. Of several each has a copy of this context; those that wait are taken by other threads
    as soon as one lasts. All are run to their ends; then the first error, in order, is raised.
    """
    if len(items) == 1:
        return [work(items[0])]
    here = copy_context()
    results: dict[int, R] = {}
    errors: dict[int, BaseException] = {}

    def run(position: int) -> None:
        try:
            results[position] = here.copy().run(work, items[position])
        except BaseException as error:  # noqa: BLE001  it is raised below
            errors[position] = error

    batch = Batch(run, range(len(items)), config.get("max_concurrency") or WORKERS)
    for _ in batch.run():
        pass
    batch.wait()
    if errors:
        raise errors[min(errors)]
    return [results[position] for position in range(len(items))]
