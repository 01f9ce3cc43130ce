"""Stores that keep rows somewhere: what a batch of operations means, over four primitives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stepgraph.store.base import (
    BaseStore,
    GetOp,
    IndexConfig,
    Item,
    ListNamespacesOp,
    Namespace,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    meet,
)
from stepgraph.store.matching import listed, passes
from stepgraph.store.meaning import Index, Vector, nearness


@dataclass(slots=True)
class Row:
    """A kept item with the vectors of its texts, by path."""

    item: Item
    vectors: dict[str, Vector] = field(default_factory=dict)


class RowStore(BaseStore):
    """A store over `_read`, `_rows`, `_spaces` and `_write`, which a subclass has."""

    def __init__(self, *, index: IndexConfig | None = None) -> None:
        meet()
        self.index_config = index
        self._index = None if index is None else Index(index)

    @abstractmethod
    def _read(self, namespace: Namespace, key: str, refresh: bool) -> Item | None:
        """The item, if it is there."""

    @abstractmethod
    def _rows(self, prefix: Namespace) -> Iterator[Row]:
        """All rows below a namespace, oldest first."""

    @abstractmethod
    def _spaces(self) -> list[Namespace]:
        """The namespaces that hold rows."""

    @abstractmethod
    def _write(self, puts: list[tuple[PutOp, dict[str, Vector]]]) -> None:
        """Keep or delete, all or nothing."""

    def _found(self, items: Iterable[Item]) -> None:
        """A search with `refresh_ttl` found these."""

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        batch = _Batch(self, ops)
        vectors: dict[str, Vector] = {}
        if self._index is not None:
            vectors = {query: self._index.embed.embed_query(query) for query in batch.queries}
            texts = batch.texts(self._index)
            if texts:
                vectors.update(_paired(texts, self._index.embed.embed_documents(texts)))
        return batch.end(vectors)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        batch = _Batch(self, ops)
        vectors: dict[str, Vector] = {}
        if self._index is not None:
            for query in batch.queries:
                vectors[query] = await self._index.embed.aembed_query(query)
            texts = batch.texts(self._index)
            if texts:
                vectors.update(_paired(texts, await self._index.embed.aembed_documents(texts)))
        return batch.end(vectors)


class _Batch:
    """Operations on their way: reads are done at once, before the puts."""

    def __init__(self, store: RowStore, ops: Iterable[Op]) -> None:
        self._store = store
        self._results: list[Result] = []
        self._searches: list[tuple[int, SearchOp, list[Row]]] = []
        self._puts: dict[tuple[Namespace, str], PutOp] = {}
        for op in map(_own, ops):
            match op:
                case GetOp():
                    self._results.append(store._read(op.namespace, op.key, op.refresh_ttl))
                case SearchOp():
                    rows = [row for row in store._rows(op.namespace_prefix) if passes(row.item.value, op.filter)]
                    self._searches.append((len(self._results), op, rows))
                    self._results.append(None)
                case ListNamespacesOp():
                    self._results.append(listed(store._spaces(), op))
                case PutOp():
                    self._puts.pop((op.namespace, op.key), None)
                    self._puts[op.namespace, op.key] = op
                    self._results.append(None)
                case _:
                    raise ValueError(f"Unknown operation type: {type(op)}")

    @property
    def queries(self) -> list[str]:
        return list(dict.fromkeys(op.query for _, op, _ in self._searches if op.query))

    def texts(self, index: Index) -> list[str]:
        return list(dict.fromkeys(text for op in self._puts.values() for text in index.texts(op).values()))

    def end(self, vectors: dict[str, Vector]) -> list[Result]:
        """The results, once every text has its vector."""
        index = self._store._index
        for position, op, rows in self._searches:
            found = _ranked(rows, op, vectors) if index is not None and op.query else _plain(rows, op)
            self._results[position] = found
            if op.refresh_ttl:
                self._store._found(found)
        if self._puts:
            self._store._write(
                [
                    (op, {} if index is None else {path: vectors[text] for path, text in index.texts(op).items()})
                    for op in self._puts.values()
                ]
            )
        return self._results


_OPERATIONS: dict[str, type[Any]] = {each.__name__: each for each in (GetOp, SearchOp, ListNamespacesOp, PutOp)}


def _own(op: Any) -> Any:
    """LangGraph's operations have the same names and fields as ours, and may be given in their place."""
    kind = _OPERATIONS.get(type(op).__name__, type(op))
    return op if type(op) is kind else kind(**op._asdict())


def _paired(texts: list[str], vectors: list[Vector]) -> dict[str, Vector]:
    if len(texts) != len(vectors):
        raise ValueError(
            f"Number of embeddings ({len(vectors)}) does not match number of indices ({len(texts)}): "
            "the embedding function must give one vector a text."
        )
    return dict(zip(texts, vectors, strict=True))


def _plain(rows: list[Row], op: SearchOp) -> list[SearchItem]:
    return [_item(row, None) for row in rows[op.offset : op.offset + op.limit]]


def _ranked(rows: list[Row], op: SearchOp, vectors: dict[str, Vector]) -> list[SearchItem]:
    """The nearest first, by an item's nearest text; items that were not embedded fill the rest."""
    query = vectors[op.query or ""]
    scored = [(max(nearness(query, each) for each in row.vectors.values()), row) for row in rows if row.vectors]
    scored.sort(key=lambda pair: pair[0], reverse=True)
    found = [_item(row, score) for score, row in scored[op.offset : op.offset + op.limit]]
    others = [row for row in rows if not row.vectors]
    return found + [_item(row, None) for row in others[: op.limit - len(found)]]


def _item(row: Row, score: Any) -> SearchItem:
    item = row.item
    return SearchItem(item.namespace, item.key, item.value, item.created_at, item.updated_at, score)
