"""The config that langchain-core hands down from caller to callee, for what node code calls without a config.

langchain-core keeps it in a context variable that every Runnable sets for what it calls. Setting it for every task
would cost more than a superstep, so it is worked out when somebody asks: a stand-in for the variable gives the running
task's config, unless a Runnable inside the node has set another one since.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

from langchain_core.messages.tool import ToolOutputMixin
from langchain_core.runnables import config as langchain_config

from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Command
from stepgraph.run.context import current_task, shared_config


class ChildConfig:
    """Stands for `langchain_core.runnables.config.var_child_runnable_config`, and is used like it."""

    def __init__(self, variable: ContextVar[Any]) -> None:
        self.variable = variable

    @property
    def name(self) -> str:
        return self.variable.name

    def get(self, *default: Any) -> Any:
        """What a Runnable inside the running node set, else the node's config, else what was set outside of graphs."""
        found = self.variable.get(*default)
        task = current_task.get(None)
        if task is None or found is not surrounding(task):
            return found
        return shared_config(task)

    def set(self, value: Any) -> Token[Any]:
        return self.variable.set(value)

    def reset(self, token: Token[Any]) -> None:
        self.variable.reset(token)


def surrounding(task: Task) -> Any:
    """What the variable held when the run began that the task belongs to."""
    parent: Task | None = task
    while parent is not None:
        request = parent.scope.request
        if request.around is not MISSING:
            return request.around
        parent = request.parent
    return None


def adopt() -> ChildConfig:
    """Put the stand-in in the variable's place; nothing else in langchain-core holds the variable itself."""
    present: Any = langchain_config.var_child_runnable_config
    stand_in = present if isinstance(present, ChildConfig) else ChildConfig(present)
    langchain_config.var_child_runnable_config = stand_in  # type: ignore[assignment]  # it has the methods that are used
    return stand_in


def know_commands() -> None:
    """Let tools return Commands: langchain-core passes on what its own marker class is a base of."""
    if not issubclass(Command, ToolOutputMixin):
        Command.__bases__ = (*Command.__bases__, ToolOutputMixin)


child_config = adopt()
know_commands()
