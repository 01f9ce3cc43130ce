"""LangGraph's callback handlers for messages and tool calls, for code that hands them to models and tools by itself.

No run uses them: the engine has its own ears. They know where a model is called by the metadata of its run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.tracers._streaming import _StreamingCallbackHandler, _V2StreamingCallbackHandler

from stepgraph.core.errors import GraphDrained, GraphInterrupt
from stepgraph.core.types import Command
from stepgraph.run.tokens import listed, messages_in, named, tool_writer

T = TypeVar("T")
Namespace = tuple[str, ...]
Chunk = tuple[Namespace, str, Any]
Meta = tuple[Namespace, dict[str, Any]]
"""The namespace of the graph that called, and the metadata of the call."""
_HIDDEN, _NO_STREAM = "langsmith:hidden", "nostream"


def graph_namespace(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The namespace of the graph that a task's run belongs to, by the run's metadata; a called function is in its
    caller's.
    """
    path: Any = metadata.get("langgraph_path") or ()
    levels = 1
    while len(path) == 4 and path[0] == "__pregel_push" and path[3] is True:
        levels, path = levels + 1, path[1]
    return tuple(metadata["langgraph_checkpoint_ns"].split("|")[:-levels])


class _Taps(BaseCallbackHandler, _StreamingCallbackHandler[Any]):
    """`_StreamingCallbackHandler` makes models stream for it."""

    run_inline = True

    def __init__(
        self, stream: Callable[[Chunk], None], subgraphs: bool, *, parent_ns: tuple[str, ...] | None = None
    ) -> None:
        self.stream = stream
        self.subgraphs = subgraphs
        self.parent_ns = parent_ns

    @property
    def of_one_graph(self) -> bool:
        """Whether it is taken out of the callbacks of a run that no node began, whose namespace begins anew."""
        return not self.subgraphs

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[T]) -> AsyncIterator[T]:
        return output

    def tap_output_iter(self, run_id: UUID, output: Iterator[T]) -> Iterator[T]:
        return output

    def _hears(self, ns: tuple[str, ...]) -> bool:
        """Whether what is said in a graph is for this handler."""
        return self.subgraphs or not ns or ns == self.parent_ns


def tell(config: Mapping[str, Any], ns: Namespace, message: Any) -> None:
    """Tell the handlers of messages among the callbacks of a task of one that its code has put on the stream."""
    callbacks = config.get("callbacks")
    for handler in getattr(callbacks, "handlers", callbacks) or ():
        if isinstance(handler, StreamMessagesHandler):
            handler._emit((ns, config["metadata"]), message, dedupe=False)


