"""What a saver of threads is, for programs that run where langgraph-checkpoint is not installed."""

from __future__ import annotations

import copy
import logging
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

from stepgraph.compat.langgraph.checkpoint.base.id import uuid6
from stepgraph.compat.langgraph.checkpoint.serde.base import SerializerProtocol, maybe_add_typed_methods
from stepgraph.compat.langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from stepgraph.compat.langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from stepgraph.compat.langgraph.checkpoint.serde.types import (
    ERROR,
    INTERRUPT,
    RESUME,
    SCHEDULED,
    ChannelProtocol,
    SendProtocol,
)
from stepgraph.core.errors import EmptyChannelError

__all__ = (
    "EXCLUDED_METADATA_KEYS",
    "LATEST_VERSION",
    "WRITES_IDX_MAP",
    "BaseCheckpointSaver",
    "ChannelProtocol",
    "ChannelVersions",
    "Checkpoint",
    "CheckpointMetadata",
    "CheckpointTuple",
    "DeltaChannelHistory",
    "EmptyChannelError",
    "PendingWrite",
    "SendProtocol",
    "SerializerProtocol",
    "copy_checkpoint",
    "create_checkpoint",
    "empty_checkpoint",
    "get_checkpoint_id",
    "get_checkpoint_metadata",
    "get_serializable_checkpoint_metadata",
    "maybe_add_typed_methods",
    "writes_sort_key",
)

logger = logging.getLogger("langgraph.checkpoint.base")
V = TypeVar("V", int, float, str)
PendingWrite = tuple[str, str, Any]
"""Task, channel, value."""
ChannelVersions = dict[str, str | int | float]
Config = Any
WRITES_IDX_MAP = {ERROR: -1, SCHEDULED: -2, INTERRUPT: -3, RESUME: -4}
"""The places of what is written about a task; its other writes have theirs in the order in which they came."""
EXCLUDED_METADATA_KEYS = {
    "thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map", "langgraph_step", "langgraph_node",
    "langgraph_triggers", "langgraph_path", "langgraph_checkpoint_ns",
}  # fmt: skip
"""What of a config does not become metadata of a checkpoint."""
LATEST_VERSION = 2


class CheckpointMetadata(TypedDict, total=False):
    """What is said of a checkpoint."""

    source: Literal["input", "loop", "update", "fork"]
    step: int
    parents: dict[str, str]
    """The checkpoints of the graphs around, by namespace."""
    run_id: str
    counters_since_delta_snapshot: dict[str, tuple[int, int]]


class Checkpoint(TypedDict):
    """A graph's state after a superstep."""

    v: int
    """Of the format."""
    id: str
    """Sorts by time."""
    ts: str
    channel_values: dict[str, Any]
    channel_versions: ChannelVersions
    versions_seen: dict[str, ChannelVersions]
    """By node."""
    updated_channels: list[str] | None


class CheckpointTuple(NamedTuple):
    """A checkpoint with its place, and what tasks wrote after it."""

    config: Config
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    parent_config: Config | None = None
    pending_writes: list[PendingWrite] | None = None


class DeltaChannelHistory(TypedDict):
    """What led to a channel's value at a checkpoint."""

    writes: list[PendingWrite]
    """Oldest first."""
    seed: NotRequired[Any]
    """The value from which they go on."""


def copy_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """A checkpoint whose containers are its own; the values in them are shared."""
    given: Any = checkpoint
    found: Any = {
        **{key: given[key] for key in ("v", "ts", "id")},
        "channel_values": dict(given["channel_values"]),
        "channel_versions": dict(given["channel_versions"]),
        "versions_seen": {node: dict(seen) for node, seen in given["versions_seen"].items()},
        "pending_sends": list(given.get("pending_sends", ())),
        "updated_channels": given.get("updated_channels"),
    }
    return found  # type: ignore[no-any-return]  # a Checkpoint with a key of old versions


def writes_sort_key(task_path: str, task_id: str = "", idx: int = 0) -> tuple[str, str, int]:
    """The order of what a superstep's tasks wrote."""
    return task_path, task_id, idx


