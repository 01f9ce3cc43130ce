"""Version 3 streams of graphs on a server."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph.pregel._remote_run_stream",
    "_AsyncRemoteGraphRunStream",
    "_RemoteGraphRunStream",
)
