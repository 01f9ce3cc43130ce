"""The forms of an agent's prompt: what makes of the state what the model is given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from langchain_core.messages import SystemMessage
from langchain_core.runnables import Runnable

from stepgraph.integrations.runnables import RunnableCallable
from stepgraph.prebuilt.agent_state import value_of


class Prompt:
    """What comes before the model. `runnable` reports itself to callbacks as a run called "Prompt"."""

    def __init__(self, given: Any) -> None:
        self.plain: Callable[[Any], Any] | None = None
        """The same as a plain function, where the runnable does nothing else."""
        if given is None:
            self.plain = _messages
        elif isinstance(given, (str, SystemMessage)):
            self.plain = _after(SystemMessage(content=given) if isinstance(given, str) else given)
        elif not callable(given) and not isinstance(given, Runnable):
            raise ValueError(f"Got unexpected type for `prompt`: {type(given)}")
        self.runnable, self.silent = self._runnables(given)

    def _runnables(self, given: Any) -> tuple[Runnable[Any, Any], Runnable[Any, Any]]:
        """Two: one that callbacks hear of, and one for runs that nobody hears."""
        if self.plain is None and not callable(given):
            return given, given
        function, afunction = self.plain or given, None
        if inspect.iscoroutinefunction(function):
            function, afunction = None, function
        made = [RunnableCallable(function, afunction, name="Prompt", trace=trace) for trace in (True, False)]
        return made[0], made[1]


def _messages(state: Any) -> Any:
    return value_of(state, "messages")


def _after(first: SystemMessage) -> Callable[[Any], Any]:
    return lambda state: [first, *value_of(state, "messages")]
