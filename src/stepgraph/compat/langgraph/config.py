"""What node code can reach while it runs."""

from __future__ import annotations

from stepgraph.run.context import get_config, get_stream_writer

__all__ = ("get_config", "get_stream_writer")
