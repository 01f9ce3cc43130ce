"""What langchain-core's chat models and tools say while a node calls them, as events of the run."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.tracers import context as hooks
from langchain_core.tracers._streaming import _StreamingCallbackHandler, _V2StreamingCallbackHandler

from stepgraph.core.errors import GraphBubbleUp
from stepgraph.core.task import Task
from stepgraph.run.context import config_of
from stepgraph.run.tokens import as_events, metadata_of, overheard, say, tool_writer

NO_STREAM = "nostream"
"""A model or tool with this tag is not heard."""


class Overhearing(BaseCallbackHandler, _StreamingCallbackHandler[Any]):
    """Hears models and tools that are called in nodes of any run; `_StreamingCallbackHandler` makes models stream.

    One object serves all runs: the running task says whose events they are.
    """

    run_inline = True

    def __init__(self) -> None:
        self._models: dict[UUID, tuple[Task, dict[str, Any]]] = {}
        self._tools: dict[UUID, tuple[Task, str, Any]] = {}

    def tap_output_iter(self, run_id: UUID, output: Any) -> Any:
        return output

    def tap_output_aiter(self, run_id: UUID, output: Any) -> Any:
        return output

    def on_chat_model_start(
        self, serialized: Any, messages: Any, *, run_id: UUID, tags: Any = None, metadata: Any = None, **_: Any
    ) -> None:
        task = overheard("messages")
        if task is None or _silent(tags):
            return
        config = config_of(task)
        known = metadata_of(task, config)
        known.setdefault("checkpoint_ns", config["configurable"]["checkpoint_ns"])
        known.update(metadata or {})
        shown = [tag for tag in (*(config.get("tags") or ()), *(tags or ())) if not tag.startswith("seq:step")]
        if shown:
            shown = list(dict.fromkeys(shown))
            known["tags"] = shown
        self._models[run_id] = (task, known)

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **_: Any) -> None:
        known = self._models.get(run_id)
        if known is not None and isinstance(chunk, ChatGenerationChunk):
            say(known[0], "messages", (chunk.message, known[1]))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        self._tell(response, run_id, "message")

    def _tell(self, response: LLMResult, run_id: UUID, kind: str) -> None:
        """Say what the model has made."""
        known = self._models.pop(run_id, None)
        if known is None or not (response.generations and response.generations[0]):
            return
        made = response.generations[0][0]
        if isinstance(made, ChatGeneration):
            say(known[0], kind, (made.message, known[1]))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._models.pop(run_id, None)

    def on_tool_start(
        self, serialized: Any, input_str: str, *, run_id: UUID, tags: Any = None, inputs: Any = None, **more: Any
    ) -> None:
        task = overheard("tools")
        if task is None or _silent(tags):
            return
        call = more.get("tool_call_id") or str(run_id)

        def write(delta: Any) -> None:
            say(task, "tools", {"event": "tool-output-delta", "tool_call_id": call, "delta": delta})

        self._tools[run_id] = (task, call, tool_writer.set(write))
        started = {"event": "tool-started", "tool_call_id": call}
        started["tool_name"] = (serialized or {}).get("name") or more.get("name") or ""
        if inputs is not None:
            started["input"] = inputs
        say(task, "tools", started)

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        if (ended := self._ended(run_id)) is not None:
            say(ended[0], "tools", {"event": "tool-finished", "tool_call_id": ended[1], "output": output})

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        ended = self._ended(run_id)
        if ended is not None and not isinstance(error, GraphBubbleUp):  # a pause: it runs again and ends then
            say(ended[0], "tools", {"event": "tool-error", "tool_call_id": ended[1], "message": str(error)})

    def _ended(self, run_id: UUID) -> tuple[Task, str] | None:
        found = self._tools.pop(run_id, None)
        if found is None:
            return None
        task, call, token = found
        with suppress(ValueError):  # the end is told in another context than the start, which is gone with its task
            tool_writer.reset(token)
        return task, call


def _silent(tags: Any) -> bool:
    return bool(tags) and NO_STREAM in tags


class OverhearingEvents(Overhearing, _V2StreamingCallbackHandler):
    """Hears models as protocol events, from which v3 runs make message streams; the base class makes models send them.

    What a message consists of comes as events only, and a whole message only from a model that does not send any.
    """

    def __init__(self) -> None:
        super().__init__()
        self._streamed: set[UUID] = set()

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **_: Any) -> None:
        pass

    def on_stream_event(self, event: Any, *, run_id: UUID, **_: Any) -> None:
        known = self._models.get(run_id)
        if known is None:
            return
        if event.get("event") == "message-start":
            self._streamed.add(run_id)
        say(known[0], "messages", (event, {**known[1], "run_id": str(run_id)}))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        if run_id in self._streamed:
            self._streamed.discard(run_id)
            self._tell(response, run_id, "streamed")
        else:
            self._tell(response, run_id, "message")

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._streamed.discard(run_id)
        self._models.pop(run_id, None)


class _Somebody:
    """In the place of a context variable: the handler, where somebody listens to the running task."""

    def __init__(self) -> None:
        self._plain, self._events = Overhearing(), OverhearingEvents()

    def get(self) -> Overhearing | None:
        task = overheard("messages")
        if task is not None and as_events(task):
            return self._events
        return self._plain if task is not None or overheard("tools") is not None else None


def install() -> None:
    """Let every callback manager of langchain-core ask whether somebody listens. Idempotent."""
    if not any(isinstance(each[0], _Somebody) for each in hooks._configure_hooks):
        hooks.register_configure_hook(_Somebody(), inheritable=True)  # type: ignore[arg-type]  # has the one method that is called
