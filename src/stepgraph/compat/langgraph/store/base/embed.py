"""What makes vectors of texts."""

from __future__ import annotations

from stepgraph.store.meaning import embedder as ensure_embeddings
from stepgraph.store.meaning import texts_at as get_text_at_path
from stepgraph.store.meaning import tokens as tokenize_path

__all__ = ("ensure_embeddings", "get_text_at_path", "tokenize_path")
