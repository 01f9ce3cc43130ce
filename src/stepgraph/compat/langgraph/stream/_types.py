"""What transformers of version 3 streams are made of."""

from __future__ import annotations

from types import GenericAlias
from typing import Any, ClassVar, NotRequired, TypedDict


class Unavailable:
    """A part of version 3 streams. It can be named and inherited from, but no run makes one."""

    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(
            f'{type(self).__name__} belongs to stream_events(version="v3"), which is not on this engine yet. '
            'Use stream(version="v2") or astream_events(version="v2").'
        )


class _ProtocolEventParams(TypedDict):
    namespace: list[str]
    timestamp: int
    data: Any
    interrupts: NotRequired[tuple[Any, ...]]


class ProtocolEvent(TypedDict):
    """One event of a version 3 stream."""

    type: str
    event_id: NotRequired[str]
    seq: NotRequired[int]
    method: str
    params: _ProtocolEventParams


class StreamTransformer(Unavailable):
    """The base of what makes a projection of a version 3 stream."""

    required_stream_modes: ClassVar[tuple[str, ...]] = ()
    before_builtins: ClassVar[bool] = False
