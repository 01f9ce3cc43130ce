"""Whether classes must have been named before stored objects of them are made again."""

from __future__ import annotations

import os

STRICT_MSGPACK_ENABLED = os.getenv("LANGGRAPH_STRICT_MSGPACK", "false").lower() in ("1", "true", "yes")
