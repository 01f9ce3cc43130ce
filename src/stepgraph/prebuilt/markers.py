"""What a tool's parameters are annotated with to get something from the graph that the model does not see."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Generic, Union, get_args, get_origin

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg
from langchain_core.tools.base import _DirectlyInjectedToolArg
from typing_extensions import TypeVar

from stepgraph.core.types import StreamWriter
from stepgraph.run.runtime import ExecutionInfo, ServerInfo
from stepgraph.run.tokens import tool_writer
from stepgraph.store.base import BaseStore

ContextT = TypeVar("ContextT", default=None)
StateT = TypeVar("StateT", default=dict[str, Any])


class InjectedState(InjectedToolArg):
    """`Annotated[dict, InjectedState]` gets the state, `Annotated[str, InjectedState("key")]` one key of it.

    It is the state that the call was made on, a dict or an object of the state's class, and is not to be changed. A
    state without the key is a KeyError (of an object an AttributeError), unless the parameter has a default.
    """

    def __init__(self, field: str | None = None) -> None:
        self.field = field


class InjectedStore(InjectedToolArg):
    """`Annotated[BaseStore, InjectedStore()]` gets the store that the graph was compiled with.

    Without one the call is a ValueError.
    """


@dataclass
class ToolRuntime(_DirectlyInjectedToolArg, Generic[ContextT, StateT]):
    """All that a tool can know of the run around its call: a parameter annotated so, or named `runtime`, gets it."""

    state: StateT
    """The state that the call was made on: what the node that runs the tool was given."""
    context: ContextT
    """What the caller of the graph passed as `context=`."""
    config: RunnableConfig
    """The config of the call: tags, metadata, callbacks, and `configurable` with the thread."""
    stream_writer: StreamWriter
    """Puts a value on the `custom` stream."""
    tool_call_id: str | None
    """The id that a ToolMessage in answer to the call has to bear."""
    store: BaseStore | None
    """The store that the graph was compiled with."""
    tools: list[BaseTool] = field(default_factory=list)
    """All tools of the node."""
    execution_info: ExecutionInfo | None = None
    """Ids of thread, checkpoint and task, and which attempt this is; None outside of a graph."""
    server_info: ServerInfo | None = None
    """On whose behalf a server runs the graph; None without one."""

    def emit_output_delta(self, delta: Any) -> None:
        """Put a part of the tool's output on the `tools` stream; nothing happens when nobody streams it."""
        write = tool_writer.get()
        if write is not None:
            write(delta)


Kinds = tuple[type, ...]


def kinds(ours: type) -> Kinds:
    """A marker of ours, with langgraph-prebuilt's of that name where it is loaded: tools may have either."""
    theirs = getattr(sys.modules.get("langgraph.prebuilt.tool_node"), ours.__name__, ours)
    return (ours,) if theirs is ours else (ours, theirs)


def marker_in(annotation: Any, wanted: Kinds) -> Any:
    """The marker, or the marker's class, with which a parameter is annotated; None if it is not.

    Raises ValueError if there are several.
    """
    found = [each for each in get_args(annotation) if marks(each, wanted)]
    if len(found) > 1:
        raise ValueError(
            f"A tool argument should not be annotated with {wanted[0].__name__} more than once. Found: {found}"
        )
    if found:
        return found[0]
    return annotation if marks(annotation, wanted) else None


def marks(annotation: Any, wanted: Kinds) -> bool:
    """Whether it is one of the markers, as an object, a class or a generic, alone or inside Annotated and unions."""
    if isinstance(annotation, wanted) or (isinstance(annotation, type) and issubclass(annotation, wanted)):
        return True
    origin = get_origin(annotation)
    if origin in (Union, UnionType, Annotated):
        return any(marks(each, wanted) for each in get_args(annotation))
    return isinstance(origin, type) and issubclass(origin, wanted)
