"""What LangGraph's streams and snapshots show of tasks and their writes, for code that asks for these parts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from stepgraph.compat.langgraph._internal._config import filter_to_user_tags, patch_checkpoint_map
from stepgraph.compat.langgraph._internal._constants import (
    ERROR,
    ERROR_SOURCE_NODE,
    INTERRUPT,
    NULL_TASK_ID,
    RESUME,
    RETURN,
)
from stepgraph.compat.supersteps import HIDDEN, read_channels
from stepgraph.core.types import MISSING, TaskSnapshot

CONTROL_WRITES = frozenset((ERROR, ERROR_SOURCE_NODE, INTERRUPT, RESUME))
"""What is written of a task and is no part of its result."""
_SEVERAL = "$writes"
"""The key under which several writes of one task to one channel are shown."""
_FROM_ENGINE = frozenset(
    (
        "thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map", "langgraph_step", "langgraph_node",
        "langgraph_triggers", "langgraph_path", "langgraph_checkpoint_ns",
    )
)  # fmt: skip
"""Metadata of a task that says nothing which the payload does not."""


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """How far a task has come, by what is stored of it."""

    output: tuple[tuple[str, Any], ...] = ()
    interrupts: tuple[Any, ...] = ()
    error: BaseException | None = None

    @property
    def finished(self) -> bool:
        """Whether it has run to its end: then something was written, if only that nothing was."""
        return bool(self.output)

    @property
    def pending_interrupts(self) -> tuple[Any, ...]:
        """The questions that wait for an answer."""
        return () if self.finished else self.interrupts


_NOT_STARTED = TaskStatus()


def read_task_statuses(pending_writes: Iterable[tuple[str, str, Any]]) -> dict[str, TaskStatus]:
    """The statuses of the tasks that (task, channel, value) writes tell of, by id."""
    by_task: dict[str, list[tuple[str, Any]]] = {}
    for task, channel, value in pending_writes:
        if task != NULL_TASK_ID:
            by_task.setdefault(task, []).append((channel, value))
    return {task: _status(writes) for task, writes in by_task.items()}


def _status(writes: Sequence[tuple[str, Any]]) -> TaskStatus:
    asked = [value for channel, value in writes if channel == INTERRUPT]
    return TaskStatus(
        tuple(each for each in writes if each[0] not in CONTROL_WRITES),
        tuple(question for value in asked for question in _listed(value)),
        next((value for channel, value in writes if channel == ERROR), None),
    )


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Sequence) else [value]


def map_debug_tasks(tasks: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """What the `tasks` stream shows as tasks begin; nothing of hidden ones."""
    for task in tasks:
        config = {} if task.config is None else task.config
        if HIDDEN in config.get("tags", ()):
            continue
        shown = {"id": task.id, "name": task.name, "input": task.input, "triggers": task.triggers}
        metadata = {key: each for key, each in (config.get("metadata") or {}).items() if key not in _FROM_ENGINE}
        tags = filter_to_user_tags(config.get("tags"))
        if tags is not None:
            metadata["tags"] = tags
        yield {**shown, "metadata": metadata} if metadata else shown


def is_multiple_channel_write(value: Any) -> bool:
    """Whether it stands for several writes to one channel."""
    return isinstance(value, dict) and isinstance(value.get(_SEVERAL), list)


def map_task_result_writes(writes: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """(channel, value) writes as one dict, several ones to one channel as `{"$writes": [...]}`."""
    found: dict[str, Any] = {}
    for channel, value in writes:
        before = found.get(channel)
        if before is None:
            found[channel] = value
        elif is_multiple_channel_write(before):
            before[_SEVERAL].append(value)
            found[channel] = {_SEVERAL: before[_SEVERAL]}
        else:
            found[channel] = {_SEVERAL: [before, value]}
    return found


def map_debug_task_results(task_tup: tuple[Any, Sequence[tuple[str, Any]]], stream_keys: Any) -> Iterator[Any]:
    """What the `tasks` stream shows as a task ends."""
    task, writes = task_tup
    keys = (stream_keys,) if isinstance(stream_keys, str) else stream_keys
    questions = [each for channel, value in writes if channel == INTERRUPT for each in _listed(value)]
    yield {
        "id": task.id,
        "name": task.name,
        "error": next((value for channel, value in writes if channel == ERROR), None),
        "result": map_task_result_writes([each for each in writes if each[0] == RETURN or each[0] in keys]),
        "interrupts": [asdict(each) for each in questions],
    }


def rm_pregel_keys(config: Any) -> Any:
    """A config's `configurable` without what the engine puts there."""
    if config is None:
        return None
    kept = {key: each for key, each in config.get("configurable", {}).items() if not key.startswith("__pregel_")}
    return {"configurable": kept}


