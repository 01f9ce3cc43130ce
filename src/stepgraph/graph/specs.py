"""Nodes and conditional edges as they were added to a graph, in LangGraph's form."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from stepgraph.core import registry
from stepgraph.core.policies import RetryPolicy
from stepgraph.graph.actions import action_of
from stepgraph.graph.hints import first_parameter, path_map_of
from stepgraph.graph.patched import overrides

if TYPE_CHECKING:
    from stepgraph.core.limits import CachePolicy, TimeoutPolicy


class Policies(NamedTuple):
    """The policies of all nodes that have none of their own."""

    retry: tuple[RetryPolicy, ...] | None = None
    handler: Any = None
    timeout: TimeoutPolicy | None = None
    cache: CachePolicy | None = None


class _Action:
    """What this engine alone keeps of a node: no fields, so that nothing else is shown and compared."""

    name: str | None = None
    inline: bool = False
    action: Any = None
    _bound: Any = None


@dataclass
class StateNodeSpec(_Action):
    """A node as it was added."""

    runnable: Any
    """What was added, as a Runnable. Functions are themselves without langchain-core.

    What is put in its place, or in place of its `func`, is what graphs compiled from then on call.
    """
    metadata: Mapping[str, Any] | None
    input_schema: Any
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None
    cache_policy: CachePolicy | None
    is_error_handler: bool = False
    """Whether it takes over from others."""
    error_handler_node: str | None = None
    ends: Sequence[str] | Mapping[str, str] | None = ()
    """What its Commands may go to, for drawings; with labels."""
    defer: bool = False
    timeout: TimeoutPolicy | None = None
    trace_policy: Any = None

    @cached_property
    def how(self) -> Any:
        """How to call it; None for a compiled graph. Raises TypeError."""
        return how_of("the node", self.action)

    def call(self, made: Any) -> None:
        """Call this, which takes what the node takes."""
        self.how = action_of(made, "The node")._replace(inject=self.how.inject)

    def with_defaults(self, defaults: Policies, handler: str | None) -> Self:
        """The same with the graph's policies where it has none; handlers have neither cache nor handler."""
        made = copy(self)
        if made.retry_policy is None:
            made.retry_policy = defaults.retry
        made.timeout = made.timeout or defaults.timeout
        if not made.is_error_handler:
            made.error_handler_node = made.error_handler_node or handler
            made.cache_policy = made.cache_policy or defaults.cache
        return made


def _as_runnable(spec: StateNodeSpec) -> Any:
    if hasattr(spec.action.__class__, "ainvoke"):  # a mock, which makes up any attribute, is a function
        return spec.action
    if spec._bound is None:
        try:
            spec._bound = registry.adapters.load("bound")(spec.action, spec)
        except ImportError:
            return spec.action
    return spec._bound


def _set_action(spec: StateNodeSpec, made: Any) -> None:
    spec.action, spec._bound = made, None
    spec.__dict__.pop("how", None)
    origin = getattr(made, "node", None)
    if isinstance(origin, StateNodeSpec) and origin._bound is made:  # of a spec that this one replaces
        spec.action, spec._bound = origin.action, made
        if "how" in origin.__dict__:
            spec.how = origin.how
        made.node = spec


StateNodeSpec.runnable = property(_as_runnable, _set_action)  # after it became a field


def handler_spec(name: str, action: Any, schema: Any, ends: Sequence[str] = ()) -> StateNodeSpec:
    """The node of an error handler."""
    spec = StateNodeSpec(action, None, schema, None, None, True, ends=ends)
    spec.name, spec.how = name, how_of(name, action)
    return spec


class _Branch(NamedTuple):
    path: Any
    ends: dict[Hashable, str] | None
    input_schema: Any = None


class BranchSpec(_Branch):
    """A conditional edge as it was added: what chooses, answer -> node where that is known, what it reads."""

    _how: Any = None
    _bound: Any = None

    @classmethod
    def from_path(
        cls, path: Any, path_map: Mapping[Hashable, str] | Sequence[str] | None, infer_schema: bool = False
    ) -> Self:
        """Of a function or Runnable; with `infer_schema` it reads what its first parameter is annotated with."""
        return cls(path, path_map_of(path, path_map), first_parameter(path) if infer_schema else None)

    @property
    def path(self) -> Any:
        """What chooses, as a Runnable; a function is itself without langchain-core."""
        if self._bound is None:
            try:
                self._bound = registry.adapters.load("runnable")(self[0], name=None, trace=True)
            except ImportError:
                return self[0]
        return self._bound

    @property
    def how(self) -> Any:
        """How to call what chooses."""
        if self._how is None:
            self._how = action_of(self[0], "The path of a conditional edge")
        return self._how

    @how.setter
    def how(self, made: Any) -> None:
        self._how = made

    def run(self, writer: Any, reader: Any = None) -> Any:
        """A Runnable that chooses, and writes what `writer(targets, False)` makes of it: for graphs made by hand."""
        return registry.adapters.load("branch run")(self, writer, reader)


def how_of(name: str, action: Any) -> Any:
    """How to call a node's action; None for a compiled graph. Raises TypeError."""
    compiled = hasattr(action.__class__, "ainvoke") and hasattr(action, "plan") and not overrides(action)
    return None if compiled else action_of(action, f"Node {name!r}")
