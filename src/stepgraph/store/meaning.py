"""Searching by meaning: which texts of a value are embedded, by what, and how near two vectors are."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from stepgraph.store.base import IndexConfig, PutOp

Vector = Sequence[float]
_TOKEN = re.compile(r"\[[^\]]*\]|\{[^}]*\}|[^.\[{]+")


class Index:
    """What a store needs for searches by meaning, from its IndexConfig."""

    def __init__(self, config: IndexConfig) -> None:
        self.embed = embedder(config.get("embed"))
        self.fields = config.get("fields") or ["$"]

    def texts(self, op: PutOp) -> dict[str, str]:
        """Path -> text to embed of what is put; of a path with several texts each gets its number."""
        if op.value is None or op.index is False:
            return {}
        found: dict[str, str] = {}
        for path in self.fields if op.index is None else op.index:
            texts = texts_at(op.value, path)
            if len(texts) == 1:
                found[path] = texts[0]
            else:
                found.update((f"{path}.{position}", text) for position, text in enumerate(texts))
        return found


def embedder(given: Any) -> Any:
    """An object with embed_documents, embed_query and their async twins. Raises ValueError for what can't be one."""
    if hasattr(given, "embed_documents"):
        return given
    if isinstance(given, str):
        try:
            from importlib import import_module

            init_embeddings = import_module("langchain.embeddings").init_embeddings
        except ImportError as error:
            raise ValueError(
                f"Could not load embedding function from string {given!r}: it needs langchain (pip install langchain). "
                "Or give a function from a list of texts to their vectors."
            ) from error
        return init_embeddings(given)
    if not callable(given):
        raise ValueError(
            f"index={{'embed': {given!r}}}: give a function from a list of texts to their vectors, an object with "
            "embed_documents, or 'provider:model'."
        )
    return Embedder(given)


class Embedder:
    """A function from texts to vectors, sync or async, in the form that stores call."""

    def __init__(self, func: Any) -> None:
        self._function = func
        called = type(func).__call__
        self._is_async = inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(called)

    def embed_documents(self, texts: list[str]) -> list[Vector]:
        if self._is_async:
            raise ValueError("The embedding function is async: use the store's async methods (aput, asearch).")
        found: list[Vector] = self._function(texts)
        return found

    def embed_query(self, text: str) -> Vector:
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[Vector]:
        made = self._function(texts)
        found: list[Vector] = await made if inspect.isawaitable(made) else made
        return found

    async def aembed_query(self, text: str) -> Vector:
        return (await self.aembed_documents([text]))[0]


def texts_at(value: Any, path: str) -> list[str]:
    """The texts at a path: `a.b`, `a[0]`, `a[-1]`, `a[*].b`, `*`, `{a,b.c}`; "$" or "" is the whole value as JSON."""
    if not path or path == "$":
        return [_json(value)]
    return _texts(value, tokens(path))


def tokens(path: str) -> list[str]:
    """The steps of a path."""
    return _TOKEN.findall(path)


def _texts(value: Any, steps: list[str]) -> list[str]:
    if not steps:
        return _text(value)
    step, rest = steps[0], steps[1:]
    if step.startswith("["):
        inner = _items(value, step[1:-1])
    elif step.startswith("{"):
        fields = [field.strip() for field in step[1:-1].split(",")]
        return [text for field in fields if isinstance(value, Mapping) for text in _texts(value, tokens(field))]
    elif step == "*":
        inner = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
    else:
        inner = [value[step]] if isinstance(value, Mapping) and step in value else []
    return [text for each in inner for text in _texts(each, rest)]


def _items(value: Any, which: str) -> list[Any]:
    if not isinstance(value, list):
        return []
    if which == "*":
        return value
    try:
        return [value[int(which)]]
    except (ValueError, IndexError):
        return []


def _text(value: Any) -> list[str]:
    if isinstance(value, (str, int, float, bool)):
        return [str(value)]
    return [_json(value)] if isinstance(value, (list, dict)) else []


def _json(value: Any) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, sort_keys=True, ensure_ascii=False)


def nearness(one: Vector, other: Vector) -> float:
    """The cosine of the angle between two vectors; 0 where one has no length."""
    lengths = sqrt(sum(x * x for x in one)) * sqrt(sum(y * y for y in other))
    return sum(x * y for x, y in zip(one, other, strict=False)) / lengths if lengths else 0.0
