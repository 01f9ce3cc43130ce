"""v3 runs of graphs on a server. Needs langgraph-sdk when one begins."""

from __future__ import annotations

from stepgraph.integrations.remote import answer_of as _translate_command_input
from stepgraph.integrations.remote_events import AsyncRemoteRun as _AsyncRemoteGraphRunStream
from stepgraph.integrations.remote_events import Projection as _ChannelProjection
from stepgraph.integrations.remote_events import Projections as _ProjectionRegistry
from stepgraph.integrations.remote_events import RemoteRun as _RemoteGraphRunStream

__all__ = (
    "_AsyncRemoteGraphRunStream",
    "_ChannelProjection",
    "_ProjectionRegistry",
    "_RemoteGraphRunStream",
    "_translate_command_input",
)
