"""Where the engine logs."""

from __future__ import annotations

import logging

logger = logging.getLogger("stepgraph")

__all__ = ("logger",)
