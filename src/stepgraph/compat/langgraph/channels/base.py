"""The base of all channels."""

from __future__ import annotations

from stepgraph.compat.channels import BaseChannel, Checkpoint, Update, Value
from stepgraph.core.errors import EmptyChannelError, InvalidUpdateError

__all__ = ("BaseChannel", "Checkpoint", "EmptyChannelError", "InvalidUpdateError", "Update", "Value")
