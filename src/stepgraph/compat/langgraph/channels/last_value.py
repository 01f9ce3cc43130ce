"""LastValue."""

from __future__ import annotations

from stepgraph.core.channels import LastValue

__all__ = ("LastValue",)
