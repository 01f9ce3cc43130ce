"""One graph's run, shared out: each event goes through the transformers and then into the list of events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import time
from typing import Any

from stepgraph.run.v3.channel import AsyncPump, Pump, StreamChannel
from stepgraph.run.v3.transformer import ProtocolEvent, StreamTransformer, needs_loop

Factory = Callable[[tuple[str, ...]], StreamTransformer]


class StreamMux:
    """The transformers of one namespace. Those of `factories` are made again for each subgraph, `transformers` are not.

    Raises RuntimeError for a transformer that needs a loop in a sync run, TypeError for an `init` that gives no dict,
    ValueError for names that two of them use.
    """

    def __init__(
        self,
        transformers: Sequence[StreamTransformer] | None = None,
        *,
        is_async: bool = False,
        factories: Sequence[Factory] | None = None,
        scope: tuple[str, ...] = (),
        root: bool = True,
    ) -> None:
        self.is_async = is_async
        self.scope = scope
        self.events: StreamChannel[ProtocolEvent] = StreamChannel()
        self.events.belong(is_async=is_async, stamp=self._stamp)
        self.extensions: dict[str, Any] = {}
        self.native_keys: set[str] = set()
        self.transformers: list[StreamTransformer] = []
        self._owners: dict[str, StreamTransformer] = {}
        self._channels: list[StreamChannel[Any]] = []
        self._factories = None if factories is None else list(factories)
        self._numbered = root
        self._seq = 0
        self._pushed = 0
        self.pump: Pump | None = None
        self.apump: AsyncPump | None = None
        for group in ([make(scope) for make in factories or ()], list(transformers or ())):
            for transformer in sorted(group, key=lambda each: not each.before_builtins):
                self._register(transformer)

    def transformer_by_key(self, key: str) -> StreamTransformer | None:
        """The transformer that fills the stream of that name."""
        return self._owners.get(key)

    def _stamp(self) -> int:
        self._pushed += 1
        return self._pushed

    def _register(self, transformer: StreamTransformer) -> None:
        name = type(transformer).__name__
        if needs_loop(transformer) and not self.is_async:
            raise RuntimeError(
                f"{name} requires an async run: it overrides aprocess/afinalize/afail or sets requires_async=True. "
                "Use astream_events(), not stream_events()."
            )
        streams = transformer.init()
        if not isinstance(streams, dict):
            raise TypeError(f"StreamTransformer.init() must return a dict, got {type(streams).__name__} from {name}")
        taken = [f"{key!r} (owned by {type(self._owners[key]).__name__})" for key in streams if key in self._owners]
        if taken:
            raise ValueError(
                f"Transformer {name} returned projection keys that conflict with already-registered keys: "
                f"{', '.join(sorted(taken))}"
            )
        self.transformers.append(transformer)
        for key, stream in streams.items():
            self._owners[key] = transformer
            if isinstance(stream, StreamChannel):
                self._adopt(stream, native=transformer._native)
        self.extensions.update(streams)
        if transformer._native:
            self.native_keys.update(streams)
        transformer._on_register(self)

    def _adopt(self, channel: StreamChannel[Any], *, native: bool) -> None:
        forward = None
        if channel.name is not None:
            method = channel.name if native else f"custom:{channel.name}"

            def forward(item: Any) -> None:
                # Past the transformers: one that pushes while it processes would see its own event.
                self._list(protocol_event(method, [], item))

        channel.belong(is_async=self.is_async, stamp=self._stamp, forward=forward)
        self._channels.append(channel)

    # What transformers of other packages (LangChain's and Deep Agents') call by LangGraph's names

    @property
    def _transformers(self) -> list[StreamTransformer]:
        return self.transformers

    @property
    def _events(self) -> StreamChannel[ProtocolEvent]:
        return self.events

    def _make_child(self, scope: tuple[str, ...]) -> StreamMux:
        """As `child`. Raises RuntimeError where there are no factories."""
        made = self.child(scope)
        if made is None:
            raise RuntimeError(
                "This StreamMux has no factories to make transformers for a subgraph: give them as `factories`."
            )
        return made

    def child(self, scope: tuple[str, ...]) -> StreamMux | None:
        """The same transformers for a subgraph; None where there are no factories to make them."""
        if self._factories is None:
            return None
        made = StreamMux(factories=self._factories, is_async=self.is_async, scope=scope, root=False)
        made.drive(self.pump, self.apump)
        return made

    def drive(self, pump: Pump | None, apump: AsyncPump | None) -> None:
        """Say how readers of any stream make the run go on."""
        self.pump, self.apump = pump, apump
        for channel in (self.events, *self._channels):
            channel.pump, channel.apump = pump, apump
        for transformer in self.transformers:
            bind = getattr(transformer, "drive", None)
            if bind is not None:
                bind(pump, apump)
            for name, given in (("_bind_pump", pump), ("_bind_apump", apump)):  # LangGraph's names
                bind = getattr(transformer, name, None)
                if bind is not None and given is not None:
                    bind(given)

    # Events

    def push(self, event: ProtocolEvent) -> None:
        """Show an event to every transformer, then list it unless one of them said no."""
        kept = [transformer.process(event) for transformer in self.transformers]  # each sees it
        if all(kept):
            self._list(event)

    async def apush(self, event: ProtocolEvent) -> None:
        """As `push`, waiting for each transformer."""
        kept = [await transformer.aprocess(event) for transformer in self.transformers]  # each sees it
        if all(kept):
            self._list(event)

    def _list(self, event: ProtocolEvent) -> None:
        if self._numbered:
            self._seq += 1
            event["seq"] = self._seq
        self.events.push(event)

    # The end

    def close(self) -> None:
        """The run has ended: transformers first, then their streams. The first error of a transformer is raised."""
        errors = [error for each in self.transformers if (error := _caught(each.finalize)) is not None]
        self._close()
        if errors:
            raise errors[0]

    async def aclose(self) -> None:
        """As `close`, after what transformers have scheduled."""
        ended = await asyncio.gather(*self._pending(), return_exceptions=True)
        failed = [each for each in ended if isinstance(each, Exception)]
        if failed:
            raise failed[0]
        errors = []
        for transformer in self.transformers:
            try:
                await transformer.afinalize()
            except Exception as error:  # the others are closed first
                errors.append(error)
        self._close()
        if errors:
            raise errors[0]

    def fail(self, err: BaseException) -> None:
        """The run has failed."""
        for transformer in self.transformers:
            _caught(transformer.fail, err)
        self._fail(err)

    async def afail(self, err: BaseException) -> None:
        """As `fail`; what transformers have scheduled is cancelled."""
        pending = self._pending()
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for transformer in self.transformers:
            try:
                await transformer.afail(err)
            except Exception:
                continue
        self._fail(err)

    def _close(self) -> None:
        for channel in (*self._channels, self.events):
            channel.close()

    def _fail(self, err: BaseException) -> None:
        for channel in (*self._channels, self.events):
            if not channel.closed:
                channel.fail(err)

    def _pending(self) -> list[asyncio.Task[Any]]:
        return [task for each in self.transformers for task in each.scheduled() if not task.done()]


def _caught(function: Callable[..., Any], *args: Any) -> Exception | None:
    try:
        function(*args)
    except Exception as error:  # the others are told first
        return error
    return None


def protocol_event(method: str, namespace: list[str], data: Any) -> ProtocolEvent:
    """An event of now."""
    params: Any = {"namespace": namespace, "timestamp": int(time() * 1000), "data": data}
    return {"type": "event", "method": method, "params": params}


def of_part(part: dict[str, Any]) -> ProtocolEvent:
    """The event that a part of a v2 stream is."""
    event = protocol_event(part["type"], list(part["ns"]), part["data"])
    if "interrupts" in part:
        event["params"]["interrupts"] = part["interrupts"]
    return event
