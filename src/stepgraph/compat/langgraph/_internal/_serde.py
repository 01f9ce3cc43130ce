"""Which classes a graph's checkpoints may hold in strict mode."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from stepgraph.compat.allowed import allowed, allowing, messages, named, strict

with suppress(ImportError):
    import_module("langgraph.checkpoint.serde._msgpack")  # which reads the environment
STRICT_MSGPACK_ENABLED = strict()


def apply_checkpointer_allowlist(checkpointer: Any, allowlist: set[tuple[str, ...]] | None) -> Any:
    """The checkpointer with these classes too."""
    return allowing(checkpointer, allowlist)


def curated_core_allowlist() -> set[tuple[str, ...]]:
    """The classes of messages."""
    return messages()


def build_serde_allowlist(
    *, schemas: Sequence[Any] | None = None, channels: dict[str, Any] | None = None
) -> set[tuple[str, ...]]:
    """The classes of messages, and those that schemas and channels name."""
    return allowed(schemas or (), channels or {})


def collect_allowlist_from_schemas(
    *, schemas: Sequence[Any] | None = None, channels: dict[str, Any] | None = None
) -> set[tuple[str, ...]]:
    """The classes that schemas and channels name."""
    return named(schemas or (), channels or {})
