"""What a saver of LangGraph's holds, without ids and times, so that two engines' threads can be compared by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stepgraph.compat.savers_ours import LangGraphSaver
from tests.differential.plain import error_text, namespace, plain

BESIDE = "__stepgraph__"


def dump(saver: Any, paths: Callable[[Any, Any], dict[str, str]] | None = None) -> dict[str, list[Any]]:
    """Thread and namespace -> its checkpoints, oldest first; parents by their place.

    `paths` says what `task_paths` says, for a saver of another kind than that knows.
    """
    found: dict[tuple[str, str], list[Any]] = {}
    for each in saver.list(None):
        place = each.config["configurable"]
        found.setdefault((place["thread_id"], place["checkpoint_ns"]), []).append(each)
    shown: dict[str, list[Any]] = {}
    for (thread, ns), tuples in found.items():
        ordered = sorted(tuples, key=lambda each: each.checkpoint["id"])
        places = {each.checkpoint["id"]: place for place, each in enumerate(ordered)}
        history = [checkpoint(each, places, (paths or task_paths)(saver, each)) for each in ordered]
        shown.setdefault(f"{thread} {namespace(ns)}".strip(), []).append(history)
    return {where: sorted(each, key=repr) for where, each in sorted(shown.items())}


def task_paths(saver: Any, found: Any) -> dict[str, str]:
    """Task id -> the path that was given with its writes."""
    if isinstance(saver, LangGraphSaver):
        return {task: path for path, task, *_ in saver._rows(found)}
    place = found.config["configurable"]
    stored = saver.writes.get((place["thread_id"], place["checkpoint_ns"], place["checkpoint_id"]), {})
    return {task: path for task, _, _, path in stored.values()}


def checkpoint(found: Any, places: Mapping[str, int], paths: Mapping[str, str]) -> dict[str, Any]:
    """One checkpoint by field."""
    held, parent = found.checkpoint, found.parent_config
    return {
        "metadata": {**found.metadata, "parents": sorted(map(namespace, found.metadata.get("parents", ())))},
        "parent": places.get(parent["configurable"]["checkpoint_id"]) if parent else None,
        "v": held["v"],
        "channel_values": {
            key: plain(value)
            for key, value in held["channel_values"].items()
            if not (key.startswith("join:") and found.metadata.get("source") == "input")  # it is saved late: a race
        },
        "channel_versions": {key: number(version) for key, version in held["channel_versions"].items()},
        "versions_seen": {
            name: {key: number(version) for key, version in seen.items()}
            for name, seen in held["versions_seen"].items()
        },
        "updated_channels": held.get("updated_channels"),
        "writes": writes(found.pending_writes or (), paths),
    }


def writes(pending: Any, paths: Mapping[str, str]) -> list[Any]:
    """Pending writes by task, with its path; tasks in no order, because they are sorted by ids."""
    tasks: dict[str, list[Any]] = {}
    for task, channel, value in pending:
        if channel != BESIDE:
            shown = error_text(value) if channel == "__error__" else plain(value)
            tasks.setdefault(task, []).append((channel, shown))
    return sorted(([paths[task], *sorted(each, key=repr)] for task, each in tasks.items()), key=repr)


def number(version: Any) -> int:
    return int(str(version).partition(".")[0])
