"""A saver in memory, for programs that run where langgraph-checkpoint is not installed.

It keeps threads in LangGraph's form. `stepgraph.MemoryCheckpointer` is faster where nobody asks a saver for them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack
from typing import Any, Self

from stepgraph.compat.langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    CheckpointTuple,
    get_checkpoint_id,
    get_checkpoint_metadata,
    writes_sort_key,
)

__all__ = ("InMemorySaver", "MemorySaver")


class InMemorySaver(BaseCheckpointSaver[str], AbstractContextManager[Any], AbstractAsyncContextManager[Any]):
    """Threads in dicts: encoded, so that nobody changes what is stored."""

    def __init__(self, *, serde: Any = None, factory: Any = defaultdict) -> None:
        super().__init__(serde=serde)
        self.storage: dict[str, dict[str, dict[str, tuple[Any, Any, str | None]]]] = factory(lambda: defaultdict(dict))
        """Thread, namespace, checkpoint -> the checkpoint without values, its metadata, its parent."""
        self.writes: dict[tuple[str, str, str], dict[tuple[str, int], tuple[str, str, Any, str]]] = factory(dict)
        """Thread, namespace, checkpoint -> task and place -> task, channel, value, path."""
        self.blobs: dict[tuple[Any, ...], tuple[str, bytes]] = factory()
        """Thread, namespace, channel, version -> value."""
        self.stack = ExitStack()
        if factory is not defaultdict:
            for kept in (self.storage, self.writes, self.blobs):
                self.stack.enter_context(kept)

    def __enter__(self) -> Self:
        self.stack.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self.stack.__exit__(*error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *error: Any) -> Any:
        return self.stack.__exit__(*error)

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        place = config["configurable"]
        thread, ns, name = place["thread_id"], place["checkpoint_ns"], checkpoint["id"]
        head = {key: each for key, each in checkpoint.items() if key != "channel_values"}
        values = checkpoint["channel_values"]
        for key, version in new_versions.items():
            stored = self.serde.dumps_typed(values[key]) if key in values else ("empty", b"")
            self.blobs[thread, ns, key, version] = stored
        about = self.serde.dumps_typed(get_checkpoint_metadata(config, metadata))
        self.storage[thread][ns][name] = (self.serde.dumps_typed(head), about, place.get("checkpoint_id"))
        return _place(thread, ns, name)

    def put_writes(self, config: Any, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        place = config["configurable"]
        kept = self.writes[place["thread_id"], place.get("checkpoint_ns", ""), place["checkpoint_id"]]
        for position, (channel, value) in enumerate(writes):
            where = (task_id, WRITES_IDX_MAP.get(channel, position))
            if where[1] < 0 or where not in kept:  # what a task wrote first stays
                kept[where] = (task_id, channel, self.serde.dumps_typed(value), task_path)

    def get_tuple(self, config: Any) -> CheckpointTuple | None:
        place = config["configurable"]
        thread, ns = place["thread_id"], place.get("checkpoint_ns", "")
        kept = self.storage.get(thread, {}).get(ns, {})
        named = get_checkpoint_id(config)
        name = named or max(kept, default=None)
        if name is None or name not in kept:
            return None
        found = self._tuple(thread, ns, name)
        return found._replace(config=config) if named else found

    def list(
        self, config: Any, *, filter: dict[str, Any] | None = None, before: Any = None, limit: int | None = None
    ) -> Iterator[CheckpointTuple]:
        place = config["configurable"] if config else {}
        only, first = place.get("checkpoint_id"), get_checkpoint_id(before) if before else None
        left = limit
        for thread in (place["thread_id"],) if config else tuple(self.storage):
            kept = self.storage.get(thread, {})
            for ns in tuple(kept):
                if place.get("checkpoint_ns") not in (None, ns):
                    continue
                for name in sorted(kept[ns], reverse=True):
                    if (only and name != only) or (first and name >= first):
                        continue
                    about = self.serde.loads_typed(kept[ns][name][1])
                    if any(about.get(key) != value for key, value in (filter or {}).items()):
                        continue
                    if left is not None:
                        if left <= 0:
                            break
                        left -= 1
                    yield self._tuple(thread, ns, name)

    def _tuple(self, thread: str, ns: str, name: str) -> CheckpointTuple:
        head, about, parent = self.storage[thread][ns][name]
        checkpoint = self.serde.loads_typed(head)
        checkpoint["channel_values"] = self._load_blobs(thread, ns, checkpoint["channel_versions"])
        return CheckpointTuple(
            _place(thread, ns, name),
            checkpoint,
            self.serde.loads_typed(about),
            _place(thread, ns, parent) if parent else None,
            [
                (task, channel, self.serde.loads_typed(value))
                for task, channel, value, _ in self._ordered_writes(thread, ns, name)
            ],
        )

    def _load_blobs(self, thread_id: str, checkpoint_ns: str, versions: Any) -> dict[str, Any]:
        """The values of channels at these versions."""
        found = {key: self.blobs.get((thread_id, checkpoint_ns, key, version)) for key, version in versions.items()}
        return {key: self.serde.loads_typed(each) for key, each in found.items() if each and each[0] != "empty"}

    def _ordered_writes(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> Sequence[Any]:
        kept = self.writes.get((thread_id, checkpoint_ns, checkpoint_id), {})
        return [kept[where] for where in sorted(kept, key=lambda where: writes_sort_key(kept[where][3], *where))]

    def delete_thread(self, thread_id: str) -> None:
        self.storage.pop(thread_id, None)
        for kept in (self.writes, self.blobs):
            for where in [where for where in kept if where[0] == thread_id]:
                del kept[where]

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        return self.get_tuple(config)

    async def alist(
        self, config: Any, *, filter: dict[str, Any] | None = None, before: Any = None, limit: int | None = None
    ) -> AsyncIterator[CheckpointTuple]:
        for found in self.list(config, filter=filter, before=before, limit=limit):
            yield found

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: Any, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        self.put_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        self.delete_thread(thread_id)

    def get_next_version(self, current: str | None, channel: None) -> str:
        """A number of 32 digits, then a fraction that tells two writers apart."""
        number = int(str(current or 0).partition(".")[0])
        return f"{number + 1:032}.{random.random():016}"


def _place(thread: str, ns: str, name: str) -> Any:
    return {"configurable": {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": name}}


MemorySaver = InMemorySaver
