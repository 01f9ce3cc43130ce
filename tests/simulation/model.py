"""A checkpointer that is obviously right: whole states, deep copies, and a log that a crash cuts at the last flush."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from stepgraph.core.checkpoint import REMOVED, Checkpoint, Extend, Record, Stored, ThreadInfo

Key = tuple[str, str]


class ModelCheckpointer:
    """What was handed over is readable at once, and durable when `flush` returns; `crash` forgets the rest."""

    in_memory = True

    def __init__(self) -> None:
        self._log: list[tuple[Any, ...]] = []
        self._durable = 0
        self._chains: dict[Key, list[Stored]] = {}
        self._records: dict[tuple[str, str, str], dict[tuple[str, str], Record]] = {}

    def save(self, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        self._do("checkpoint", thread, ns, deepcopy(checkpoint))

    def save_record(self, thread: str, ns: str, checkpoint_id: str, record: Record) -> None:
        self._do("record", thread, ns, checkpoint_id, deepcopy(record))

    def flush(self) -> None:
        self._durable = len(self._log)

    def close(self) -> None:
        self.flush()

    def crash(self) -> None:
        """The process died: whatever was not flushed is gone."""
        kept = self._log[: self._durable]
        self._log, self._chains, self._records = [], {}, {}
        for entry in kept:
            self._do(*entry)

    def durable(self) -> list[tuple[Any, ...]]:
        """What a crash leaves: ("checkpoint", thread, ns, checkpoint), ("record", thread, ns, its id, record)."""
        return self._log[: self._durable]

    def everything(self) -> list[tuple[Any, ...]]:
        """All that was ever handed over."""
        return list(self._log)

    def load(self, thread: str, ns: str, checkpoint_id: str | None = None) -> Stored | None:
        chain = self._chains.get((thread, ns), [])
        if checkpoint_id is None:
            return self._read(chain[-1]) if chain else None
        return next((self._read(each) for each in chain if each.id == checkpoint_id), None)

    def history(
        self, thread: str, ns: str, *, before: str | None = None, limit: int | None = None, values: bool = True
    ) -> Iterator[Stored]:
        chain = [each for each in self._chains.get((thread, ns), []) if before is None or each.id < before]
        for stored in list(reversed(chain))[:limit]:
            yield self._read(stored) if values else replace(self._read(stored), values={})

    def namespaces(self, thread: str) -> list[str]:
        return sorted(ns for name, ns in self._chains if name == thread)

    def threads(self) -> list[ThreadInfo]:
        newest = [chain[-1] for (_, ns), chain in self._chains.items() if ns == "" and chain]
        newest.sort(key=lambda each: each.id, reverse=True)
        return [ThreadInfo(s.thread, s.id, s.step, s.time, s.control.next, s.metadata) for s in newest]

    def delete(self, thread: str) -> None:
        self._do("delete", thread)

    def _do(self, kind: str, *entry: Any) -> None:
        self._log.append((kind, *entry))
        match kind:
            case "checkpoint":
                self._append(*entry)
            case "record":
                thread, ns, checkpoint_id, record = entry
                kept = self._records.setdefault((thread, ns, checkpoint_id), {})
                kept[record.task, record.kind] = record
            case "delete":
                for key in [key for key in self._chains if key[0] == entry[0]]:
                    del self._chains[key]
                for place in [place for place in self._records if place[0] == entry[0]]:
                    del self._records[place]

    def _append(self, thread: str, ns: str, checkpoint: Checkpoint) -> None:
        chain = self._chains.setdefault((thread, ns), [])
        home = (checkpoint.parent_thread or thread, checkpoint.parent_ns if checkpoint.parent_ns is not None else ns)
        parent = next((each for each in self._chains.get(home, []) if each.id == checkpoint.parent), None)
        if checkpoint.parent is not None and parent is None:
            raise AssertionError(f"checkpoint {checkpoint.id} names an unknown parent {checkpoint.parent}")
        if chain and checkpoint.id <= chain[-1].id:
            raise AssertionError(f"checkpoint ids must grow: {chain[-1].id} then {checkpoint.id}")
        values = deepcopy(parent.values) if parent else {}
        versions = dict(parent.versions) if parent else {}
        for name, change in checkpoint.changes.items():
            versions[name] = checkpoint.version
            if change == REMOVED:
                values.pop(name, None)
            elif isinstance(change, Extend):
                values[name] = [*values.get(name, ()), *deepcopy(change.items)]
            else:
                values[name] = deepcopy(change)
        seen = {**(parent.seen if parent else {}), **dict.fromkeys(checkpoint.ran, checkpoint.version)}
        chain.append(
            Stored(
                thread, ns, checkpoint.id, checkpoint.parent, checkpoint.step, checkpoint.source, checkpoint.time,
                checkpoint.version, values, checkpoint.control, seen, versions, dict(checkpoint.metadata),
                parent_thread=checkpoint.parent_thread,
            )
        )  # fmt: skip

    def _read(self, stored: Stored) -> Stored:
        records = self._records.get((stored.thread, stored.ns, stored.id), {})
        return deepcopy(replace(stored, records=tuple(records.values())))
