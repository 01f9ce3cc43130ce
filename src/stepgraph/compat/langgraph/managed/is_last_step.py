"""How far a run is from its last superstep."""

from __future__ import annotations

from stepgraph.schema.managed import IsLastStep, IsLastStepManager, RemainingSteps, RemainingStepsManager

__all__ = ("IsLastStep", "IsLastStepManager", "RemainingSteps", "RemainingStepsManager")
