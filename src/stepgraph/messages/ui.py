"""Messages that tell a front end what to draw, and the reducer that merges them by id."""

from __future__ import annotations

from typing import Any, Literal

from stepgraph.messages.typed import TypedDict


class UIMessage(TypedDict):
    """A component to draw: its name and properties."""

    type: Literal["ui"]
    id: str
    name: str
    props: dict[str, Any]
    metadata: dict[str, Any]


class RemoveUIMessage(TypedDict):
    """Takes the component with that id away."""

    type: Literal["remove-ui"]
    id: str


AnyUIMessage = UIMessage | RemoveUIMessage


def ui_message_reducer(left: Any, right: Any) -> list[Any]:
    """The components of `left` with those of `right`: a known id replaces, or adds properties if it says "merge".

    Raises ValueError for the removal of an unknown id.
    """
    merged = list(left) if isinstance(left, list) else [left]
    places = {message.get("id"): place for place, message in enumerate(merged)}
    removed: set[Any] = set()
    for message in right if isinstance(right, list) else [right]:
        name = message.get("id")
        place = places.get(name)
        if message.get("type") == "remove-ui":
            if place is None:
                raise ValueError(f"Attempting to delete an UI message with an ID that doesn't exist ('{name}')")
            removed.add(name)
        elif place is None:
            places[name] = len(merged)
            merged.append(message)
        else:
            removed.discard(name)
            if message.get("metadata", {}).get("merge", False):
                message = {**message, "props": {**merged[place]["props"], **message["props"]}}
            merged[place] = message
    return [message for message in merged if message.get("id") not in removed]
