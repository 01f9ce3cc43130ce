"""What langchain-core's Runnables, models and tools do in a node, as signs of life for its idle timeout."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, ref

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers import context as hooks

from stepgraph.core.task import Task
from stepgraph.run.context import current_task


class Beating(BaseCallbackHandler):
    """Every event of what runs below a task is a sign of life of the task."""

    run_inline = True

    def __init__(self, task: Task) -> None:
        self._task = ref(task)

    def _beat(self, *_: Any, **__: Any) -> None:
        task = self._task()
        if task is not None and task.progress is not None:
            task.progress()

    on_llm_start = on_chat_model_start = on_llm_new_token = on_llm_end = on_llm_error = _beat
    on_stream_event = on_chain_start = on_chain_end = on_chain_error = _beat
    on_tool_start = on_tool_end = on_tool_error = _beat
    on_retriever_start = on_retriever_end = on_retriever_error = _beat
    on_agent_action = on_agent_finish = on_text = on_retry = on_custom_event = _beat


class _Timed:
    """In the place of a context variable: the handler of the running task, or of one around it, that is timed."""

    def __init__(self) -> None:
        self._handlers: WeakKeyDictionary[Task, Beating] = WeakKeyDictionary()

    def get(self) -> Beating | None:
        task = current_task.get(None)
        while task is not None and task.progress is None:
            task = task.caller or task.scope.request.parent
        if task is None:
            return None
        handler = self._handlers.get(task)
        if handler is None:
            handler = self._handlers[task] = Beating(task)
        return handler


def install() -> None:
    """Let every callback manager of langchain-core look for a timed task. Idempotent."""
    if not any(isinstance(each[0], _Timed) for each in hooks._configure_hooks):
        hooks.register_configure_hook(_Timed(), inheritable=True)  # type: ignore[arg-type]  # has the one method that is called
