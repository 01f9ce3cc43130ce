"""Which errors are tried again."""

from __future__ import annotations

from stepgraph.compat.attempts import arun_with_retry, run_with_retry
from stepgraph.core.policies import RetryPolicy


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


__all__ = ("arun_with_retry", "run_with_retry")
