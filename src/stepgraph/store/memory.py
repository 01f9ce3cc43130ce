"""A store in this process's memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import RLock

from stepgraph.store.base import IndexConfig, Item, Namespace, PutOp
from stepgraph.store.batches import Row, RowStore
from stepgraph.store.meaning import Vector


class InMemoryStore(RowStore):
    """Keeps items until the process ends. `index` makes them searchable by meaning."""

    def __init__(self, *, index: IndexConfig | None = None) -> None:
        super().__init__(index=index)
        self._kept: dict[Namespace, dict[str, Row]] = {}
        self._lock = RLock()

    def _read(self, namespace: Namespace, key: str, refresh: bool) -> Item | None:
        row = self._kept.get(namespace, {}).get(key)
        return None if row is None else row.item

    def _rows(self, prefix: Namespace) -> Iterator[Row]:
        with self._lock:
            spaces = [rows for namespace, rows in self._kept.items() if namespace[: len(prefix)] == prefix]
            return iter([row for rows in spaces for row in rows.values()])

    def _spaces(self) -> list[Namespace]:
        with self._lock:
            return list(self._kept)

    def _write(self, puts: list[tuple[PutOp, dict[str, Vector]]]) -> None:
        with self._lock:
            for op, vectors in puts:
                if op.value is None:
                    rows = self._kept.get(op.namespace, {})
                    if rows.pop(op.key, None) is not None and not rows:
                        del self._kept[op.namespace]
                    continue
                now = datetime.now(UTC)
                item = Item(
                    value=dict(op.value), key=op.key, namespace=op.namespace, created_at=now, updated_at=now
                )  # fmt: skip
                self._kept.setdefault(op.namespace, {})[op.key] = Row(item, vectors)


def from_url(_: str) -> InMemoryStore:
    """The store of `memory://`: a new one each time."""
    return InMemoryStore()