class BaseCheckpointSaver(Generic[V]):
    """The base of savers, which programs derive their own from: `get_tuple`, `list`, `put`, `put_writes`, and async.

    `serde` makes bytes of values. What a program's class leaves out raises NotImplementedError, by which callers know
    that a saver can't do it; the class is not abstract, so that savers for sync or async runs alone are whole.
    """

    serde: SerializerProtocol = JsonPlusSerializer()

    def __init__(self, *, serde: Any = None) -> None:
        self.serde = maybe_add_typed_methods(serde or self.serde)

    @property
    def config_specs(self) -> list[Any]:
        """Fields of configs that it knows."""
        return []

    def get(self, config: Config) -> Checkpoint | None:
        """The checkpoint that a config names, or the newest of its place."""
        found = self.get_tuple(config)
        return None if found is None else found.checkpoint

    def get_tuple(self, config: Config) -> CheckpointTuple | None:
        """The same with all that is known of it."""
        raise NotImplementedError

    def list(
        self,
        config: Config | None,
        *,
        filter: dict[str, Any] | None = None,
        before: Config | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Checkpoints, newest first: of a config's place, with this metadata, before another one."""
        raise NotImplementedError

    def put(
        self, config: Config, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> Config:
        """Store a checkpoint after the one that the config names; gives its own place."""
        raise NotImplementedError

    def put_writes(self, config: Config, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = "") -> None:
        """Store what a task wrote after a checkpoint."""
        raise NotImplementedError

    def delete_thread(self, thread_id: str) -> None:
        """Forget a thread."""
        raise NotImplementedError

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Forget what these runs have made."""
        raise NotImplementedError

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Put all of a thread into another."""
        raise NotImplementedError

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the newest checkpoints of threads only, or with `"delete"` none."""
        raise NotImplementedError

    async def aget(self, config: Config) -> Checkpoint | None:
        """As `get`."""
        found = await self.aget_tuple(config)
        return None if found is None else found.checkpoint

    async def aget_tuple(self, config: Config) -> CheckpointTuple | None:
        """As `get_tuple`."""
        raise NotImplementedError

    async def alist(
        self,
        config: Config | None,
        *,
        filter: dict[str, Any] | None = None,
        before: Config | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """As `list`."""
        raise NotImplementedError
        yield

    async def aput(
        self, config: Config, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> Config:
        """As `put`."""
        raise NotImplementedError

    async def aput_writes(
        self, config: Config, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """As `put_writes`."""
        raise NotImplementedError

    async def adelete_thread(self, thread_id: str) -> None:
        """As `delete_thread`."""
        raise NotImplementedError

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """As `delete_for_runs`."""
        raise NotImplementedError

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """As `copy_thread`."""
        raise NotImplementedError

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """As `prune`."""
        raise NotImplementedError

    def get_delta_channel_history(
        self, *, config: Config, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """What led to these channels' values at a checkpoint: each goes back to where it was stored whole."""
        walk = _Walk(channels)
        target = self.get_tuple(config) if channels else None
        where = None if target is None else target.parent_config
        while where is not None and walk.left:
            found = self.get_tuple(where)
            where = walk.visit(found)
        return walk.result()

    async def aget_delta_channel_history(
        self, *, config: Config, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """As `get_delta_channel_history`."""
        walk = _Walk(channels)
        target = await self.aget_tuple(config) if channels else None
        where = None if target is None else target.parent_config
        while where is not None and walk.left:
            found = await self.aget_tuple(where)
            where = walk.visit(found)
        return walk.result()

    def get_next_version(self, current: V | None, channel: None) -> V:
        """The version after `current`: whole numbers. Raises NotImplementedError for texts."""
        if isinstance(current, str):
            raise NotImplementedError
        given: Any = current
        following: Any = 1 if given is None else given + 1
        return following  # type: ignore[no-any-return]  # of the type of the versions

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> BaseCheckpointSaver[V]:
        """The same saver, whose serializer makes these classes too."""
        serde = _with_msgpack_allowlist(self.serde, extra_allowlist)
        if serde is self.serde:
            return self
        other = copy.copy(self)
        other.serde = serde
        return other


class _Walk:
    """Collects, from one checkpoint to its parent, what led to channels' values."""

    def __init__(self, channels: Sequence[str]) -> None:
        self.left = set(channels)
        self.found: dict[str, Any] = {channel: {"writes": []} for channel in channels}

    def visit(self, found: CheckpointTuple | None) -> Config | None:
        """Take what a checkpoint knows; gives where to go on."""
        if found is None:
            return None
        for write in reversed(found.pending_writes or []):
            if write[1] in self.left:
                self.found[write[1]]["writes"].append(write)
        values = found.checkpoint["channel_values"]
        for channel in self.left & values.keys():
            self.found[channel]["seed"] = values[channel]
        self.left -= values.keys()
        return found.parent_config

    def result(self) -> dict[str, DeltaChannelHistory]:
        for each in self.found.values():
            each["writes"].reverse()
        return self.found


def _with_msgpack_allowlist(
    serde: SerializerProtocol, extra_allowlist: Collection[tuple[str, ...]]
) -> SerializerProtocol:
    """The serializer with these classes, where it has such a list."""
    if isinstance(serde, JsonPlusSerializer):
        return serde.with_msgpack_allowlist(extra_allowlist)
    if isinstance(serde, EncryptedSerializer) and isinstance(serde.serde, JsonPlusSerializer):
        inner = serde.serde.with_msgpack_allowlist(extra_allowlist)
        return serde if inner is serde.serde else EncryptedSerializer(serde.cipher, inner)
    logger.warning("Serializer %s has no list of classes that it may make.", type(serde).__name__)
    return serde


def get_checkpoint_id(config: Config) -> str | None:
    """The checkpoint that a config names."""
    found: str | None = config["configurable"].get("checkpoint_id")
    return found


def get_checkpoint_metadata(config: Config, metadata: CheckpointMetadata) -> CheckpointMetadata:
    """The metadata with what a config says beside where its run is: texts, numbers and booleans."""
    found: Any = {key: _without_zeros(value) for key, value in metadata.items()}
    for part in ("metadata", "configurable"):
        for key, value in (config.get(part) or {}).items():
            known = key in found or key in EXCLUDED_METADATA_KEYS or key.startswith("__")
            if not known and isinstance(value, (str, int, bool, float)):
                found[key] = _without_zeros(value)
    return found  # type: ignore[no-any-return]  # with keys that users name


def _without_zeros(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value  # databases refuse them


def get_serializable_checkpoint_metadata(config: Config, metadata: CheckpointMetadata) -> CheckpointMetadata:
    """The same without the writes that old versions kept there."""
    found: Any = get_checkpoint_metadata(config, metadata)
    found.pop("writes", None)
    return found  # type: ignore[no-any-return]  # as above


def empty_checkpoint() -> Checkpoint:
    """A checkpoint in which nothing has been written."""
    found: Any = _checkpoint(str(uuid6(clock_seq=-2)), {}, {}, {}, [])
    return found  # type: ignore[no-any-return]  # a Checkpoint with a key of old versions


def create_checkpoint(
    checkpoint: Checkpoint, channels: Mapping[str, Any] | None, step: int, *, id: str | None = None
) -> Checkpoint:
    """The checkpoint after `checkpoint`, with what the channels hold."""
    given: Any = checkpoint
    values = given["channel_values"]
    if channels is not None:
        values = {}
        for key, channel in channels.items():
            if key in given["channel_versions"]:
                try:
                    values[key] = channel.checkpoint()
                except EmptyChannelError:
                    continue
    sends = given.get("pending_sends", [])
    found: Any = _checkpoint(
        id or str(uuid6(clock_seq=step)), values, given["channel_versions"], given["versions_seen"], sends
    )
    return found  # type: ignore[no-any-return]  # as above


def _checkpoint(id: str, values: Any, versions: Any, seen: Any, sends: Any) -> dict[str, Any]:
    return {
        "v": LATEST_VERSION,
        "id": id,
        "ts": datetime.now(UTC).isoformat(),
        "channel_values": values,
        "channel_versions": versions,
        "versions_seen": seen,
        "pending_sends": sends,
        "updated_channels": None,
    }
