"""What is done to a node's writes before they are recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepgraph.core.channels import DeltaChannel
from stepgraph.core.types import Writes


def stamp_of(channels: Mapping[str, Any]) -> Callable[[Writes], Writes] | None:
    """Gives ids to messages that go to a DeltaChannel; None for a graph without one, which loads nothing for it."""
    if not any(isinstance(channel, DeltaChannel) for channel in channels.values()):
        return None
    from stepgraph.messages import folded

    return folded.stamp_of(channels)
