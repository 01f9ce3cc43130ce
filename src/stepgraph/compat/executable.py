"""Tasks that are ready to run, in LangGraph's form: for annotations, for pickles, and for code that makes its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from stepgraph.core.limits import TimeoutPolicy
from stepgraph.core.policies import RetryPolicy


class CacheKey(NamedTuple):
    """Where a cache keeps what a task wrote."""

    ns: tuple[str, ...]
    key: str
    ttl: int | None
    """Seconds until it is forgotten; None keeps it."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class PregelExecutableTask:
    """A task with all that it takes to run it. The engine has tasks of its own; none of its runs makes these."""

    name: str
    input: Any
    proc: Any
    """A Runnable of the node's function and of what writes its result."""
    writes: deque[tuple[str, Any]]
    config: Any
    triggers: Sequence[str]
    retry_policy: Sequence[RetryPolicy]
    cache_key: CacheKey | None
    id: str
    path: tuple[Any, ...]
    writers: Sequence[Any] = ()
    """The last steps of `proc`, which write."""
    subgraphs: Sequence[Any] = ()
    timeout: TimeoutPolicy | None = None


for kind in (CacheKey, PregelExecutableTask):
    kind.__module__ = "langgraph.types"  # where programs import it, so that it is pickled under that name
