"""Limits of time."""

from __future__ import annotations

from stepgraph.core.errors import sync_timeout_unsupported
from stepgraph.core.limits import TimeoutPolicy

__all__ = ("coerce_timeout_policy", "sync_timeout_unsupported")

coerce_timeout_policy = TimeoutPolicy.coerce
