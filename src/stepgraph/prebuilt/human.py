"""What agents ask people about an action, and what these answer, as agent inboxes show it."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict


class HumanInterruptConfig(TypedDict):
    """Which answers are offered."""

    allow_ignore: bool
    allow_respond: bool
    allow_edit: bool
    allow_accept: bool


class ActionRequest(TypedDict):
    """What the agent wants to do: the name of the action, and its arguments."""

    action: str
    args: dict[str, Any]


class HumanInterrupt(TypedDict):
    """A question: give a list of them to `interrupt`."""

    action_request: ActionRequest
    config: HumanInterruptConfig
    description: str | None


class HumanResponse(TypedDict):
    """An answer. `args` is a text with "response", an ActionRequest with "edit", else None."""

    type: Literal["accept", "ignore", "response", "edit"]
    args: str | ActionRequest | None
