"""LastValue."""

from __future__ import annotations

from stepgraph.core.channels import LastValue, LastValueAfterFinish

__all__ = ("LastValue", "LastValueAfterFinish")
