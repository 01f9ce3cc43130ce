"""Passes over options that nobody knows, as LangGraph does, and says so in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable

logger = logging.getLogger("stepgraph")


def pass_over(what: str, names: Iterable[str]) -> None:
    """Log that `what` was given these."""
    logger.warning("%s() does not know %s, and goes on without.", what, ", ".join(map(repr, sorted(names))))
