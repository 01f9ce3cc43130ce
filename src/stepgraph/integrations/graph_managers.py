"""Managers of the graph handlers in a config's callbacks, for programs that tell handlers themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.callbacks.manager import ahandle_event, handle_event

from stepgraph.core.types import MISSING
from stepgraph.integrations.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent


class _Manager(BaseCallbackManager):
    """Keeps graph handlers only, and the run that they are told of."""

    run_id: UUID | None = None

    def __init__(
        self,
        handlers: Sequence[GraphCallbackHandler] | None = None,
        inheritable_handlers: Sequence[GraphCallbackHandler] | None = None,
        parent_run_id: UUID | None = None,
        *,
        run_id: UUID | None = None,
        **known: Any,
    ) -> None:
        super().__init__(list(handlers or ()), list(inheritable_handlers or ()), parent_run_id, **known)
        self.run_id = run_id

    @classmethod
    def configure(cls, callbacks: Any = None, *, run_id: UUID | None = None) -> Self:
        """Of a manager's, a list's or a lone handler. Raises TypeError for anything else."""
        if isinstance(callbacks, BaseCallbackManager):
            return cls._of(callbacks, run_id)
        if isinstance(callbacks, GraphCallbackHandler):
            callbacks = (callbacks,)
        if isinstance(callbacks, (str, bytes)) or not isinstance(callbacks, (Sequence, type(None))):
            raise TypeError(f"callbacks must be a handler, sequence, or manager, not {type(callbacks).__name__}.")
        return cls(_graph_handlers(callbacks or ()), run_id=run_id)

    def copy(self, *, run_id: Any = MISSING) -> Self:
        """The same handlers, for the same run or another one."""
        if run_id is MISSING:
            run_id = self.run_id
        if run_id is not None and not isinstance(run_id, UUID):
            raise TypeError(f"run_id must be a UUID or None, not {type(run_id).__name__}.")
        return self._of(self, run_id)

    @classmethod
    def _of(cls, other: BaseCallbackManager, run_id: UUID | None) -> Self:
        return cls(
            _graph_handlers(other.handlers),
            _graph_handlers(other.inheritable_handlers),
            other.parent_run_id,
            run_id=run_id,
            tags=list(other.tags),
            inheritable_tags=list(other.inheritable_tags),
            metadata=dict(other.metadata),
            inheritable_metadata=dict(other.inheritable_metadata),
        )


def _graph_handlers(handlers: Sequence[Any]) -> list[GraphCallbackHandler]:
    return [each for each in handlers if isinstance(each, GraphCallbackHandler)]


GraphCallbacks = _Manager | BaseCallbackManager | GraphCallbackHandler | Sequence[Any] | None


class GraphCallbackManager(_Manager):
    """Tells handlers at once."""

    def on_interrupt(self, event: GraphInterruptEvent) -> None:
        """A graph has paused."""
        handle_event(self.handlers, "on_interrupt", None, event)

    def on_resume(self, event: GraphResumeEvent) -> None:
        """A graph goes on."""
        handle_event(self.handlers, "on_resume", None, event)


class AsyncGraphCallbackManager(_Manager):
    """Awaits handlers."""

    @property
    def is_async(self) -> bool:
        return True

    async def on_interrupt(self, event: GraphInterruptEvent) -> None:
        """A graph has paused."""
        await ahandle_event(self.handlers, "on_interrupt", None, event)

    async def on_resume(self, event: GraphResumeEvent) -> None:
        """A graph goes on."""
        await ahandle_event(self.handlers, "on_resume", None, event)


def manager_of(config: Mapping[str, Any], *, run_id: UUID | None = None) -> GraphCallbackManager:
    """The graph handlers of a config."""
    return GraphCallbackManager.configure(config.get("callbacks"), run_id=run_id)


def async_manager_of(config: Mapping[str, Any], *, run_id: UUID | None = None) -> AsyncGraphCallbackManager:
    """The graph handlers of a config, for async code."""
    return AsyncGraphCallbackManager.configure(config.get("callbacks"), run_id=run_id)
