"""Private helpers of LangGraph's public modules that programs and tests call."""

import dataclasses
import inspect
import operator
from typing import Annotated, Any, NotRequired, Required

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph import runtime, types
from langgraph.channels import BinaryOperatorAggregate, DeltaChannel, EphemeralValue, LastValue, Topic
from langgraph.errors import ParentCommand
from langgraph.func import entrypoint
from langgraph.graph import END, START, StateGraph, add_messages, message, state
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.managed.is_last_step import IsLastStepManager
from langgraph.pregel import Pregel
from langgraph.types import Command, Send
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict):
    plain: int
    log: Annotated[list, operator.add]
    messages: Annotated[list, add_messages]
    topic: Annotated[int, Topic]
    once: Annotated[str, EphemeralValue(str)]
    delta: Annotated[list, DeltaChannel(lambda state, writes: [*state, *writes])]
    last: IsLastStep
    left: RemainingSteps
    maybe: NotRequired[Annotated[list, operator.add]]
    inner: Annotated[NotRequired[int], lambda old, new: new]
    told: Annotated[list, operator.add, "documented"]
    also: Annotated[Required[str], "x"]


@dataclasses.dataclass
class Point:
    x: int
    y: Annotated[list, operator.add]


class Model(BaseModel):
    x: int = 1


def channels(show: Any) -> None:
    """What the keys of a schema become."""
    for schema in (State, Point, Model, int, Annotated[list, operator.add]):
        found, managed, hints = state._get_channels(schema)
        show({key: (type(each).__name__, each.key) for key, each in found.items()}, sorted(hints))
        show({key: each.__name__ for key, each in managed.items()})
        for each in found.values():
            empty = each.from_checkpoint(types.MISSING) if hasattr(types, "MISSING") else each
            show(each.is_available(), empty.is_available())
    log = state._get_channel("log", Annotated[list, operator.add])
    show(log.update([[1], [2]]), log.get(), isinstance(log, BinaryOperatorAggregate), log.operator is operator.add)
    show(type(state._get_channel("x", int)).__name__, state._get_channel("x", IsLastStep) is IsLastStepManager)
    try:
        state._get_channel("x", IsLastStep, allow_managed=False)
    except ValueError:
        show("not allowed")
    for hint in (
        int,
        Annotated[int, "x"],
        Annotated[int, operator.mul],
        Annotated[int, LastValue(int)],
        Annotated[int, Topic(int)],
    ):
        show(*(type(look(hint)).__name__ for look in (state._is_field_channel, state._is_field_binop)))
        show(state._is_field_managed_value("k", hint))
    show(
        state._is_field_managed_value("k", NotRequired[IsLastStep]) is IsLastStepManager,
        state._is_field_managed_value("k", list[int]),
    )
    try:
        state._is_field_binop(Annotated[int, lambda one: one])
    except ValueError:
        show("no reducer")


def results(show: Any) -> None:
    """What the results of nodes lead to and write."""
    given = (
        Send("a", 1), Command(goto="a"), Command(goto=["a", END, Send("b", 2)]), [Command(goto="a"), {"x": 1}], {},
        None, (Command(goto=Send("c", 3)), Command(update={"x": 1})), [Send("d", 1)], Command(),
        Command(resume={"a": 1}),
    )  # fmt: skip
    show([list(state._control_branch(each)) for each in given])
    for command in (Command(goto="a", graph=Command.PARENT), [Command(graph=Command.PARENT)]):
        try:
            state._control_branch(command)
        except ParentCommand as error:
            show(error.args)
    show([list(state._control_static(each)) for each in (("a", END), {"a": "label", END: "over"}, ())])
    roots = (
        None, 1, [1], [Command(update=1), 2], (Command(update={"k": 1}), Command(graph=Command.PARENT, update=3)),
        Command(update=[("k", 1)]), Command(graph=Command.PARENT, update=1), Command(), [],
    )  # fmt: skip
    show([None if (found := state._get_root(each)) is None else list(found) for each in roots])
    updates = ({"a": 1}, [("a", 1), ("b", 2)], Point(1, []), Model(), Model(x=3), 5, None, [1], "text")
    show([list(Command(update=each)._update_as_tuples()) for each in updates])
    show(state._pick_mapper(["__root__"], Point), state._pick_mapper(["x"], State), state._pick_mapper(["x"], int))
    show(state._pick_mapper(["x", "y"], Point)({"x": 1, "y": []}), state._pick_mapper(["x"], Model)({"x": "2"}))
    show(state._coerce_state(Point, {"x": 1, "y": 2}), state._CHANNEL_BRANCH_TO, state._DEFAULT_ERROR_HANDLER_NODE)


def words(show: Any) -> None:
    """Wrapped reducers of messages, and the arguments of dataclasses."""

    @message._add_messages_wrapper
    def joined(left: Any, right: Any, *, sep: str = "+") -> Any:
        """Joins."""
        return f"{left}{sep}{right}"

    show(joined("a", "b"), joined(sep="-")("a", "b"), joined("a", "b", sep="/"), joined.__doc__)
    for given in (("a",), (None, "b")):
        try:
            joined(*given)
        except ValueError as error:
            show(str(error))
    show(message._format_messages([HumanMessage([{"type": "text", "text": "hi"}]), AIMessage("there")]))
    show(message._coerce_to_messages([AIMessageChunk("chunk"), "text", ("ai", "said")]))
    show(types._DC_KWARGS, runtime._DC_KWARGS, types._INTERRUPT_KEY, types._DEFAULT_INTERRUPT_ID)
    fresh = runtime.Runtime()
    show(fresh.stream_writer is runtime._no_op_stream_writer, fresh.heartbeat is runtime._no_op_heartbeat)
    show(fresh.stream_writer(1), fresh.heartbeat())

    @dataclasses.dataclass(**types._DC_KWARGS)
    class Mine(runtime.Runtime):
        extra: int = 0

    show(Mine(extra=3).extra, Mine(extra=3).context, dataclasses.is_dataclass(Mine))


def imports(show: Any) -> None:
    """Names that editors import from modules which merely have them."""
    import langgraph.channels
    import langgraph.graph
    import langgraph.pregel

    show(langgraph.graph.state.StateGraph is StateGraph, langgraph.pregel.main.Pregel is Pregel)
    show(langgraph.channels.last_value.LastValue is LastValue)
    from langgraph.graph.message import AnyMessage, BaseMessage, Literal
    from langgraph.graph.state import BaseModel as Theirs
    from langgraph.graph.state import Runnable, RunnableConfig, Union
    from langgraph.pregel.main import AsyncIterator, Input, asyncio
    from langgraph.types import Literal as Same
    from langgraph.types import RunnableConfig as Config
    from langgraph.types import TypedDict as Typed

    show(Literal is Same, Theirs is BaseModel, RunnableConfig is Config, Typed is TypedDict, asyncio.__name__)
    show(
        AnyMessage is not None, BaseMessage.__name__, Runnable.__name__, Union[int, str], AsyncIterator.__name__, Input
    )
    from langgraph.pregel import _retry

    show(_retry.asyncio.sleep is asyncio.sleep, callable(_retry.time.sleep), inspect.ismodule(_retry.random))
    show(entrypoint.__name__, START)