class StreamMessagesHandler(_Taps):
    """Puts what chat models say, and the messages that nodes return, on a stream, each message once.

    `stream` takes (namespace, "messages", (message, metadata)) chunks. Without `subgraphs` only those of the outermost
    graph and of the one at `parent_ns`.
    """

    def __init__(
        self, stream: Callable[[Chunk], None], subgraphs: bool, *, parent_ns: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(stream, subgraphs, parent_ns=parent_ns)
        self.metadata: dict[UUID, Meta] = {}
        self.seen: set[int | str] = set()

    def _emit(self, meta: Meta, message: BaseMessage, *, dedupe: bool = False) -> None:
        if not (dedupe and message.id in self.seen):
            self.seen.add(named(message))
            self.stream((meta[0], "messages", (message, meta[1])))

    def _find_and_emit_messages(self, meta: Meta, response: Any) -> None:
        for message in messages_in(response):
            self._emit(meta, message, dedupe=True)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        if not metadata or _NO_STREAM in (tags or ()):
            return
        ns = graph_namespace(metadata)
        if self._hears(ns):
            own = [tag for tag in tags or () if not tag.startswith("seq:step")]
            if own:
                metadata["tags"] = own
            self.metadata[run_id] = (ns, metadata)

    def on_llm_new_token(
        self,
        token: Any,
        *,
        chunk: Any = None,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        meta = self.metadata.get(run_id)
        if meta is not None and isinstance(chunk, ChatGenerationChunk):
            self._emit(meta, chunk.message)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> Any:
        meta = self.metadata.pop(run_id, None)
        made = _made(response)
        if meta is not None and made is not None:
            self._emit(meta, made, dedupe=True)

    def on_llm_error(
        self, error: BaseException, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> Any:
        self.metadata.pop(run_id, None)

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        if not metadata or kwargs.get("name") != metadata.get("langgraph_node") or _HIDDEN in (tags or ()):
            return
        ns = graph_namespace(metadata)
        if self._hears(ns):
            self.metadata[run_id] = (ns, metadata)
            given = (message for value in _state_values(inputs) for message in listed(value))
            self.seen.update(message.id for message in given if message.id is not None)

    def on_chain_end(self, response: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> Any:  # type: ignore[override]  # LangGraph's word for it
        meta = self.metadata.pop(run_id, None)
        if meta is None:
            return
        several = isinstance(response, Sequence) and any(isinstance(each, Command) for each in response)
        for each in response if several else (response,):
            self._find_and_emit_messages(meta, each.update if isinstance(each, Command) else each)

    def on_chain_error(
        self, error: BaseException, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> Any:
        self.metadata.pop(run_id, None)


class StreamMessagesHandlerV2(StreamMessagesHandler, _V2StreamingCallbackHandler):
    """Puts chat models' protocol events on the stream in place of chunks; the base class makes models send them.

    Whole messages come from models that sent none, and from nodes, but those of tools.
    """

    def __init__(
        self, stream: Callable[[Chunk], None], subgraphs: bool, *, parent_ns: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(stream, subgraphs, parent_ns=parent_ns)
        self._streamed_run_ids: set[UUID] = set()

    def _find_and_emit_messages(self, meta: Meta, response: Any) -> None:
        for message in messages_in(response):
            if message.type != "tool":
                self._emit(meta, message, dedupe=True)

    def on_llm_new_token(
        self,
        token: Any,
        *,
        chunk: Any = None,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Nothing: a model that is asked for its stream by the node's own code still sends chunks."""

    def on_stream_event(
        self,
        event: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Put the event on the stream; its metadata names the model's run."""
        meta = self.metadata.get(run_id)
        if meta is None:
            return
        if event.get("event") == "message-start":
            self._streamed_run_ids.add(run_id)
            if event.get("message_id"):
                self.seen.add(event["message_id"])
        self.stream((meta[0], "messages", (event, {**meta[1], "run_id": str(run_id)})))

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> Any:
        made = _made(response)
        if run_id in self._streamed_run_ids and run_id in self.metadata and made is not None:
            self.seen.add(named(made))
        super().on_llm_end(response, run_id=run_id, parent_run_id=parent_run_id, **kwargs)
        self._streamed_run_ids.discard(run_id)

    def on_llm_error(
        self, error: BaseException, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> Any:
        self._streamed_run_ids.discard(run_id)
        super().on_llm_error(error, run_id=run_id, parent_run_id=parent_run_id, **kwargs)


def _made(response: LLMResult) -> BaseMessage | None:
    """The message that a chat model made."""
    first = response.generations[0][0] if response.generations and response.generations[0] else None
    return first.message if isinstance(first, ChatGeneration) else None


def _state_values(obj: Any) -> Sequence[Any]:
    """The values of a state's keys; nothing of what is no state."""
    if isinstance(obj, dict):
        return list(obj.values())
    kind = type(obj)
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", None) or ()
    return [getattr(obj, name) for name in fields]


class StreamToolCallHandler(_Taps):
    """Puts tool calls on a stream: when one starts, what its tool writes meanwhile, and how it ends.

    `stream` takes (namespace, "tools", event) chunks.
    """

    def __init__(
        self, stream: Callable[[Chunk], None], subgraphs: bool, *, parent_ns: tuple[str, ...] | None = None
    ) -> None:
        super().__init__(stream, subgraphs, parent_ns=parent_ns)
        self._run_to_call: dict[UUID, tuple[tuple[str, ...], str, Any]] = {}

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        if not metadata or _NO_STREAM in (tags or ()):
            return
        ns = graph_namespace(metadata) if metadata.get("langgraph_checkpoint_ns") else ()
        if not self._hears(ns):
            return
        call = kwargs.get("tool_call_id") or str(run_id)

        def write(delta: Any) -> None:
            self._say(ns, "tool-output-delta", call, delta=delta)

        self._run_to_call[run_id] = (ns, call, tool_writer.set(write))
        given = {} if inputs is None else {"input": inputs}
        name = (serialized or {}).get("name") or kwargs.get("name") or ""
        self._say(ns, "tool-started", call, tool_name=name, **given)

    def on_tool_end(self, output: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> Any:
        for ns, call in self._ended(run_id):
            self._say(ns, "tool-finished", call, output=output)

    def on_tool_error(
        self, error: BaseException, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> Any:
        for ns, call in self._ended(run_id):
            if not isinstance(error, (GraphInterrupt, GraphDrained)):  # a pause: it runs again and ends then
                self._say(ns, "tool-error", call, message=str(error))

    def _say(self, ns: tuple[str, ...], event: str, call: str, **more: Any) -> None:
        self.stream((ns, "tools", {"event": event, "tool_call_id": call, **more}))

    def _ended(self, run_id: UUID) -> Iterator[tuple[tuple[str, ...], str]]:
        found = self._run_to_call.pop(run_id, None)
        if found is not None:
            with suppress(ValueError):  # it ends in another context than it started in, which is gone
                tool_writer.reset(found[2])
            yield found[0], found[1]
