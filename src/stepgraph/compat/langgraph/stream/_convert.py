"""Parts of version 2 streams as events of version 3."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

__all__ = ("convert_to_protocol_event",)


def convert_to_protocol_event(part: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a part, made now."""
    params = {"namespace": list(part["ns"]), "timestamp": int(time.time() * 1000), "data": part["data"]}
    if "interrupts" in part:
        params["interrupts"] = part["interrupts"]
    return {"type": "event", "method": part["type"], "params": params}
