"""`run.tool_calls` of version 3 streams: a stream of the output of each tool call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.messages import ToolMessage

from stepgraph.run.v3.channel import AsyncPump, Pump, StreamChannel
from stepgraph.run.v3.transformer import ProtocolEvent, StreamTransformer


class ToolCallStream:
    """One tool call: iterate over it, or over `output_deltas`, for the parts of its output as they come."""

    def __init__(self, tool_call_id: str, tool_name: str, input: dict[str, Any] | None = None) -> None:
        self.tool_call_id = tool_call_id
        self.tool_name = tool_name
        self.input = input
        """The arguments."""
        self.output_deltas: StreamChannel[Any] = StreamChannel()
        self.output: Any = None
        """What the tool gave; None until then, and when it failed."""
        self.error: str | None = None
        self.completed = False
        """Whether it has ended, well or not."""

    def __iter__(self) -> Iterator[Any]:
        return iter(self.output_deltas)

    def __aiter__(self) -> AsyncIterator[Any]:
        return aiter(self.output_deltas)

    def __repr__(self) -> str:
        status = "running" if not self.completed else "completed" if self.error is None else "failed"
        return f"ToolCallStream(tool_call_id={self.tool_call_id!r}, tool_name={self.tool_name!r}, status={status})"

    def end(self, output: Any = None, error: str | None = None) -> None:
        """No more comes."""
        self.output, self.error, self.completed = output, error, True
        self.output_deltas.close()


class ToolCallTransformer(StreamTransformer):
    """Give it as `compile(transformers=[ToolCallTransformer])`: runs then have `tool_calls`, a ToolCallStream each.

    It shows the calls of the graph's own nodes; a graph inside has its own. Streams that are open when the run ends are
    ended with it, and with its error if it failed.
    """

    _native = True
    required_stream_modes = ("tools",)

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self._calls: StreamChannel[ToolCallStream] = StreamChannel()
        self._running: dict[str, ToolCallStream] = {}
        self._pump: Pump | None = None
        self._apump: AsyncPump | None = None

    def init(self) -> dict[str, Any]:
        """What the run gets: `tool_calls`, a channel of ToolCallStreams in the order in which the calls begin."""
        return {"tool_calls": self._calls}

    def drive(self, pump: Pump | None, apump: AsyncPump | None) -> None:
        """Called by the run: what makes it go on while a reader waits."""
        self._pump, self._apump = pump, apump

    def process(self, event: ProtocolEvent) -> bool:
        """Hear an event; True: it is shown to others as well."""
        if event["method"] == "tools" and tuple(event["params"]["namespace"]) == self.scope:
            told = event["params"]["data"]
            if told.get("tool_call_id") is not None:
                self._hear(told)
        return True

    def _hear(self, told: dict[str, Any]) -> None:
        name, kind = told["tool_call_id"], told.get("event")
        if kind == "tool-started":
            self._running[name] = stream = ToolCallStream(name, told.get("tool_name", ""), told.get("input"))
            stream.output_deltas.belong(is_async=self._apump is not None, stamp=int)
            stream.output_deltas.pump, stream.output_deltas.apump = self._pump, self._apump
            self._calls.push(stream)
        elif (running := self._running.get(name)) is not None:
            if kind == "tool-output-delta":
                running.output_deltas.push(told.get("delta"))
            elif kind in ("tool-finished", "tool-error"):
                del self._running[name]
                if kind == "tool-finished":
                    running.end(_content(told.get("output")))
                else:
                    running.end(error=told.get("message", ""))

    def finalize(self) -> None:
        """The run has ended."""
        for stream in self._running.values():
            stream.end()
        self._running.clear()

    def fail(self, err: BaseException) -> None:
        """The run has failed."""
        for stream in self._running.values():
            stream.end(error=str(err))
        self._running.clear()


def _content(output: Any) -> Any:
    """The content of a ToolMessage, also of one that langchain-core has made a dict of."""
    if isinstance(output, ToolMessage):
        return output.content
    match output:
        case {"type": "constructor", "id": [*_, "ToolMessage"], "kwargs": dict(fields)}:
            return fields.get("content")
    return output
