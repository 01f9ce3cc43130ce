"""Functions as Runnables. Needs langchain-core."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from langchain_core.runnables import RunnableSequence

from stepgraph.integrations.runnables import (
    RunnableCallable,
    coerce_to_runnable,
    is_async_callable,
    is_async_generator,
    set_config_context,
)

RunnableLike = Any


class RunnableSeq(RunnableSequence[Any, Any]):
    """Runnables, functions or dicts of them one after the other; a name may be given to the whole."""

    def __init__(self, *steps: Any, name: str | None = None, **_: Any) -> None:
        super().__init__(*steps, name=name)


async def _consume_aiter(chunks: AsyncIterator[Any]) -> Any:
    """What an async iterator gives, added up where it can be added, else the last."""
    found: Any = None
    async for chunk in chunks:
        try:
            found = chunk if found is None else found + chunk
        except TypeError:
            found = chunk
    return found


__all__ = (
    "RunnableCallable",
    "RunnableLike",
    "RunnableSeq",
    "coerce_to_runnable",
    "is_async_callable",
    "is_async_generator",
    "set_config_context",
)
