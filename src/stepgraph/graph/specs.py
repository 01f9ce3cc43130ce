"""Nodes and conditional edges as they were added to a graph, with LangGraph's names for their parts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from stepgraph.core import registry
from stepgraph.core.policies import RetryPolicy
from stepgraph.graph.actions import action_of
from stepgraph.graph.patched import overrides

if TYPE_CHECKING:
    from stepgraph.core.limits import CachePolicy, TimeoutPolicy


class Policies(NamedTuple):
    """A node's policies as they were given; also the defaults of all nodes."""

    retry: tuple[RetryPolicy, ...] | None = None
    handler: Any = None
    """The name of the handler's node; of the defaults the action itself."""
    timeout: TimeoutPolicy | None = None
    cache: CachePolicy | None = None


@dataclass(slots=True)
class NodeSpec:
    """A node as it was added."""

    action: Any
    how: Any
    """How to call it; None for a compiled graph."""
    input_schema: Any
    defer: bool = False
    inline: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    ends: tuple[str, ...] = ()
    end_labels: Mapping[str, str] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    is_handler: bool = False
    trace_policy: Any = None
    _bound: Any = None

    @property
    def runnable(self) -> Any:
        """What was added, as a Runnable: LangGraph's name. Functions need langchain-core for it.

        What is put in its place, or in place of its `func`, is what graphs compiled from then on call.
        """
        if hasattr(self.action.__class__, "ainvoke"):  # a mock, which makes up any attribute, is a function
            return self.action
        if self._bound is None:
            self._bound = registry.adapters.load("bound")(self.action, self)
        return self._bound

    @runnable.setter
    def runnable(self, made: Any) -> None:
        self.action, self._bound = made, None
        self.how = how_of("the node", made)

    def call(self, made: Any) -> None:
        """Call this, which takes what the node takes."""
        self.how = action_of(made, "The node")._replace(inject=self.how.inject)

    @property
    def retry_policy(self) -> Any:
        """LangGraph's name for its policy of retries, or all of them."""
        retries = self.policies.retry
        return retries[0] if retries is not None and len(retries) == 1 else retries

    @property
    def cache_policy(self) -> Any:
        """LangGraph's name for its policy of caching."""
        return self.policies.cache

    @property
    def timeout(self) -> Any:
        """LangGraph's name for its policy of time."""
        return self.policies.timeout

    @property
    def is_error_handler(self) -> bool:
        """LangGraph's name for whether it takes over from others."""
        return self.is_handler


@dataclass(slots=True)
class BranchSpec:
    """A conditional edge as it was added."""

    path: Any
    how: Any
    path_map: dict[Hashable, str] | None
    input_schema: Any

    @property
    def ends(self) -> dict[Hashable, str] | None:
        """LangGraph's name for the nodes that it may choose."""
        return self.path_map


def how_of(name: str, action: Any) -> Any:
    """How to call a node's action; None for a compiled graph. Raises TypeError."""
    compiled = hasattr(action.__class__, "ainvoke") and hasattr(action, "plan") and not overrides(action)
    return None if compiled else action_of(action, f"Node {name!r}")
