"""Which errors are tried again by default."""

from __future__ import annotations

from stepgraph.core.policies import default_retry_on

__all__ = ("default_retry_on",)
