"""Stateful graphs that run in supersteps, and a debugger for them that lives in Jupyter."""

from typing import TYPE_CHECKING, Any

from stepgraph.core import registry
from stepgraph.core.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    LastValueAfterFinish,
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
    Topic,
    UntrackedValue,
)
from stepgraph.core.errors import (
    EmptyInputError,
    GraphDrained,
    GraphInterrupt,
    GraphRecursionError,
    InvalidUpdateError,
    NodeCancelledError,
    NodeError,
    NodeTimeoutError,
    StepgraphError,
)
from stepgraph.core.policies import RetryPolicy, RunControl
from stepgraph.core.types import (
    END,
    START,
    Command,
    Decision,
    GraphOutput,
    Interrupt,
    Overwrite,
    Pause,
    RunnableConfig,
    Send,
    StateSnapshot,
    StateUpdate,
    StreamWriter,
)
from stepgraph.graph.builder import StateGraph
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.run.context import get_config, get_runtime, get_store, get_stream_writer, interrupt
from stepgraph.run.hub import Hub
from stepgraph.schema.managed import IsLastStep, RemainingSteps

if TYPE_CHECKING:
    from stepgraph.core.limits import CachePolicy, TimeoutPolicy, TracePolicy
    from stepgraph.graph.functional import entrypoint, task
    from stepgraph.graph.pushing import MessageGraph, delete_ui_message, push_message, push_ui_message
    from stepgraph.integrations.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
    from stepgraph.messages import (
        REMOVE_ALL_MESSAGES,
        MessagesState,
        RemoveMessage,
        add_messages,
        ui_message_reducer,
    )
    from stepgraph.run.runtime import ExecutionInfo, Runtime, ServerInfo

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022  grouped by what they are for
    # building
    "END",
    "START",
    "AnyValue",
    "BinaryOperatorAggregate",
    "CachePolicy",
    "Command",
    "EphemeralValue",
    "IsLastStep",
    "LastValue",
    "LastValueAfterFinish",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "Overwrite",
    "RemainingSteps",
    "RetryPolicy",
    "RunControl",
    "Send",
    "StateGraph",
    "TimeoutPolicy",
    "Topic",
    "TracePolicy",
    "UntrackedValue",
    # channels and nodes as graphs
    "ChannelWriteEntry",
    "NodeBuilder",
    "Pregel",
    # functions as graphs
    "entrypoint",
    "task",
    # messages
    "REMOVE_ALL_MESSAGES",
    "MessageGraph",
    "MessagesState",
    "RemoveMessage",
    "add_messages",
    "delete_ui_message",
    "push_message",
    "push_ui_message",
    "ui_message_reducer",
    # running
    "CompiledStateGraph",
    "ExecutionInfo",
    "GraphOutput",
    "Interrupt",
    "RunnableConfig",
    "Runtime",
    "ServerInfo",
    "StateSnapshot",
    "StateUpdate",
    "StreamWriter",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "interrupt",
    # deciding and listening
    "Decision",
    "GraphCallbackHandler",
    "GraphInterruptEvent",
    "GraphResumeEvent",
    "Hub",
    "Pause",
    # errors
    "EmptyInputError",
    "GraphDrained",
    "GraphInterrupt",
    "GraphRecursionError",
    "InvalidUpdateError",
    "NodeCancelledError",
    "NodeError",
    "NodeTimeoutError",
    "StepgraphError",
]

_LATER = {
    "ChannelWriteEntry": "stepgraph.graph.node_builder",
    "NodeBuilder": "stepgraph.graph.node_builder",
    "Pregel": "stepgraph.graph.pregel",
    "GraphCallbackHandler": "stepgraph.integrations.callbacks",
    "GraphInterruptEvent": "stepgraph.integrations.callbacks",
    "GraphResumeEvent": "stepgraph.integrations.callbacks",
    "CachePolicy": "stepgraph.core.limits",
    "TimeoutPolicy": "stepgraph.core.limits",
    "TracePolicy": "stepgraph.core.limits",
    "entrypoint": "stepgraph.graph.functional",
    "task": "stepgraph.graph.functional",
    "MessageGraph": "stepgraph.graph.pushing",
    "MessagesState": "stepgraph.messages",
    "REMOVE_ALL_MESSAGES": "stepgraph.messages",
    "RemoveMessage": "stepgraph.messages",
    "add_messages": "stepgraph.messages",
    "delete_ui_message": "stepgraph.graph.pushing",
    "push_message": "stepgraph.graph.pushing",
    "push_ui_message": "stepgraph.graph.pushing",
    "ui_message_reducer": "stepgraph.messages",
    "ExecutionInfo": "stepgraph.run.runtime",
    "Runtime": "stepgraph.run.runtime",
    "ServerInfo": "stepgraph.run.runtime",
}
"""Public names that are loaded on first use: name -> module."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'stepgraph' has no attribute {name!r}")
    found = globals()[name] = registry.load_object(f"{_LATER[name]}:{name}")
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
