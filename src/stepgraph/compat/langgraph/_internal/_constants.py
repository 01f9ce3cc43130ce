"""The reserved keys of writes and of a node's `config["configurable"]`, as programs and checkpoints name them."""

from __future__ import annotations

from typing import Final, Literal

INPUT: Final = "__input__"
INTERRUPT: Final = "__interrupt__"
RESUME: Final = "__resume__"
ERROR: Final = "__error__"
ERROR_SOURCE_NODE: Final = "__error_source_node__"
NO_WRITES: Final = "__no_writes__"
TASKS: Final = "__pregel_tasks"
RETURN: Final = "__return__"
PREVIOUS: Final = "__previous__"
SNAPSHOT_BUMPS: Final = "__snapshot_bumps__"
CACHE_NS_WRITES: Final = "__pregel_ns_writes"

CONFIG_KEY_SEND: Final = "__pregel_send"
"""Takes (key, value) writes of the running task."""
CONFIG_KEY_READ: Final = "__pregel_read"
"""Reads state keys: `read(key or list of keys, fresh)`."""
CONFIG_KEY_CALL: Final = "__pregel_call"
CONFIG_KEY_CHECKPOINTER: Final = "__pregel_checkpointer"
CONFIG_KEY_STREAM: Final = "__pregel_stream"
CONFIG_KEY_CACHE: Final = "__pregel_cache"
CONFIG_KEY_RESUMING: Final = "__pregel_resuming"
CONFIG_KEY_REPLAY_STATE: Final = "__pregel_replay_state"
CONFIG_KEY_TASK_ID: Final = "__pregel_task_id"
CONFIG_KEY_THREAD_ID: Final = "thread_id"
CONFIG_KEY_CHECKPOINT_MAP: Final = "checkpoint_map"
CONFIG_KEY_CHECKPOINT_ID: Final = "checkpoint_id"
CONFIG_KEY_CHECKPOINT_NS: Final = "checkpoint_ns"
CONFIG_KEY_NODE_FINISHED: Final = "__pregel_node_finished"
CONFIG_KEY_TIMED_ATTEMPT_OBSERVER: Final = "__pregel_timed_attempt_observer"
CONFIG_KEY_SCRATCHPAD: Final = "__pregel_scratchpad"
CONFIG_KEY_RUNNER_SUBMIT: Final = "__pregel_runner_submit"
CONFIG_KEY_DURABILITY: Final = "__pregel_durability"
CONFIG_KEY_RUNTIME: Final = "__pregel_runtime"
"""The running task's Runtime."""
CONFIG_KEY_RESUME_MAP: Final = "__pregel_resume_map"
CONFIG_KEY_STRICT_RESUME: Final = "__pregel_strict_resume"
CONFIG_KEY_STREAM_MESSAGES_V2: Final = "__pregel_stream_messages_v2"
CONFIG_KEY_NODE_ERROR: Final = "__pregel_node_error"

PUSH: Final = "__pregel_push"
PULL: Final = "__pregel_pull"
NS_SEP: Final = "|"
NS_END: Final = ":"
CONF: Final[Literal["configurable"]] = "configurable"
NULL_TASK_ID: Final = "00000000-0000-0000-0000-000000000000"
OVERWRITE: Final = "__overwrite__"
_TAG_HIDDEN: Final = "langsmith:hidden"

_CHECKPOINT_COORDINATE_KEYS: Final = frozenset(
    (CONFIG_KEY_CHECKPOINT_ID, CONFIG_KEY_CHECKPOINT_MAP, CONFIG_KEY_CHECKPOINT_NS, CONFIG_KEY_THREAD_ID)
)
RESERVED: Final = {
    _TAG_HIDDEN, INPUT, INTERRUPT, RESUME, ERROR, ERROR_SOURCE_NODE, NO_WRITES, SNAPSHOT_BUMPS, CONFIG_KEY_SEND,
    CONFIG_KEY_READ, CONFIG_KEY_CHECKPOINTER, CONFIG_KEY_STREAM, CONFIG_KEY_CHECKPOINT_MAP, CONFIG_KEY_RESUMING,
    CONFIG_KEY_REPLAY_STATE, CONFIG_KEY_TASK_ID, CONFIG_KEY_CHECKPOINT_ID, CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_TIMED_ATTEMPT_OBSERVER, CONFIG_KEY_RESUME_MAP, CONFIG_KEY_STRICT_RESUME,
    CONFIG_KEY_STREAM_MESSAGES_V2, PUSH, PULL, NS_SEP, NS_END, CONF,
}  # fmt: skip
