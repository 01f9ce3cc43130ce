"""DeltaChannel."""

from __future__ import annotations

from stepgraph.core.channels import DeltaChannel

__all__ = ("DeltaChannel",)
