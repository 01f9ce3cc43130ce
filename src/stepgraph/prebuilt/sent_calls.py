"""A tool call on its way to the task that runs it, with the state that it was made on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

CONTEXT = "tool_call_with_context"
"""What such a dict says under "__type"."""


class SentCall(dict[str, Any]):
    """A ToolCallWithContext that checkpointers store without the state: that is the checkpoint's own.

    Else each turn of a talk would store the whole talk again. As read it has no "state" until `__with_state__`, which
    the engine calls where a run goes on; `state` gives it in any case.
    """

    __slots__ = ("computed", "keys_of_state")

    computed: dict[str, Any]
    """Those values of the state that no checkpoint has, because they are computed for each superstep."""
    keys_of_state: list[str]

    def state(self, read: Callable[[Sequence[str]], dict[str, Any]] | None) -> Any:
        """The state; `read` gives keys of the running graph's."""
        if "state" in self:
            return self["state"]
        return self._made({} if read is None else read([key for key in self.keys_of_state if key not in self.computed]))

    def __with_state__(self, values: Mapping[str, Any]) -> SentCall:
        """The same with the state, of all its values."""
        found = SentCall({**self, "state": self._made(values)})
        found.keys_of_state, found.computed = self.keys_of_state, self.computed
        return found

    def __asked__(self) -> dict[str, Any]:
        """What a person is asked about before the call runs; the state is the graph's, and is shown as that."""
        call = self["tool_call"]
        return {"tool_call": {"name": call["name"], "args": call["args"]}}

    def __edited__(self, changes: Mapping[str, Any]) -> SentCall:
        """The same with another name, other arguments or both. Raises ValueError if that is no call."""
        change = changes.get("tool_call", {})
        known = isinstance(change, Mapping) and set(change) <= {"name", "args"}
        call = {**self["tool_call"], **change} if known else {}
        if not isinstance(call.get("name"), str) or not isinstance(call.get("args"), Mapping):
            raise ValueError('a call is wanted, such as {"name": "search", "args": {"query": "bees"}}, or a part of it')
        found = SentCall({**self, "tool_call": call})
        found.keys_of_state, found.computed = self.keys_of_state, self.computed
        return found

    def __answer__(self) -> dict[str, Any]:
        """The update with which a person answers in the tool's place, but for its content."""
        call = self["tool_call"]
        answer = {"content": "", "type": "tool", "name": call["name"], "tool_call_id": call["id"]}
        return {"messages": [answer]}

    def _made(self, values: Mapping[str, Any]) -> dict[str, Any]:
        known = {**values, **self.computed}
        return {key: known[key] for key in self.keys_of_state if key in known}


def sent(call: Any, state: Any, computed: Collection[str] | None) -> dict[str, Any]:
    """What is sent to the tools of an agent. `computed` are the keys that checkpoints lack; None: store everything."""
    parts = {"__type": CONTEXT, "tool_call": call, "state": state}
    if computed is None or not isinstance(state, dict):
        return parts
    found = SentCall(parts)
    found.keys_of_state = list(state)
    found.computed = {key: state[key] for key in computed if key in state}
    return found


def encode(given: SentCall) -> list[Any]:
    """What is stored of it."""
    return [given["tool_call"], given.keys_of_state, given.computed]


def decode(stored: Any) -> SentCall:
    """The inverse, without the state."""
    call, keys, computed = stored
    found = SentCall({"__type": CONTEXT, "tool_call": call})
    found.keys_of_state, found.computed = keys, computed
    return found
