"""Long-term memory: values under a namespace and a key, searched by filters or by meaning, shared by all threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepgraph.store.base import (
    NOT_PROVIDED,
    BaseStore,
    GetOp,
    IndexConfig,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchItem,
    SearchOp,
    TTLConfig,
)
from stepgraph.store.memory import InMemoryStore

if TYPE_CHECKING:
    from stepgraph.store.batched import AsyncBatchedBaseStore
    from stepgraph.store.sqlite import SqliteStore

__all__ = [
    "NOT_PROVIDED",
    "AsyncBatchedBaseStore",
    "BaseStore",
    "GetOp",
    "InMemoryStore",
    "IndexConfig",
    "InvalidNamespaceError",
    "Item",
    "ListNamespacesOp",
    "MatchCondition",
    "Op",
    "PutOp",
    "SearchItem",
    "SearchOp",
    "SqliteStore",
    "TTLConfig",
]


def __getattr__(name: str) -> Any:
    if name == "SqliteStore":  # a program that keeps nothing in files need not load sqlite3
        from stepgraph.store.sqlite import SqliteStore

        return SqliteStore
    if name == "AsyncBatchedBaseStore":
        from stepgraph.store.batched import AsyncBatchedBaseStore

        return AsyncBatchedBaseStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
