"""UntrackedValue."""

from __future__ import annotations

from stepgraph.core.channels import UntrackedValue

__all__ = ("UntrackedValue",)
