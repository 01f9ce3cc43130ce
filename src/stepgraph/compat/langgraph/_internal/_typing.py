"""The types that LangGraph's neighbours take from it."""

from __future__ import annotations

from typing import Any, TypedDict

from stepgraph.core.types import MISSING

__all__ = ("EMPTY_SEQ", "MISSING", "DeprecatedKwargs", "StateLike")

StateLike = Any
EMPTY_SEQ: tuple[str, ...] = ()


DataclassLike = TypedDictLikeV1 = TypedDictLikeV2 = Any


class DeprecatedKwargs(TypedDict):
    """Keyword arguments that are taken only to warn of them."""
