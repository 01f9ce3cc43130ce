"""What stores are."""

from __future__ import annotations

from typing import Literal

from stepgraph.compat.langgraph.store.base.embed import AEmbeddingsFunc, EmbeddingsFunc
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
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
)
from stepgraph.store.base import check_operation as validate_op_namespace
from stepgraph.store.meaning import embedder as ensure_embeddings
from stepgraph.store.meaning import texts_at as get_text_at_path
from stepgraph.store.meaning import tokens as tokenize_path

__all__ = (
    "NOT_PROVIDED",
    "AEmbeddingsFunc",
    "BaseStore",
    "EmbeddingsFunc",
    "GetOp",
    "IndexConfig",
    "InvalidNamespaceError",
    "Item",
    "ListNamespacesOp",
    "MatchCondition",
    "NamespaceMatchType",
    "NamespacePath",
    "NotProvided",
    "Op",
    "PutOp",
    "Result",
    "SearchItem",
    "SearchOp",
    "TTLConfig",
    "ensure_embeddings",
    "get_text_at_path",
    "tokenize_path",
    "validate_op_namespace",
)

NamespacePath = tuple[str, ...]
NamespaceMatchType = Literal["prefix", "suffix"]
NotProvided = type(NOT_PROVIDED)
