"""How node code writes. Needs langchain-core."""

from __future__ import annotations

from stepgraph.graph.node_builder import PASSTHROUGH, SKIP_WRITE, ChannelWriteEntry
from stepgraph.integrations.channel_steps import ChannelWrite, ChannelWriteTupleEntry

__all__ = ("PASSTHROUGH", "SKIP_WRITE", "ChannelWrite", "ChannelWriteEntry", "ChannelWriteTupleEntry")