def map_debug_checkpoint(
    config: Any,
    channels: Mapping[str, Any],
    stream_channels: str | Sequence[str],
    metadata: Any,
    tasks: Iterable[Any],
    pending_writes: list[tuple[str, str, Any]],
    parent_config: Any,
    output_keys: str | Sequence[str],
) -> Iterator[dict[str, Any]]:
    """What the `checkpoints` stream shows."""
    place = config["configurable"]
    around = place.get("checkpoint_ns", "")
    inside: dict[str, Any] = {}
    for task in tasks:
        if task.subgraphs:
            own = f"{task.name}:{task.id}"
            ns = f"{around}|{own}" if around else own
            inside[task.id] = {"configurable": {"thread_id": place["thread_id"], "checkpoint_ns": ns}}
    yield {
        "config": rm_pregel_keys(patch_checkpoint_map(config, metadata)),
        "parent_config": rm_pregel_keys(patch_checkpoint_map(parent_config, metadata)),
        "values": read_channels(channels, stream_channels),
        "metadata": metadata,
        "next": [task.name for task in tasks],
        "tasks": [_task_shown(each) for each in tasks_w_writes(tasks, pending_writes, inside, output_keys)],
    }


def _task_shown(task: Any) -> dict[str, Any]:
    named = {"id": task.id, "name": task.name}
    if task.error:
        return {**named, "error": task.error, "state": task.state}
    result = {"result": task.result} if task.result else {}
    return {**named, **result, "interrupts": tuple(map(asdict, task.interrupts)), "state": task.state}


def tasks_w_writes(
    tasks: Iterable[Any],
    pending_writes: list[tuple[str, str, Any]] | None,
    states: Mapping[str, Any] | None,
    output_keys: str | Sequence[str],
    *,
    live: bool = False,
) -> tuple[TaskSnapshot, ...]:
    """The tasks with what they wrote, as snapshots have them; `live` only with questions that wait for an answer."""
    statuses = read_task_statuses(pending_writes or ())
    found = []
    for task in tasks:
        status = statuses.get(task.id, _NOT_STARTED)
        asked = status.pending_interrupts if live else status.interrupts
        result = _result(status.output, output_keys) if status.finished else None
        inside = states.get(task.id) if states else None
        found.append(TaskSnapshot(task.id, task.name, task.path, status.error, asked, inside, result))
    return tuple(found)


def _result(output: Sequence[tuple[str, Any]], keys: str | Sequence[str]) -> Any:
    for channel, value in output:
        if channel == RETURN:
            return value
    if isinstance(keys, str):
        return map_task_result_writes([each for each in output if each[0] == keys]).get(keys)
    return map_task_result_writes([each for each in output if each[0] in keys])


def map_output_updates(
    output_channels: str | Sequence[str], tasks: list[tuple[Any, Sequence[tuple[str, Any]]]], cached: bool = False
) -> Iterator[dict[str, Any]]:
    """What the `updates` stream shows of (task, writes) pairs: each node's update; nothing if all are left out."""
    shown = [
        (task, writes)
        for task, writes in tasks
        if not (task.config and HIDDEN in task.config.get("tags", ())) and writes[0][0] not in (ERROR, INTERRUPT)
    ]
    if not shown:
        return
    by_node: dict[str, list[Any]] = {task.name: [] for task, _ in shown}
    for task, writes in shown:
        by_node[task.name].extend(_updates(output_channels, writes))
    found: dict[str, Any] = {
        name: updates[0] if len(updates) == 1 else updates or None for name, updates in by_node.items()
    }
    if cached:
        found["__metadata__"] = {"cached": cached}
    yield found


def _updates(keys: str | Sequence[str], writes: Sequence[tuple[str, Any]]) -> list[Any]:
    """A task's update; one for each write where it wrote several times to a key."""
    returned = next((value for channel, value in writes if channel == RETURN), MISSING)
    if returned is not MISSING:
        return [returned]
    if isinstance(keys, str):
        return [value for channel, value in writes if channel == keys]
    kept = [(channel, value) for channel, value in writes if channel in keys]
    merged = dict(kept)
    if len(merged) < len(kept):
        return [{channel: value} for channel, value in kept]
    return [merged] if kept else []


COLOR_MAPPING = {
    "black": "0;30", "red": "0;31", "green": "0;32", "yellow": "0;33", "blue": "0;34", "magenta": "0;35",
    "cyan": "0;36", "white": "0;37", "gray": "1;30",
}  # fmt: skip
"""Colour -> its part of a terminal's escape sequence."""


def get_colored_text(text: str, color: str) -> str:
    """The text as a terminal shows it in a colour."""
    return f"\033[1;3{COLOR_MAPPING[color]}m{text}\033[0m"


def get_bolded_text(text: str) -> str:
    """The text as a terminal shows it bold."""
    return f"\033[1m{text}\033[0m"
