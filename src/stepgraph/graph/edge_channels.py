"""What LangGraph has as channels and a plan does not: the input, edges, joins, and the tasks that Sends make."""

from __future__ import annotations

from typing import Any

from stepgraph.core.channels import (
    Channel,
    EphemeralValue,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
    Topic,
)
from stepgraph.core.plan import Plan
from stepgraph.core.types import START, Send
from stepgraph.graph.pregel_node import TASKS


def edge_channels(plan: Plan, input_type: Any) -> dict[str, Channel]:
    """Channels of these kinds under LangGraph's names, for those who look at a graph's; no run uses them."""
    found: dict[str, Channel] = {}
    if plan.intake is None:
        found[START] = EphemeralValue(input_type, key=START)
    found[TASKS] = Topic(Send, key=TASKS)
    if plan.intake is None and plan.entry == START:
        for name, node in plan.nodes.items():
            key = f"branch:to:{name}"
            if name != START:
                found[key] = LastValueAfterFinish(Any, key) if node.defer else EphemeralValue(Any, False, key)
    for key, barrier in plan.barriers.items():
        kind = NamedBarrierValueAfterFinish if barrier.node in plan.deferred else NamedBarrierValue
        found[key] = kind(str, barrier.sources, key)
    return found
