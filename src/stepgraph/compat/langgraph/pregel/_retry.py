"""Which errors are tried again."""

from __future__ import annotations

from typing import Any

from stepgraph.compat.absent import absent
from stepgraph.core.policies import RetryPolicy

__getattr__ = absent(
    "langgraph.pregel._retry",
    "arun_with_retry",
    "run_with_retry",
)


def _should_retry_on(retry_policy: RetryPolicy, exc: Exception) -> bool:
    """Whether a policy tries again after an error."""
    return retry_policy.fits(exc)


def _checkpoint_ns_for_parent_command(ns: str) -> str:
    """The namespace of the graph around the one that a task runs in; numbers of repeated calls are no levels."""
    parts = ns.split("|")
    while parts and parts[-1].isdigit():
        parts.pop()
    parts = parts[:-1]
    while parts and parts[-1].isdigit():
        parts.pop()
    return "|".join(parts)


__all__: tuple[Any, ...] = ()
