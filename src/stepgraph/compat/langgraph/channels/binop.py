"""BinaryOperatorAggregate."""

from __future__ import annotations

from stepgraph.core.channels import BinaryOperatorAggregate

__all__ = ("BinaryOperatorAggregate",)
