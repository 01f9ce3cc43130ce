"""Tasks in LangGraph's form run by themselves, tried again as their policies say. The engine has its own attempts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stepgraph.compat.absent import no_such_part
from stepgraph.compat.langgraph._internal._config import patch_configurable, recast_checkpoint_ns
from stepgraph.core.errors import GraphBubbleUp, NodeCancelledError, ParentCommand, sync_timeout_unsupported
from stepgraph.core.policies import delay_after
from stepgraph.core.types import PARENT
from stepgraph.run.runtime import ExecutionInfo, Runtime


def run_with_retry(task: Any, retry_policy: Sequence[Any] | None, configurable: Mapping[str, Any] | None = None) -> Any:
    """Call a task until it succeeds or no policy tries again. What it wrote is in its `writes`."""
    if task.timeout is not None:
        raise sync_timeout_unsupported(task.name)
    tries = _Tries(task, retry_policy, configurable)
    while True:
        config = tries.begin()
        try:
            return task.proc.invoke(task.input, config)
        except ParentCommand as up:
            return tries.climb(up, config)
        except GraphBubbleUp:
            raise
        except asyncio.CancelledError as error:
            raise NodeCancelledError(task.name) from error
        except Exception as error:  # noqa: BLE001  the policies say what is tried again
            time.sleep(tries.pause(error))


async def arun_with_retry(
    task: Any,
    retry_policy: Sequence[Any] | None,
    stream: bool = False,
    configurable: Mapping[str, Any] | None = None,
) -> Any:
    """The same awaited. With `stream` the task is read chunk by chunk, as when somebody hears of its parts.

    Raises NotImplementedError for a task with a timeout: runs of a graph enforce these.
    """
    if task.timeout is not None:
        raise no_such_part("arun_with_retry of a task with a timeout")
    tries = _Tries(task, retry_policy, configurable)
    while True:
        config = tries.begin()
        try:
            if not stream:
                return await task.proc.ainvoke(task.input, config)
            async for _ in task.proc.astream(task.input, config):
                pass
            return None
        except ParentCommand as up:
            return tries.climb(up, config)
        except GraphBubbleUp:
            raise
        except Exception as error:  # noqa: BLE001  the policies say what is tried again
            await asyncio.sleep(tries.pause(error))


class _Tries:
    """The attempts of a task."""

    def __init__(self, task: Any, policies: Sequence[Any] | None, configurable: Mapping[str, Any] | None) -> None:
        self.task = task
        self.policies = task.retry_policy or policies or ()
        self.config: Any = patch_configurable(task.config, configurable) if configurable else task.config
        self.count = 0
        self.began = time.time()

    def begin(self) -> Any:
        """The config of the next attempt; what the one before wrote is forgotten."""
        self.task.writes.clear()
        self.count += 1
        known = self.config.get("configurable") or {}
        runtime = known.get("__pregel_runtime")
        if isinstance(runtime, Runtime):
            info = runtime.execution_info or self._info(known)
            info = info.patch(node_attempt=self.count, node_first_attempt_time=self.began)
            self.config = patch_configurable(self.config, {"__pregel_runtime": runtime.override(execution_info=info)})
        return self.config

    def _info(self, known: Mapping[str, Any]) -> ExecutionInfo:
        run = self.config.get("run_id")
        return ExecutionInfo(
            known.get("checkpoint_id") or "",
            known.get("checkpoint_ns") or "",
            known.get("__pregel_task_id") or self.task.id,
            known.get("thread_id"),
            None if run is None else str(run),
        )

    def climb(self, up: ParentCommand, config: Any) -> None:
        """Write a Command that is for this graph; raises one for a graph around, with that graph's name."""
        from stepgraph.compat.langgraph.pregel._retry import _checkpoint_ns_for_parent_command

        ns, command = config["configurable"]["checkpoint_ns"], up.args[0]
        if command.graph in (ns, recast_checkpoint_ns(ns), self.task.name):
            for writer in self.task.writers:
                writer.invoke(replace(command, graph=None), config)
            return
        if command.graph == PARENT:
            up.args = (replace(command, graph=_checkpoint_ns_for_parent_command(ns)),)
        raise up

    def pause(self, error: Exception) -> float:
        """Seconds until the next attempt; raises the error if there is none."""
        error.add_note(f"During task with name '{self.task.name}' and id '{self.task.id}'")
        delay = delay_after(self.policies, error, self.count)
        if delay is None:
            raise error
        self.config = patch_configurable(self.config, {"__pregel_resuming": True})
        return delay
