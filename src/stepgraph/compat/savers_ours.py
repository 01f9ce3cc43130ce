"""Our checkpointers under LangGraph's engine: a `BaseCheckpointSaver` that keeps threads in any of ours.

Each value is stored in the form of LangGraph's serialiser, so whatever its savers can hold comes back from here. Such a
thread is LangGraph's: our engine reads it through this saver, not from the checkpointer behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    CheckpointTuple,
    get_checkpoint_id,
    get_checkpoint_metadata,
)

from stepgraph.core.checkpoint import REMOVED, Checkpoint, Control, Record, Stored
from stepgraph.core.errors import CheckpointError

HEAD, ABOUT = "langgraph", "langgraph_metadata"
"""Metadata of our checkpoint: LangGraph's checkpoint without its values, and LangGraph's metadata."""
Place = tuple[str, str, str]
"""Thread, namespace, checkpoint."""


def as_langgraph_saver(checkpointer: Any, *, serde: Any = None) -> LangGraphSaver:
    """A saver for LangGraph's graphs, `compile(checkpointer=as_langgraph_saver(SqliteCheckpointer("runs.db")))`.

    `serde` replaces LangGraph's serialiser, e.g. by its encrypting one.
    """
    if not hasattr(checkpointer, "save_record"):
        raise TypeError(
            "as_langgraph_saver takes a checkpointer of stepgraph.persist, such as MemoryCheckpointer(); "
            f"{checkpointer!r} is none."
        )
    return LangGraphSaver(checkpointer, serde=serde)


class LangGraphSaver(BaseCheckpointSaver):  # type: ignore[type-arg]  # versions are plain numbers
    """LangGraph's saver on top of a checkpointer of ours. Its async methods work in helper threads."""

    def __init__(self, checkpointer: Any, *, serde: Any = None) -> None:
        super().__init__(serde=serde)
        self.checkpointer = checkpointer
        self._lock = Lock()
        self._newest: dict[tuple[str, str], tuple[str, Mapping[str, Any]]] = {}
        """Thread and namespace -> id and channel versions of what was put last, to store changes only."""
        self._early: dict[Place, list[Any]] = {}
        """Rows of pending writes that came before their checkpoint."""

    # Writing

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        """Store a checkpoint under the one that `config` names."""
        place = config["configurable"]
        thread, ns, parent = str(place["thread_id"]), place.get("checkpoint_ns", ""), place.get("checkpoint_id")
        head = {key: value for key, value in checkpoint.items() if key != "channel_values"}
        values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
        with self._lock:
            before = self._versions(thread, ns, parent)
            changes: dict[str, Any] = {
                key: list(self.serde.dumps_typed(value))
                for key, value in values.items()
                if key in new_versions or before is None or key not in before or before[key] != versions.get(key)
            }
            if before is not None:
                changes.update((key, REMOVED) for key in before if key not in values)
            about = get_checkpoint_metadata(config, metadata)
            self.checkpointer.save(
                thread,
                ns,
                Checkpoint(
                    checkpoint["id"],
                    None if before is None else parent,
                    int(about.get("step", -1)),
                    about.get("source", "loop"),
                    datetime.fromisoformat(checkpoint["ts"]).timestamp(),
                    1,
                    changes,
                    Control(),
                    (),
                    {
                        HEAD: list(self.serde.dumps_typed(head)),
                        ABOUT: list(self.serde.dumps_typed(about)),
                        "parent": parent,
                    },
                ),
            )
            if early := self._early.pop((thread, ns, checkpoint["id"]), None):
                self._keep((thread, ns, checkpoint["id"]), early)
            self._newest[thread, ns] = (checkpoint["id"], {key: versions.get(key) for key in values})
        self.checkpointer.flush()
        return {"configurable": {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint["id"]}}

    def _versions(self, thread: str, ns: str, parent: str | None) -> Mapping[str, Any] | None:
        """The versions of the values that the parent holds; None if it is not stored."""
        if parent is None:
            return None
        newest = self._newest.get((thread, ns))
        if newest is not None and newest[0] == parent:
            return newest[1]
        stored = self.checkpointer.load(thread, ns, parent)
        if stored is None:
            return None
        versions = self._loads(stored.metadata[HEAD])["channel_versions"]
        return {key: versions.get(key) for key in stored.values}

    def put_writes(self, config: Any, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        """Store what a task of a checkpoint wrote. What a task wrote first in a place stays, but for its status."""
        place = config["configurable"]
        where = str(place["thread_id"]), place.get("checkpoint_ns", ""), place["checkpoint_id"]
        rows = [
            [task_path, task_id, WRITES_IDX_MAP.get(channel, position), channel, *self.serde.dumps_typed(value)]
            for position, (channel, value) in enumerate(writes)
        ]
        with self._lock:
            self._keep(where, rows)
        self.checkpointer.flush()

    def _keep(self, where: Place, rows: Sequence[Any]) -> None:
        """Store rows of pending writes. LangGraph may hand them over before their checkpoint: then they wait for it."""
        stored = self.checkpointer.load(*where)
        if stored is None:
            self._early.setdefault(where, []).extend(rows)
            return
        known = {record.task for record in stored.records}
        for row in rows:
            name = f"{row[1]}#{row[2]}"
            if row[2] < 0 or name not in known:
                self.checkpointer.save_record(*where, Record(name, "input", row, "", ()))

    def delete_thread(self, thread_id: str) -> None:
        """Forget a thread with all its namespaces."""
        with self._lock:
            for key in [key for key in self._newest if key[0] == str(thread_id)]:
                del self._newest[key]
            self.checkpointer.delete(str(thread_id))
        self.checkpointer.flush()

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Forget the threads' checkpoints that were made in these runs."""
        runs = set(map(str, run_ids))
        for thread in self._threads():
            self._rewrite(thread, thread, lambda found: found.metadata.get("run_id") not in runs)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Put all checkpoints and writes of one thread into another."""
        self._rewrite(str(source_thread_id), str(target_thread_id), lambda _: True)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the newest checkpoint of each namespace only, or with the strategy "delete" none."""
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f'Unknown strategy {strategy!r} to prune threads: give "keep_latest" or "delete".')
        for thread in map(str, thread_ids):
            if strategy == "delete":
                self.delete_thread(thread)
                continue
            newest: dict[str, str] = {}
            for found in self.list({"configurable": {"thread_id": thread}}):
                place = found.config["configurable"]
                newest.setdefault(place["checkpoint_ns"], place["checkpoint_id"])
            self._rewrite(thread, thread, partial(_among, set(newest.values())))

    def _rewrite(self, source: str, target: str, keeps: Callable[[CheckpointTuple], bool]) -> None:
        """Put what `keeps` wants of one thread into another, or into itself, with parents where they are kept."""
        found = list(self.list({"configurable": {"thread_id": source}}))
        rows = [self._rows(each) for each in found]
        kept = [(each, its) for each, its in zip(reversed(found), reversed(rows), strict=True) if keeps(each)]
        if source == target:
            if len(kept) == len(found):
                return
            self.delete_thread(source)
        for each, its in kept:
            place = each.config["configurable"]
            parent = each.parent_config["configurable"]["checkpoint_id"] if each.parent_config else None
            config: Any = {"configurable": {**place, "thread_id": target, "checkpoint_id": parent}}
            self.put(config, each.checkpoint, each.metadata, each.checkpoint["channel_versions"])
            with self._lock:
                self._keep((target, place["checkpoint_ns"], place["checkpoint_id"]), its)
        self.checkpointer.flush()

    def _rows(self, found: CheckpointTuple) -> Sequence[Any]:
        place = found.config["configurable"]
        stored = self.checkpointer.load(place["thread_id"], place["checkpoint_ns"], place["checkpoint_id"])
        return [] if stored is None else [record.payload for record in stored.records]

    # Reading

    def get_tuple(self, config: Any) -> CheckpointTuple | None:
        """The checkpoint that `config` names, or the newest of its namespace."""
        place = config["configurable"]
        stored = self.checkpointer.load(
            str(place["thread_id"]), place.get("checkpoint_ns", ""), get_checkpoint_id(config)
        )
        return None if stored is None else self._tuple(stored)

    def list(
        self,
        config: Any,
        *,
        filter: dict[str, Any] | None = None,
        before: Any = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, newest first; without `config` of all threads."""
        place = config["configurable"] if config else {}
        only, first = place.get("checkpoint_id"), get_checkpoint_id(before) if before else None
        wanted = (filter or {}).items()
        left = limit
        for thread in [str(place["thread_id"])] if "thread_id" in place else self._threads():
            spaces = self.checkpointer.namespaces(thread)
            for ns in spaces if place.get("checkpoint_ns") is None else [place["checkpoint_ns"]]:
                for stored in self.checkpointer.history(thread, ns):
                    if (only and stored.id != only) or (first and stored.id >= first):
                        continue
                    found = self._tuple(stored)
                    if any(found.metadata.get(key) != value for key, value in wanted):
                        continue
                    if left is not None:
                        if left <= 0:
                            return
                        left -= 1
                    yield found

    def _threads(self) -> Sequence[str]:
        return [info.thread for info in self.checkpointer.threads()]

    def _tuple(self, stored: Stored) -> CheckpointTuple:
        if HEAD not in stored.metadata:
            raise CheckpointError(
                f"Thread {stored.thread!r} was not stored through a saver of LangGraph's form: compile the graph with "
                "the checkpointer itself, e.g. stepgraph.SqliteCheckpointer."
            )
        place = {"thread_id": stored.thread, "checkpoint_ns": stored.ns}
        parent = stored.metadata["parent"]
        checkpoint: Any = {
            **self._loads(stored.metadata[HEAD]),
            "channel_values": {key: self._loads(value) for key, value in stored.values.items()},
        }
        return CheckpointTuple(
            {"configurable": {**place, "checkpoint_id": stored.id}},
            checkpoint,
            self._loads(stored.metadata[ABOUT]),
            {"configurable": {**place, "checkpoint_id": parent}} if parent else None,
            self._pending(stored),
        )

    def _pending(self, stored: Stored) -> Any:
        rows = sorted((record.payload for record in stored.records), key=lambda row: tuple(row[:3]))
        return [(task, channel, self._loads(value)) for _, task, _, channel, *value in rows]

    def _loads(self, packed: Sequence[Any]) -> Any:
        return self.serde.loads_typed((packed[0], packed[1]))

    # The same in helper threads, for async code

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(self, config: Any, **options: Any) -> AsyncIterator[CheckpointTuple]:
        for found in await asyncio.to_thread(lambda: [*self.list(config, **options)]):
            yield found

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: Any, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        await asyncio.to_thread(self.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await asyncio.to_thread(self.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await asyncio.to_thread(self.copy_thread, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        await asyncio.to_thread(partial(self.prune, thread_ids, strategy=strategy))

    def get_next_version(self, current: Any, channel: None) -> Any:
        """Whole numbers. A thread that was copied from a saver with text versions goes on with its own kind."""
        if isinstance(current, str):
            number = int(current.partition(".")[0]) + 1
            return f"{number:032}"
        return (current or 0) + 1


def _among(kept: set[str], found: CheckpointTuple) -> bool:
    return found.checkpoint["id"] in kept
