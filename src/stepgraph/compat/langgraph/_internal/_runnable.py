"""Functions as Runnables. Needs langchain-core."""

from __future__ import annotations

from typing import Any

from stepgraph.integrations.runnables import (
    RunnableCallable,
    coerce_to_runnable,
    is_async_callable,
    is_async_generator,
    set_config_context,
)

RunnableLike = Any

__all__ = (
    "RunnableCallable",
    "RunnableLike",
    "coerce_to_runnable",
    "is_async_callable",
    "is_async_generator",
    "set_config_context",
)
