"""What agents ask people."""

from __future__ import annotations

from stepgraph.prebuilt.human import ActionRequest, HumanInterrupt, HumanInterruptConfig, HumanResponse

__all__ = ["ActionRequest", "HumanInterrupt", "HumanInterruptConfig", "HumanResponse"]
