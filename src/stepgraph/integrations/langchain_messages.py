"""Streams of single messages, as langchain-core has them: for the `messages` of v3 runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from langchain_core.language_models._compat_bridge import message_to_events
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream


class MessageStreams:
    """Makes the stream of a message, and takes whole messages apart."""

    def begin(
        self,
        node: str | None,
        name: str | None,
        pump: Callable[[], bool] | None,
        apump: Callable[[], Awaitable[bool]] | None,
    ) -> Any:
        """The stream of a message that begins; reading it makes the run go on."""
        if pump is not None and apump is None:
            made = ChatModelStream(namespace=[], node=node, message_id=name)
            made.set_request_more(pump)
            return made
        awaited = AsyncChatModelStream(namespace=[], node=node, message_id=name)
        if apump is not None:
            awaited.set_arequest_more(apump)
        return awaited

    def parts(self, message: Any) -> Iterable[Any]:
        """The events that a whole message would have been."""
        return message_to_events(message, message_id=message.id)
