"""Listeners that hear which classes stored objects name. Our serializer tells them of classes that it refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import NotRequired, TypedDict

logger = logging.getLogger("langgraph.checkpoint.serde.event_hooks")


class SerdeEvent(TypedDict):
    """What happened to a class."""

    kind: str
    module: str
    name: str
    method: NotRequired[str]


SerdeEventListener = Callable[[SerdeEvent], None]
_listeners: list[SerdeEventListener] = []


def register_serde_event_listener(listener: SerdeEventListener) -> Callable[[], None]:
    """Let a function hear of events; gives what ends that."""
    _listeners.append(listener)

    def unregister() -> None:
        with suppress(ValueError):
            _listeners.remove(listener)

    return unregister


def emit_serde_event(event: SerdeEvent) -> None:
    """Tell all listeners. One that fails is logged."""
    for listener in tuple(_listeners):
        try:
            listener(event)
        except Exception:
            logger.warning("A listener of the serializer has failed.", exc_info=True)
