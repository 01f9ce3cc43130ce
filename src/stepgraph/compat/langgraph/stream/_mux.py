"""What hands the events of a version 3 stream to its transformers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepgraph.compat.langgraph.stream._types import Unavailable

TransformerFactory = Callable[..., Any]


class StreamMux(Unavailable):
    """The transformers of one version 3 stream."""
