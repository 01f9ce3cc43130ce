"""Values that a node may read though nobody writes them."""

from __future__ import annotations

from stepgraph.schema.managed import IsLastStep, RemainingSteps

__all__ = ("IsLastStep", "RemainingSteps")
