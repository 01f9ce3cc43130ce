"""Checkpoints in LangGraph's form, made of channels and read into them, for code that does so by itself.

The savers' own translation is in `stored.py` and `deltas.py`: no run uses these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from inspect import signature
from typing import Any

from stepgraph.compat.deltas import longest, marks_of, snapshot_of
from stepgraph.compat.format import VERSION
from stepgraph.compat.format_ids import checkpoint_id
from stepgraph.compat.langgraph._internal._config import patch_configurable
from stepgraph.compat.langgraph._internal._constants import PUSH, SNAPSHOT_BUMPS
from stepgraph.core.channels import BinaryOperatorAggregate, DeltaChannel, overwritten
from stepgraph.core.types import MISSING

DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT = longest()
Versions = Mapping[str, Any]


def empty_checkpoint() -> dict[str, Any]:
    """A checkpoint in which nothing has been written."""
    return {
        "v": VERSION,
        "id": checkpoint_id(),
        "ts": datetime.now(UTC).isoformat(),
        "channel_values": {},
        "channel_versions": {},
        "versions_seen": {},
    }


def copy_checkpoint(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint whose containers are its own; the values in them are shared.

    Keys of its own, such as the one in which this engine keeps a graph's edges, stay, so that a copy equals what a
    saver gives back.
    """
    seen = checkpoint["versions_seen"]
    return {
        **checkpoint,
        "updated_channels": checkpoint.get("updated_channels"),
        "channel_values": dict(checkpoint["channel_values"]),
        "channel_versions": dict(checkpoint["channel_versions"]),
        "versions_seen": {node: dict(versions) for node, versions in seen.items()},
    }


