"""What users write to read a run in their own way: an object that sees every event and fills streams of its own."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, ClassVar, Literal, NotRequired, TypedDict

logger = logging.getLogger("stepgraph")


class ProtocolEventParams(TypedDict):
    """`timestamp` is in milliseconds since the epoch; order events by `seq`."""

    namespace: list[str]
    timestamp: int
    data: Any
    interrupts: NotRequired[tuple[Any, ...]]


class ProtocolEvent(TypedDict):
    """An event of a run: `method` is the stream mode that it comes from, or a transformer's own word."""

    type: Literal["event"]
    event_id: NotRequired[str]
    seq: NotRequired[int]
    method: str
    params: ProtocolEventParams


class StreamTransformer(ABC):
    """Sees every event of one graph's run and makes streams of them.

    `init` gives the streams by name; they are `run.extensions`, and with `_native = True` attributes of the run too.
    `process` sees an event before it is listed and says whether to list it. `scope` is the namespace of the graph.
    Where async work has to be done, override `aprocess` (the run waits for it) or call `schedule` (it does not).
    """

    requires_async: ClassVar[bool] = False
    """Works only with `astream_events`, e.g. because it calls `schedule`."""
    supports_sync: ClassVar[bool] = False
    """Works with `stream_events` although it has async methods."""
    required_stream_modes: ClassVar[tuple[str, ...]] = ()
    """The modes that the run must stream for it."""
    before_builtins: ClassVar[bool] = False
    """Sees, and may change, events before the built-in transformers do."""
    _native: ClassVar[bool] = False

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        self.scope = scope

    @abstractmethod
    def init(self) -> dict[str, Any]:
        """The streams that it fills, by name."""

    def _on_register(self, mux: Any) -> None:  # noqa: B027  optional
        """Called when it has become part of a run."""

    def process(self, event: ProtocolEvent) -> bool:
        """See an event; False keeps it out of the run's list of events."""
        raise NotImplementedError(f"{type(self).__name__} must override process() or aprocess()")

    async def aprocess(self, event: ProtocolEvent) -> bool:
        """As `process`; the run goes on when it is done."""
        return self.process(event)

    def finalize(self) -> None:  # noqa: B027  optional
        """The run has ended well. Its streams are closed by themselves."""

    async def afinalize(self) -> None:
        """As `finalize`, after what was scheduled has ended."""
        self.finalize()

    def fail(self, err: BaseException) -> None:  # noqa: B027  optional
        """The run has failed. Its streams fail by themselves."""

    async def afail(self, err: BaseException) -> None:
        """As `fail`, after what was scheduled has been cancelled."""
        self.fail(err)

    def schedule(
        self, coro: Coroutine[Any, Any, Any], *, on_error: Literal["log", "raise"] = "log"
    ) -> asyncio.Task[Any]:
        """Do async work beside the run, which waits for it at its end. With "raise" its failure is the run's."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            coro.close()
            raise RuntimeError(
                f"{type(self).__name__}.schedule() requires a running event loop: use astream_events(), and set "
                "requires_async=True on the class, so that this is said at the start."
            ) from None
        task = asyncio.create_task(_logged(coro) if on_error == "log" else coro)
        self.scheduled().add(task)
        return task

    def scheduled(self) -> set[asyncio.Task[Any]]:
        """What was scheduled. Made on first use: a subclass need not call `__init__`."""
        found: set[asyncio.Task[Any]] = self.__dict__.setdefault("_scheduled", set())
        return found


def needs_loop(transformer: StreamTransformer) -> bool:
    """Whether it works only in an async run."""
    if transformer.requires_async or transformer.supports_sync:
        return transformer.requires_async
    kind = type(transformer)
    names = ("aprocess", "afinalize", "afail")
    return any(getattr(kind, name) is not getattr(StreamTransformer, name) for name in names)


async def _logged(coro: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await coro
    except Exception:
        logger.exception("Scheduled StreamTransformer task failed")
