"""Stateful graphs that run in supersteps, and a debugger for them that lives in Jupyter."""

from stepgraph.core.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    EphemeralValue,
    LastValue,
    NamedBarrierValue,
    Topic,
    UntrackedValue,
)
from stepgraph.core.errors import (
    EmptyInputError,
    GraphInterrupt,
    GraphRecursionError,
    InvalidUpdateError,
    NodeCancelledError,
    NodeError,
    NodeTimeoutError,
    StepgraphError,
)
from stepgraph.core.policies import RetryPolicy
from stepgraph.core.types import (
    END,
    START,
    Command,
    Decision,
    GraphOutput,
    Interrupt,
    Overwrite,
    Pause,
    Send,
    StateSnapshot,
    StateUpdate,
)
from stepgraph.graph.builder import StateGraph
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.run.context import get_config, get_stream_writer, interrupt
from stepgraph.run.hub import Hub
from stepgraph.schema.managed import IsLastStep, RemainingSteps

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022  grouped by what they are for
    # building
    "END",
    "START",
    "AnyValue",
    "BinaryOperatorAggregate",
    "Command",
    "EphemeralValue",
    "IsLastStep",
    "LastValue",
    "NamedBarrierValue",
    "Overwrite",
    "RemainingSteps",
    "RetryPolicy",
    "Send",
    "StateGraph",
    "Topic",
    "UntrackedValue",
    # running
    "CompiledStateGraph",
    "GraphOutput",
    "Interrupt",
    "StateSnapshot",
    "StateUpdate",
    "get_config",
    "get_stream_writer",
    "interrupt",
    # deciding and listening
    "Decision",
    "Hub",
    "Pause",
    # errors
    "EmptyInputError",
    "GraphInterrupt",
    "GraphRecursionError",
    "InvalidUpdateError",
    "NodeCancelledError",
    "NodeError",
    "NodeTimeoutError",
    "StepgraphError",
]