def create_checkpoint(
    checkpoint: Mapping[str, Any],
    channels: Mapping[str, Any] | None,
    step: int,  # noqa: ARG001  LangGraph's parameter: ids sort by time
    *,
    id: str | None = None,
    updated_channels: set[str] | None = None,
    get_next_version: Any = None,
    channels_to_snapshot: set[str] | None = None,
    stored_versions: Versions | None = None,
    trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The checkpoint after `checkpoint`, with what the channels hold; without channels with its own values.

    DeltaChannels are stored whole where `channels_to_snapshot` says so, and else as their writes. One that nobody
    wrote since the versions that the saver has stored gets a new version, for savers look at these.
    """
    values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
    bumped: dict[str, tuple[Any, Any]] = {}
    if channels is not None:
        values, versions = {}, dict(versions)
        for key, channel in channels.items():
            whole, known = key in (channels_to_snapshot or ()), versions.get(key)
            if whole and get_next_version is not None:
                stored = known is not None and stored_versions is not None and known == stored_versions.get(key)
                if known is None or stored:
                    versions[key] = get_next_version(known, None)
                    bumped[key] = (known, versions[key])
            if key not in versions:
                continue
            value = snapshot_of(channel.get()) if whole else channel.checkpoint()
            if value is not MISSING:
                values[key] = value
    return {
        "v": VERSION,
        "ts": datetime.now(UTC).isoformat(),
        "id": id or checkpoint_id(),
        "channel_values": values,
        "channel_versions": versions,
        "versions_seen": _mark_bumps_seen(checkpoint["versions_seen"], bumped, trigger_to_nodes or {}),
        "updated_channels": None if updated_channels is None else sorted(updated_channels),
    }


def _mark_bumps_seen(
    versions_seen: dict[str, Any],
    bumped: Mapping[str, tuple[Any, Any]],
    trigger_to_nodes: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """What nodes have seen, when versions went from one number to another though nobody wrote.

    Who had seen the old one has seen the new one; which one it had really read is noted beside.
    """
    if not bumped:
        return versions_seen
    found = dict(versions_seen)
    marks = dict(found.pop(SNAPSHOT_BUMPS, {}))
    for key, (old, _) in bumped.items():
        for node in trigger_to_nodes.get(key, ()) if old is None else ():
            found.setdefault(node, {})
    for node, seen in found.items():
        moved = {key: new for key, (old, new) in bumped.items() if seen.get(key) == old}
        for key, new in moved.items():
            now, read = marks_of(node, key)
            old = bumped[key][0]
            if old is not None and marks.get(now) != old:
                marks[read] = old
            marks[now] = new
        if moved:
            found[node] = {**seen, **moved}
    return {**found, SNAPSHOT_BUMPS: marks} if marks else found


def versions_seen_without_bumps(versions_seen: Mapping[str, Any]) -> Mapping[str, Any]:
    """What nodes have really read."""
    marks = versions_seen.get(SNAPSHOT_BUMPS)
    if not marks:
        return versions_seen
    found: dict[str, Any] = {}
    for node, seen in versions_seen.items():
        if node == SNAPSHOT_BUMPS:
            continue
        own = found[node] = {}
        for key, version in seen.items():
            now, read = marks_of(node, key)
            if marks.get(now) != version:
                own[key] = version
            elif read in marks:
                own[key] = marks[read]
    return found


# Channels of a checkpoint


def channels_from_checkpoint(
    specs: Mapping[str, Any], checkpoint: Mapping[str, Any], *, saver: Any = None, config: Any = None
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Channels with the values of a checkpoint, and managed values by name.

    What a checkpoint does not hold of DeltaChannels is read from those before it, for which saver and config are
    needed: raises ValueError without them.
    """
    left = _delta_channels_to_replay(specs, checkpoint)
    _require(left, saver, config)
    return _hydrated(specs, checkpoint, saver.get_delta_channel_history(config=config, channels=left) if left else {})


async def achannels_from_checkpoint(
    specs: Mapping[str, Any], checkpoint: Mapping[str, Any], *, saver: Any = None, config: Any = None
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The same with the saver's async method."""
    left = _delta_channels_to_replay(specs, checkpoint)
    _require(left, saver, config)
    found = await saver.aget_delta_channel_history(config=config, channels=left) if left else {}
    return _hydrated(specs, checkpoint, found)


def _delta_channels_to_replay(specs: Mapping[str, Any], checkpoint: Mapping[str, Any]) -> list[str]:
    """The channels that were written and that the checkpoint does not hold."""
    values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
    kinds = (DeltaChannel, BinaryOperatorAggregate)
    return [
        key
        for key, each in specs.items()
        if isinstance(_rule(each), kinds) and key in versions and values.get(key, MISSING) is MISSING
    ]


def _rule(spec: Any) -> Any:
    return getattr(spec, "rule", spec)


def _require(channels: list[str], saver: Any, config: Any) -> None:
    if channels and (saver is None or config is None):
        raise ValueError(
            f"DeltaChannel {channels} has history to replay but no checkpointer or config was passed to read it: "
            "give `saver` and `config`."
        )


def _hydrated(
    specs: Mapping[str, Any], checkpoint: Mapping[str, Any], histories: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    values = checkpoint["channel_values"]
    made: dict[str, Any] = {}
    managed: dict[str, Any] = {}
    for key, spec in specs.items():
        if not hasattr(spec, "from_checkpoint"):
            managed[key] = spec
        elif key in histories:
            made[key] = _replayed(spec, histories[key])
        else:
            made[key] = spec.from_checkpoint(values.get(key, MISSING))
    return made, managed


def _replayed(spec: Any, history: Mapping[str, Any]) -> Any:
    channel = spec.from_checkpoint(history.get("seed", MISSING))
    if isinstance(_rule(channel), DeltaChannel):
        channel.replay_writes(history["writes"])
    else:
        for _, _, value in history["writes"]:  # they are of many supersteps
            channel.update([value])
    return channel


# What a checkpoint holds of DeltaChannels


def put_writes_accepts_task_path(put_writes: Any) -> bool:
    """Whether a saver's method takes the path of the task: older ones do not."""
    return "task_path" in signature(put_writes).parameters


def _available_deltas(channels: Mapping[str, Any], versions: Versions) -> Iterable[tuple[str, Any]]:
    for key, channel in channels.items():
        if isinstance(_rule(channel), DeltaChannel) and channel.is_available() and key in versions:
            yield key, channel


def delta_channels_to_snapshot(
    channels: Mapping[str, Any],
    counters_since_delta_snapshot: Mapping[str, tuple[int, int]],
    channel_versions: Versions,
) -> set[str]:
    """The DeltaChannels that are to be stored whole, by (updates, supersteps) since they were."""
    found = set()
    for key, channel in _available_deltas(channels, channel_versions):
        updates, supersteps = counters_since_delta_snapshot.get(key, (0, 0))
        if updates >= channel.snapshot_frequency or supersteps >= DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT:
            found.add(key)
    return found


def get_delta_channels_from_all_channels(channels: Mapping[str, Any], channel_versions: Versions) -> set[str]:
    """The DeltaChannels that have been written."""
    return {key for key, _ in _available_deltas(channels, channel_versions)}


def get_updated_channels_from_tasks(run_tasks: Iterable[Any]) -> set[str]:
    """What tasks have written, without Sends."""
    return {key for task in run_tasks for key, _ in task.writes} - {PUSH}


def delta_channels_with_pending_writes(
    specs: Mapping[str, Any], pending_writes: Iterable[tuple[str, str, Any]] | None
) -> set[str]:
    """The DeltaChannels that stored writes of tasks go to."""
    return {key for _, key, _ in pending_writes or () if isinstance(_rule(specs.get(key)), DeltaChannel)}


def delta_channels_overwritten(specs: Mapping[str, Any], writes: Iterable[tuple[str, Any]]) -> set[str]:
    """The DeltaChannels that writes set anew."""
    return {key for key, value in writes if isinstance(_rule(specs.get(key)), DeltaChannel) and _is_set(value)}


def _is_set(value: Any) -> bool:
    return overwritten(value) is not MISSING


def create_metadata_for_update_state_api(
    channels: Mapping[str, Any], updated_channels: set[str], *, prev_metadata: Mapping[str, Any] | None
) -> dict[str, tuple[int, int]]:
    """(updates, supersteps) since each DeltaChannel was stored whole, after another superstep."""
    before = (prev_metadata or {}).get("counters_since_delta_snapshot") or {}
    found = {}
    for key in channels:
        if isinstance(_rule(channels[key]), DeltaChannel):
            updates, supersteps = before.get(key, (0, 0))
            found[key] = (updates + (key in updated_channels), supersteps + 1)
    return found


def create_checkpoint_plan_for_update_state_api(
    channels: Mapping[str, Any],
    updated_channels: set[str],
    *,
    source: str,
    step: int,
    parents: dict[str, Any],
    saved_metadata: Mapping[str, Any] | None,
    is_fresh_thread: bool,
    fork_channels: set[str],
    channel_versions: Versions,
) -> tuple[set[str], dict[str, Any]]:
    """Which DeltaChannels an edit stores whole, and the metadata of its checkpoint."""
    metadata: dict[str, Any] = {"source": source, "step": step, "parents": parents}
    if is_fresh_thread:
        return get_delta_channels_from_all_channels(channels, channel_versions), metadata
    counters = create_metadata_for_update_state_api(channels, updated_channels, prev_metadata=saved_metadata)
    whole = delta_channels_to_snapshot(channels, counters, channel_versions) | fork_channels
    counters = {key: each for key, each in counters.items() if key not in whole and each != (0, 0)}
    if counters:
        metadata["counters_since_delta_snapshot"] = counters
    return whole, metadata


def checkpoint_superseded(saver: Any, config: Any, saved: Any) -> bool:
    """Whether the checkpoint that a config names is no longer the thread's last one."""
    if not config["configurable"].get("checkpoint_id"):
        return False
    return _is_other(saver.get_tuple(patch_configurable(config, {"checkpoint_id": None})), saved)


async def acheckpoint_superseded(saver: Any, config: Any, saved: Any) -> bool:
    """The same with the saver's async method."""
    if not config["configurable"].get("checkpoint_id"):
        return False
    return _is_other(await saver.aget_tuple(patch_configurable(config, {"checkpoint_id": None})), saved)


def _is_other(latest: Any, saved: Any) -> bool:
    return latest is not None and latest.checkpoint["id"] != saved.checkpoint["id"]
