"""NamedBarrierValue."""

from __future__ import annotations

from stepgraph.core.channels import NamedBarrierValue, NamedBarrierValueAfterFinish

__all__ = ("NamedBarrierValue", "NamedBarrierValueAfterFinish")
