"""How supersteps are planned and applied, on channels and checkpoints. Needs langchain-core."""

from __future__ import annotations

from stepgraph.compat.format_ids import path_text as task_path_str
from stepgraph.compat.making import (
    PUSH_TRIGGER,
    Call,
    _coerce_pending_error,
    _proc_input,
    _read_error_for_task_id_from_pending_writes,
    _read_error_source_node_from_pending_writes,
    _read_errors_from_pending_writes,
    _scratchpad,
    _triggers,
    _uuid5_str,
    _xxhash_str,
)
from stepgraph.compat.preparing import (
    prepare_next_tasks,
    prepare_node_error_handler_task,
    prepare_push_task_functional,
    prepare_push_task_send,
    prepare_single_task,
)
from stepgraph.compat.supersteps import (
    LazyAtomicCounter,
    PregelTaskWrites,
    WritesProtocol,
    apply_writes,
    checkpoint_null_version,
    increment,
    local_read,
    sanitize_untracked_values_in_send,
    should_interrupt,
)

__all__ = (
    "PUSH_TRIGGER",
    "Call",
    "LazyAtomicCounter",
    "PregelTaskWrites",
    "WritesProtocol",
    "_coerce_pending_error",
    "_proc_input",
    "_read_error_for_task_id_from_pending_writes",
    "_read_error_source_node_from_pending_writes",
    "_read_errors_from_pending_writes",
    "_scratchpad",
    "_triggers",
    "_uuid5_str",
    "_xxhash_str",
    "apply_writes",
    "checkpoint_null_version",
    "increment",
    "local_read",
    "prepare_next_tasks",
    "prepare_node_error_handler_task",
    "prepare_push_task_functional",
    "prepare_push_task_send",
    "prepare_single_task",
    "sanitize_untracked_values_in_send",
    "should_interrupt",
    "task_path_str",
)
