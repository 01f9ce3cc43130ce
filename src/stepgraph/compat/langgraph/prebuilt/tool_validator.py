"""A node that checks tool calls."""

from __future__ import annotations

from stepgraph.prebuilt.validation import ValidationNode

__all__ = ["ValidationNode"]
