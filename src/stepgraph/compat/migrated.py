"""Checkpoints that earlier versions of LangGraph stored, in today's layout of channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepgraph.compat.format import BRANCH, INTERRUPT, TASKS
from stepgraph.core.plan import Plan
from stepgraph.core.types import START

EDGES_BY_TARGET = 3
"""The first layout in which every edge to a node is the channel `branch:to:node`."""
SENDS_IN_A_CHANNEL = 4


def migrated(checkpoint: Mapping[str, Any], plan: Plan) -> Mapping[str, Any]:
    """The checkpoint itself if it is in today's layout, else a copy that is. The values in it are shared."""
    layout = checkpoint.get("v", SENDS_IN_A_CHANNEL)
    sends = checkpoint.get("pending_sends") if layout < SENDS_IN_A_CHANNEL else None
    if not checkpoint["channel_versions"] or (layout >= EDGES_BY_TARGET and not sends):
        return checkpoint
    moving = _Moving(checkpoint)
    if layout < EDGES_BY_TARGET and plan.intake is None:
        moving.edges(plan)
    if sends:
        moving.values[TASKS] = sends
        moving.versions[TASKS] = max(moving.versions.values())
    return {
        **checkpoint,
        "channel_values": moving.values,
        "channel_versions": moving.versions,
        "versions_seen": moving.seen,
    }


class _Moving:
    """The parts of a checkpoint in which channels get other names."""

    def __init__(self, checkpoint: Mapping[str, Any]) -> None:
        self.values = dict(checkpoint["channel_values"])
        self.versions = dict(checkpoint["channel_versions"])
        self.seen = {name: dict(seen) for name, seen in checkpoint["versions_seen"].items()}

    def edges(self, plan: Plan) -> None:
        """`start:node`, `branch:source:condition:node`, and a node's own name for what follows it."""
        nodes = [name for name in plan.nodes if name != START]
        for channel in list(self.versions):
            first, _, rest = channel.partition(":")
            target = rest if first == "start" else rest.split(":")[-1] if channel.count(":") == 3 else ""
            if first in ("start", "branch") and target in nodes:
                self._moved(channel, [target])
        for channel in list(self.versions):
            if channel in nodes:
                successors = plan.nodes[channel].successors
                self._moved(channel, list(successors))

    def _moved(self, channel: str, targets: list[str]) -> None:
        """One channel's version, value, and who has seen it, under the names of edges to its targets."""
        version, held = self.versions.pop(channel), channel in self.values
        value = self.values.pop(channel, None)
        stopped = self.seen.get(INTERRUPT, {})
        passed = stopped.pop(channel, None)
        for target in targets:
            edge = f"{BRANCH}{target}"
            self.versions[edge] = max(version, self.versions.get(edge, version))
            if held:
                self.values.setdefault(edge, value)
            seen = self.seen.get(target, {})
            for known, at in ((seen, seen.pop(channel, None)), (stopped, passed)):
                if at is not None:
                    known[edge] = max(at, known.get(edge, at))
