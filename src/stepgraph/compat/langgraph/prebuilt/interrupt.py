"""What agents ask people. LangGraph has moved it to langchain, and says so."""

from __future__ import annotations

from typing_extensions import deprecated

from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10
from stepgraph.prebuilt import human
from stepgraph.prebuilt.human import HumanResponse

_HOME = "has been moved to `langchain.agents.interrupt`: import it from there"


@deprecated(f"HumanInterruptConfig {_HOME}", category=LangGraphDeprecatedSinceV10)
class HumanInterruptConfig(human.HumanInterruptConfig):
    """Which answers are offered."""


@deprecated(f"ActionRequest {_HOME}", category=LangGraphDeprecatedSinceV10)
class ActionRequest(human.ActionRequest):
    """What the agent wants to do."""


@deprecated(f"HumanInterrupt {_HOME}", category=LangGraphDeprecatedSinceV10)
class HumanInterrupt(human.HumanInterrupt):
    """A question."""


__all__ = ["ActionRequest", "HumanInterrupt", "HumanInterruptConfig", "HumanResponse"]
