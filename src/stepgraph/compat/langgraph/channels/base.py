"""The base of all channels."""

from __future__ import annotations

from stepgraph.core.channels import Channel as BaseChannel
from stepgraph.core.errors import EmptyChannelError, InvalidUpdateError

__all__ = ("BaseChannel", "EmptyChannelError", "InvalidUpdateError")
