"""What makes vectors of texts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from stepgraph.store.meaning import Embedder as EmbeddingsLambda
from stepgraph.store.meaning import embedder as ensure_embeddings
from stepgraph.store.meaning import texts_at as get_text_at_path
from stepgraph.store.meaning import tokens as tokenize_path

EmbeddingsFunc = Callable[[Sequence[str]], list[list[float]]]
AEmbeddingsFunc = Callable[[Sequence[str]], Awaitable[list[list[float]]]]

__all__ = (
    "AEmbeddingsFunc",
    "EmbeddingsFunc",
    "EmbeddingsLambda",
    "ensure_embeddings",
    "get_text_at_path",
    "tokenize_path",
)
