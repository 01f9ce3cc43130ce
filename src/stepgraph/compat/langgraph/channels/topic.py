"""Topic."""

from __future__ import annotations

from stepgraph.core.channels import Topic

__all__ = ("Topic",)
