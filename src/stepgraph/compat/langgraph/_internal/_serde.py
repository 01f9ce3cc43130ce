"""Which classes LangGraph's checkpointers may restore."""

from __future__ import annotations

from stepgraph.compat.absent import absent

__getattr__ = absent(
    "langgraph._internal._serde",
    "apply_checkpointer_allowlist",
    "build_serde_allowlist",
    "collect_allowlist_from_schemas",
    "curated_core_allowlist",
)
