"""NamedBarrierValue."""

from __future__ import annotations

from stepgraph.core.channels import NamedBarrierValue

__all__ = ("NamedBarrierValue",)
