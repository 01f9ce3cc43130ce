"""One task of a superstep in LangGraph's form, and what stored writes say of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from hashlib import sha1
from typing import Any

from stepgraph.compat.called import get_runnable_for_task, identifier
from stepgraph.compat.executable import CacheKey, PregelExecutableTask
from stepgraph.compat.format import TASKS
from stepgraph.compat.format_ids import digits_of, interrupt_id, path_text
from stepgraph.compat.langgraph._internal._config import merge_configs, patch_config
from stepgraph.compat.langgraph._internal._constants import (
    CACHE_NS_WRITES,
    ERROR,
    ERROR_SOURCE_NODE,
    NULL_TASK_ID,
    PREVIOUS,
    PULL,
    PUSH,
    RESUME,
)
from stepgraph.compat.langgraph._internal._scratchpad import PregelScratchpad
from stepgraph.compat.langgraph.runtime import DEFAULT_RUNTIME
from stepgraph.compat.supersteps import (
    LazyAtomicCounter,
    PregelTaskWrites,
    local_read,
    logger,
)
from stepgraph.core.errors import NodeError
from stepgraph.core.types import MISSING, Send, TaskSnapshot
from stepgraph.run.runtime import ExecutionInfo

PUSH_TRIGGER = (PUSH,)


class Call:
    """A function that a running task calls as a task."""

    __slots__ = ("cache_policy", "callbacks", "func", "input", "retry_policy", "timeout")

    def __init__(
        self,
        func: Callable[..., Any],
        input: tuple[tuple[Any, ...], dict[str, Any]],
        *,
        retry_policy: Sequence[Any] | None,
        cache_policy: Any,
        callbacks: Any,
        timeout: Any = None,
    ) -> None:
        self.func, self.input, self.retry_policy, self.cache_policy = func, input, retry_policy, cache_policy
        self.callbacks, self.timeout = callbacks, timeout


class Making:
    """Makes a task of the arguments of LangGraph's functions, which are `given` under their names."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.checkpoint, self.config = given["checkpoint"], given["config"]
        self.id_bytes: bytes = given.get("checkpoint_id_bytes") or bytes.fromhex(self.checkpoint["id"].replace("-", ""))
        self.pending, self.channels, self.managed = given["pending_writes"], given["channels"], given["managed"]
        self.step, self.stop = given["step"], given["stop"]
        self.store, self.checkpointer, self.manager = given["store"], given["checkpointer"], given["manager"]
        self.cache, self.retries = given["cache_policy"], given["retry_policy"]
        self.checksum, self.executable = given.get("task_id_checksum"), given.get("for_execution", True)
        self.configurable: Mapping[str, Any] = self.config.get("configurable", {})
        self.around: str = given.get("parent_ns", self.configurable.get("checkpoint_ns", ""))

    def of_node(self, path: tuple[Any, ...], node: Any, input_cache: dict[Any, Any] | None) -> Any:
        name, triggers = path[1], tuple(sorted(node.triggers))
        task_id, ns = self.named(name, PULL, *triggers)
        scratchpad = self.scratchpad(task_id, ns)
        try:
            value = _proc_input(
                node, self.managed, self.channels, for_execution=self.executable, scratchpad=scratchpad,
                input_cache=input_cache,
            )  # fmt: skip
        except Exception as error:
            error.add_note(f"Before task with name '{name}' and path '{path}'")
            raise
        if value is MISSING:
            return None
        self.check(task_id)
        if not self.executable:
            return TaskSnapshot(task_id, name, path)
        return self.made(node, name, value, task_id, ns, path, triggers, scratchpad, timeout=node.timeout)

    def of_send(self, path: tuple[Any, ...], processes: Mapping[str, Any]) -> Any:
        if len(path) != 2:
            logger.warning("Ignoring invalid PUSH task path %s", path)
            return None
        waiting = self.channels[TASKS].get() if self.channels[TASKS].is_available() else ()
        if not 0 <= path[1] < len(waiting):
            return None
        send = waiting[path[1]]
        if not isinstance(send, Send):
            logger.warning("Ignoring invalid packet type %s in pending sends", type(send))
            return None
        if send.node not in processes:
            logger.warning("Ignoring unknown node name %s in pending sends", send.node)
            return None
        node = processes[send.node]
        task_id, ns = self.named(send.node, PUSH, str(path[1]))
        self.check(task_id)
        path = (*path, False)
        if not self.executable:
            return TaskSnapshot(task_id, send.node, path)
        timeout = node.timeout if send.timeout is None else send.timeout
        scratchpad = self.scratchpad(task_id, ns)
        return self.made(node, send.node, send.arg, task_id, ns, path, PUSH_TRIGGER, scratchpad, timeout=timeout)

    def of_call(self, path: tuple[Any, ...]) -> Any:
        call, proc = path[-1], get_runnable_for_task(path[-1].func)
        name: Any = proc.name
        task_id, ns = self.named(name, PUSH, path_text(path[1]), str(path[2]))
        self.check(task_id)
        path = (*path[:3], True)
        if not self.executable:
            return TaskSnapshot(task_id, name, path)
        writes: deque[tuple[str, Any]] = deque()
        policy = call.cache_policy or self.cache
        key = _cache_key(policy, (identifier(call.func) or "__dynamic__",), *call.input[0], **call.input[1])
        metadata = self.metadata(name, ns, path, PUSH_TRIGGER)
        config = self.configured(
            {"metadata": metadata}, name, task_id, ns, path, PUSH_TRIGGER, writes, self.scratchpad(task_id, ns),
            callbacks=call.callbacks, runtime={},
        )  # fmt: skip
        retries = call.retry_policy or self.retries
        return PregelExecutableTask(
            name, call.input, proc, writes, config, PUSH_TRIGGER, retries, key, task_id, path, timeout=call.timeout
        )

    def of_handler(self, failed: Any, name: str, node: Any, error: BaseException) -> Any:
        task_id, ns = self.named(name, PUSH, "node_error_handler", failed.id)
        path = (*failed.path[:3], "node_error_handler", False)
        about = {"__pregel_node_error": NodeError(node=failed.name, error=error)}
        scratchpad = self.scratchpad(task_id, ns)
        return self.made(node, name, failed.input, task_id, ns, path, PUSH_TRIGGER, scratchpad, more=about)

    def made(
        self,
        node: Any,
        name: str,
        value: Any,
        task_id: str,
        ns: str,
        path: tuple[Any, ...],
        triggers: tuple[str, ...],
        scratchpad: Any,
        *,
        timeout: Any = None,
        more: Mapping[str, Any] | None = None,
    ) -> Any:
        """A task of a node; None for a node that does nothing."""
        proc = node.node
        if proc is None:
            return None
        writes: deque[tuple[str, Any]] = deque()
        about = {"metadata": {**self.metadata(name, ns, path, triggers), **(node.metadata or {})}, "tags": node.tags}
        runtime = {"previous": self.checkpoint["channel_values"].get(PREVIOUS)}
        config = self.configured(
            about, name, task_id, ns, path, triggers, writes, scratchpad, runtime=runtime, more=more
        )
        key = _cache_key(node.cache_policy or self.cache, (identifier(node) or "__dynamic__", name), value)
        retries = node.retry_policy or self.retries
        return PregelExecutableTask(
            name, value, proc, writes, config, triggers, retries, key, task_id, path, node.flat_writers, node.subgraphs,
            timeout,
        )  # fmt: skip

    def named(self, name: str, *what: str) -> tuple[str, str]:
        """A task's id, and its namespace."""
        place = f"{self.around}|{name}" if self.around else name
        hashed = _xxhash_str if self.checkpoint["v"] > 1 else _uuid5_str
        task_id = hashed(self.id_bytes, place, str(self.step), name, *what)
        return task_id, f"{place}:{task_id}"

    def check(self, task_id: str) -> None:
        if self.checksum is not None and task_id != self.checksum:
            raise AssertionError(f"{task_id} != {self.checksum}")

    def metadata(self, name: str, ns: str, path: tuple[Any, ...], triggers: Sequence[str]) -> dict[str, Any]:
        return {
            "langgraph_step": self.step,
            "langgraph_node": name,
            "langgraph_triggers": triggers,
            "langgraph_path": path,
            "langgraph_checkpoint_ns": ns,
        }

    def scratchpad(self, task_id: str, ns: str) -> PregelScratchpad:
        known = self.configurable
        return _scratchpad(
            known.get("__pregel_scratchpad"), self.pending, task_id, ns, known.get("__pregel_resume_map"), self.step,
            self.stop,
        )  # fmt: skip

    def configured(
        self,
        about: Mapping[str, Any],
        name: str,
        task_id: str,
        ns: str,
        path: tuple[Any, ...],
        triggers: Sequence[str],
        writes: deque[tuple[str, Any]],
        scratchpad: PregelScratchpad,
        *,
        runtime: Mapping[str, Any],
        callbacks: Any = None,
        more: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The config with which a task runs."""
        known, run = self.configurable, self.config.get("run_id")
        if callbacks is None and self.manager is not None:
            callbacks = self.manager.get_child(f"graph:step:{self.step}")
        info = ExecutionInfo(
            self.checkpoint["id"], ns, task_id, known.get("thread_id"), None if run is None else str(run)
        )
        around: Any = known.get("__pregel_runtime", DEFAULT_RUNTIME)
        written = PregelTaskWrites(path, name, writes, triggers)
        return patch_config(
            merge_configs(self.config, about),
            run_name=name,
            callbacks=callbacks,
            configurable={
                "__pregel_task_id": task_id,
                "__pregel_send": writes.extend,
                "__pregel_read": partial(local_read, scratchpad, self.channels, self.managed, written),
                "__pregel_checkpointer": self.checkpointer or known.get("__pregel_checkpointer"),
                "checkpoint_map": {**known.get("checkpoint_map", {}), self.around: self.checkpoint["id"]},
                "checkpoint_id": None,
                "checkpoint_ns": ns,
                "__pregel_scratchpad": scratchpad,
                "__pregel_runtime": around.override(store=self.store, execution_info=info, **runtime),
                **(more or {}),
            },
        )


def _cache_key(policy: Any, ns: tuple[str, ...], *args: Any, **kwargs: Any) -> CacheKey | None:
    if not policy:
        return None
    key = policy.key_func(*args, **kwargs)
    return CacheKey((CACHE_NS_WRITES, *ns), digits_of(key.encode() if isinstance(key, str) else key), policy.ttl)


def _triggers(
    channels: Mapping[str, Any], versions: Mapping[str, Any], seen: Mapping[str, Any] | None, null: Any, proc: Any
) -> bool:
    """Whether a channel that triggers the node has a value that it has not seen."""
    return any(
        channels[key].is_available() and (seen is None or versions.get(key, null) > seen.get(key, null))
        for key in proc.triggers
    )


def _scratchpad(
    parent_scratchpad: Any,
    pending_writes: list[tuple[str, str, Any]],
    task_id: str,
    task_checkpoint_ns: str,
    resume_map: Mapping[str, Any] | None,
    step: int,
    stop: int,
) -> PregelScratchpad:
    """Where a task counts what it asks and calls, with the answers that stored writes have for it."""
    resumes = [write for write in pending_writes if write[1] == RESUME]
    unnamed = next((write for write in resumes if write[0] == NULL_TASK_ID), None)
    answers: Any = next((write[2] for write in resumes if write[0] == task_id), [])
    if not isinstance(answers, list):
        answers = [answers]
    if pending_writes and resume_map:
        for slot in (len(answers), 0):  # older versions gave all of a task's questions its first one's id
            asked = interrupt_id(task_checkpoint_ns, slot)
            if asked in resume_map:
                answers.append(resume_map[asked])
                break

    def get_null_resume(consume: bool = False) -> Any:
        """The answer for whichever question comes first; taken away with `consume`."""
        if unnamed is None:
            return None if parent_scratchpad is None else parent_scratchpad.get_null_resume(consume)
        if consume:
            try:
                pending_writes.remove(unnamed)
            except ValueError:
                return None
        return unnamed[2]

    return PregelScratchpad(
        step=step,
        stop=stop,
        call_counter=LazyAtomicCounter(),
        interrupt_counter=LazyAtomicCounter(),
        get_null_resume=get_null_resume,
        resume=answers,
        subgraph_counter=LazyAtomicCounter(),
    )


def _proc_input(
    proc: Any,
    managed: Mapping[str, Any],
    channels: Mapping[str, Any],
    *,
    for_execution: bool,
    scratchpad: Any,
    input_cache: dict[Any, Any] | None,
) -> Any:
    """What a node gets; MISSING if the one channel that it reads is empty."""
    if input_cache is not None and proc.input_cache_key in input_cache:
        return copy(input_cache[proc.input_cache_key])
    value: Any
    if isinstance(proc.channels, str):
        known = channels.get(proc.channels)
        if known is None or not known.is_available():
            return MISSING
        value = known.get()
    elif isinstance(proc.channels, (list, tuple)):
        value = {}
        for key in proc.channels:
            if key not in channels:
                value[key] = managed[key].get(scratchpad)
            elif channels[key].is_available():
                value[key] = channels[key].get()
    else:
        raise RuntimeError(f"Invalid channels type, expected list or dict, got {proc.channels}")
    if for_execution and proc.mapper is not None:
        value = proc.mapper(value)
    if input_cache is not None:
        input_cache[proc.input_cache_key] = value
    return value


def _coerce_pending_error(value: Any) -> BaseException:
    return value if isinstance(value, BaseException) else Exception(str(value))


def _read_errors_from_pending_writes(pending_writes: list[tuple[str, str, Any]]) -> list[BaseException]:
    return [_coerce_pending_error(value) for _, channel, value in pending_writes if channel == ERROR]


def _read_error_for_task_id_from_pending_writes(
    pending_writes: list[tuple[str, str, Any]], task_id: str
) -> BaseException | None:
    value = _last(pending_writes, task_id, ERROR)
    return None if value is MISSING else _coerce_pending_error(value)


def _read_error_source_node_from_pending_writes(pending_writes: list[tuple[str, str, Any]], task_id: str) -> str | None:
    value = _last(pending_writes, task_id, ERROR_SOURCE_NODE)
    return None if value is MISSING else str(value)


def _last(pending_writes: list[tuple[str, str, Any]], task_id: str, channel: str) -> Any:
    return next((each[2] for each in reversed(pending_writes) if each[:2] == (task_id, channel)), MISSING)


def _xxhash_str(namespace: bytes, *parts: str | bytes) -> str:
    """The id of a task: a hash of a checkpoint's id and of what tells the task from others."""
    return _as_uuid(digits_of(namespace + _joined(parts)))


def _uuid5_str(namespace: bytes, *parts: str | bytes) -> str:
    """The same in the first version of the format."""
    return _as_uuid(sha1(namespace + _joined(parts), usedforsecurity=False).hexdigest())


def _joined(parts: Sequence[str | bytes]) -> bytes:
    return b"".join(part.encode() if isinstance(part, str) else part for part in parts)


def _as_uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
