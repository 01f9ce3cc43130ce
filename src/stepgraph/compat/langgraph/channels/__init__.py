"""The rules of state keys."""

from __future__ import annotations

from stepgraph.compat.absent import absent
from stepgraph.compat.channels import BaseChannel
from stepgraph.core.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    DeltaChannel,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
)

__all__ = (
    "AnyValue",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "DeltaChannel",
    "EphemeralValue",
    "LastValue",
    "NamedBarrierValue",
    "Topic",
    "UntrackedValue",
)

# What LangGraph makes of deferred nodes; here the plan knows them.
__getattr__ = absent("langgraph.channels", "LastValueAfterFinish", "NamedBarrierValueAfterFinish")
