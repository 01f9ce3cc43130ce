"""How node code writes. Needs langchain-core."""

from __future__ import annotations

from stepgraph.graph.pregel_node import PASSTHROUGH, SKIP_WRITE, ChannelWriteEntry, ChannelWriteTupleEntry
from stepgraph.integrations.channel_steps import ChannelWrite

__all__ = ("PASSTHROUGH", "SKIP_WRITE", "ChannelWrite", "ChannelWriteEntry", "ChannelWriteTupleEntry")
