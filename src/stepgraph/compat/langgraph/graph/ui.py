"""Messages that tell a front end what to draw."""

from __future__ import annotations

from stepgraph.graph.pushing import delete_ui_message, push_ui_message
from stepgraph.messages import AnyUIMessage, RemoveUIMessage, UIMessage, ui_message_reducer

__all__ = (
    "AnyUIMessage",
    "RemoveUIMessage",
    "UIMessage",
    "delete_ui_message",
    "push_ui_message",
    "ui_message_reducer",
)
