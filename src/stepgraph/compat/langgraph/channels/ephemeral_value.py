"""EphemeralValue."""

from __future__ import annotations

from stepgraph.core.channels import EphemeralValue

__all__ = ("EphemeralValue",)
