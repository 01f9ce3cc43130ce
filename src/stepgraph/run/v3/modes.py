"""The transformers that show one stream mode each, of the graph's own level."""

from __future__ import annotations

from typing import Any, ClassVar

from stepgraph.core import registry
from stepgraph.run.v3.channel import AsyncPump, Pump, StreamChannel
from stepgraph.run.v3.transformer import ProtocolEvent, StreamTransformer


class _Mode(StreamTransformer):
    """The payloads of the mode `name`, as `run.<name>`."""

    _native = True
    name: ClassVar[str]

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self._stream: StreamChannel[Any] = StreamChannel()
        self._level = list(scope)

    def init(self) -> dict[str, Any]:
        return {self.name: self._stream}

    def process(self, event: ProtocolEvent) -> bool:
        if event["method"] == self.name and event["params"]["namespace"] == self._level:
            self.take(event["params"]["data"])
        return True

    def take(self, data: Any) -> None:
        self._stream.push(data)

    @property
    def error(self) -> BaseException | None:
        """What ended the run, if it failed."""
        return self._stream.error


class ValuesTransformer(_Mode):
    """The whole state after each superstep."""

    name = "values"
    required_stream_modes = ("values",)


class UpdatesTransformer(_Mode):
    """What each node returned."""

    name = "updates"
    required_stream_modes = ("updates",)


class CustomTransformer(_Mode):
    """What node code writes with `get_stream_writer()`."""

    name = "custom"
    required_stream_modes = ("custom",)


class CheckpointsTransformer(_Mode):
    """Every checkpoint, as `get_state` shows it."""

    name = "checkpoints"
    required_stream_modes = ("checkpoints",)


class DebugTransformer(_Mode):
    """Checkpoints, starts and results of tasks, with step and time."""

    name = "debug"
    required_stream_modes = ("debug",)


class TasksTransformer(_Mode):
    """Starts and results of tasks."""

    name = "tasks"
    required_stream_modes = ("tasks",)


class MessagesTransformer(_Mode):
    """One ChatModelStream a message: of a model that streams, or whole as a node returned it. Needs langchain-core."""

    name = "messages"
    required_stream_modes = ("messages",)

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self._open: dict[str, Any] = {}
        """The streams of messages that are being made, by the model's run."""
        self._unheard: set[str] = set()
        self._pump: Pump | None = None
        self._apump: AsyncPump | None = None

    def drive(self, pump: Pump | None, apump: AsyncPump | None) -> None:
        """Say how readers of a message make the run go on."""
        self._pump, self._apump = pump, apump

    def take(self, data: Any) -> None:
        payload, metadata = data
        node = metadata.get("langgraph_node")
        if isinstance(payload, dict) and "event" in payload:
            self._part(payload, str(metadata.get("run_id", "")), node)
        elif getattr(payload, "type", None) not in (None, "AIMessageChunk", "tool"):
            self._whole(payload, node)

    def _part(self, part: dict[str, Any], run: str, node: str | None) -> None:
        kind = part["event"]
        if kind == "message-start":
            if part.get("role") == "tool":
                self._unheard.add(run)
                return
            name = part.get("message_id")
            stream = self._open[run] = self._begin(node, None if name is None else str(name))
            self._stream.push(stream)
        elif run in self._unheard:
            if kind == "message-finish":
                self._unheard.discard(run)
            return
        stream = self._open.get(run)
        if stream is not None:
            stream.dispatch(part)
            if kind == "message-finish":
                del self._open[run]

    def _whole(self, message: Any, node: str | None) -> None:
        stream = self._begin(node, message.id)
        for part in self._library().parts(message):
            stream.dispatch(part)
        self._stream.push(stream)

    def _begin(self, node: str | None, name: str | None) -> Any:
        return self._library().begin(node, name, self._pump, self._apump)

    def _library(self) -> Any:
        return registry.message_streams.load("langchain")()

    def finalize(self) -> None:
        self._open.clear()
        self._unheard.clear()

    def fail(self, err: BaseException) -> None:
        for stream in self._open.values():
            stream.fail(err)
        self.finalize()
