"""The tasks of a superstep in LangGraph's form, for code that plans one by itself. The engine has its own planning.

The parameters are LangGraph's, one by one, because programs look at signatures; `Making` takes them by these names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from stepgraph.compat.format import TASKS
from stepgraph.compat.langgraph._internal._constants import PULL, PUSH
from stepgraph.compat.making import Call, Making, _triggers
from stepgraph.compat.supersteps import checkpoint_null_version


def prepare_next_tasks(
    checkpoint: Mapping[str, Any],
    pending_writes: list[tuple[str, str, Any]],
    processes: Mapping[str, Any],
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    config: Mapping[str, Any],
    step: int,
    stop: int,
    *,
    for_execution: bool,
    store: Any = None,
    checkpointer: Any = None,
    manager: Any = None,
    trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
    updated_channels: set[str] | None = None,
    retry_policy: Sequence[Any] = (),
    cache_policy: Any = None,
) -> dict[str, Any]:
    """The tasks of the next superstep by id; `for_execution` with all that it takes to run them."""
    names: Sequence[str] = ()
    if updated_channels and trigger_to_nodes:
        names = sorted({node for key in updated_channels for node in trigger_to_nodes.get(key, ())})
    elif checkpoint["channel_versions"]:
        names = tuple(processes)
    waiting = channels[TASKS].get() if TASKS in channels and channels[TASKS].is_available() else ()
    found, inputs = {}, dict[Any, Any]()
    for path in chain(((PUSH, place) for place in range(len(waiting))), ((PULL, name) for name in names)):
        task = prepare_single_task(
            path,
            None,
            checkpoint=checkpoint,
            checkpoint_id_bytes=bytes.fromhex(checkpoint["id"].replace("-", "")),
            checkpoint_null_version=checkpoint_null_version(checkpoint),
            pending_writes=pending_writes,
            processes=processes,
            channels=channels,
            managed=managed,
            config=config,
            step=step,
            stop=stop,
            for_execution=for_execution,
            store=store,
            checkpointer=checkpointer,
            manager=manager,
            input_cache=inputs,
            cache_policy=cache_policy,
            retry_policy=retry_policy,
        )
        if task is not None:
            found[task.id] = task
    return found


def prepare_single_task(
    task_path: tuple[Any, ...],
    task_id_checksum: str | None,
    *,
    checkpoint: Mapping[str, Any],
    checkpoint_id_bytes: bytes,
    checkpoint_null_version: Any,
    pending_writes: list[tuple[str, str, Any]],
    processes: Mapping[str, Any],
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    config: Mapping[str, Any],
    step: int,
    stop: int,
    for_execution: bool,
    store: Any = None,
    checkpointer: Any = None,
    manager: Any = None,
    input_cache: dict[Any, Any] | None = None,
    cache_policy: Any = None,
    retry_policy: Sequence[Any] = (),
) -> Any:
    """The task at a path: of a node, of a Send that waits or of a called function; None if there is none to run.

    Raises AssertionError if its id is not `task_id_checksum`.
    """
    making = Making(locals())
    if task_path[0] == PUSH and isinstance(task_path[-1], Call):
        return making.of_call(task_path)
    if task_path[0] == PUSH:
        return making.of_send(task_path, processes)
    if task_path[0] == PULL and task_path[1] in processes and checkpoint_null_version is not None:
        name = task_path[1]
        node, seen = processes[name], checkpoint["versions_seen"].get(name)
        if _triggers(channels, checkpoint["channel_versions"], seen, checkpoint_null_version, node):
            return making.of_node(task_path[:3], node, input_cache)
    return None


def prepare_push_task_functional(
    task_path: tuple[Any, ...],
    task_id_checksum: str | None,
    *,
    checkpoint: Mapping[str, Any],
    checkpoint_id_bytes: bytes,
    pending_writes: list[tuple[str, str, Any]],
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    config: Mapping[str, Any],
    step: int,
    stop: int,
    for_execution: bool,
    store: Any = None,
    checkpointer: Any = None,
    manager: Any = None,
    cache_policy: Any = None,
    retry_policy: Sequence[Any] = (),
    parent_ns: str,
    task_id_func: Any,
) -> Any:
    """The task of a called function, at (PUSH, path of the caller, which of its calls, its id, Call)."""
    return Making(locals()).of_call(task_path)


def prepare_push_task_send(
    task_path: tuple[Any, ...],
    task_id_checksum: str | None,
    *,
    checkpoint: Mapping[str, Any],
    checkpoint_id_bytes: bytes,
    pending_writes: list[tuple[str, str, Any]],
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    config: Mapping[str, Any],
    step: int,
    stop: int,
    for_execution: bool,
    store: Any = None,
    checkpointer: Any = None,
    manager: Any = None,
    cache_policy: Any = None,
    retry_policy: Sequence[Any] = (),
    parent_ns: str,
    task_id_func: Any,
    processes: Mapping[str, Any],
) -> Any:
    """The task of a Send that waits, at (PUSH, its place among them)."""
    return Making(locals()).of_send(task_path, processes)


def prepare_node_error_handler_task(
    failed_task: Any,
    *,
    handler_node_name: str,
    failed_error: BaseException,
    checkpoint: Mapping[str, Any],
    pending_writes: list[tuple[str, str, Any]],
    processes: Mapping[str, Any],
    channels: Mapping[str, Any],
    managed: Mapping[str, Any],
    config: Mapping[str, Any],
    step: int,
    stop: int,
    store: Any = None,
    checkpointer: Any = None,
    manager: Any = None,
    cache_policy: Any = None,
    retry_policy: Sequence[Any] = (),
) -> Any:
    """The task of an error handler in place of one that has failed; None if there is no such node."""
    if handler_node_name not in processes:
        return None
    return Making(locals()).of_handler(failed_task, handler_node_name, processes[handler_node_name], failed_error)
