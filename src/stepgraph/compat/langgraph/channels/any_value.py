"""AnyValue."""

from __future__ import annotations

from stepgraph.core.channels import AnyValue

__all__ = ("AnyValue",)
