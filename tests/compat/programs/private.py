"""Private helpers of LangGraph's public modules that programs and tests call."""

import dataclasses
import inspect
import operator
from typing import Annotated, Any, NotRequired, Required

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.runnables import RunnableLambda
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


def futures_of_tasks(show: Any) -> None:
    """The futures of a superstep, as code that waits for tasks by itself keeps them."""
    import concurrent.futures
    import threading
    from functools import partial
    from types import SimpleNamespace

    from langgraph.errors import GraphInterrupt
    from langgraph.pregel._executor import SKIP_RERAISE_SET
    from langgraph.pregel._runner import FuturesDict, _exception, _should_stop_others

    def ended(result: Any = None, error: Any = None, cancelled: bool = False) -> Any:
        future: Any = concurrent.futures.Future()
        if cancelled:
            future.cancel()
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    handled, skipped = ended(error=KeyError("handled")), ended(error=KeyError("skipped"))
    SKIP_RERAISE_SET.add(skipped)
    kinds = (
        ended(1),
        ended(cancelled=True),
        ended(error=ValueError()),
        ended(error=GraphInterrupt()),
        handled,
        skipped,
    )
    known = {id(handled.exception())}
    show([_should_stop_others({each}) for each in kinds], _should_stop_others(set()), _should_stop_others(set(kinds)))
    show([_should_stop_others({each}, handled_exception_ids=known) for each in kinds])
    show([type(_exception(each)).__name__ for each in kinds], type(_exception(asyncio_future())).__name__)
    told: list[Any] = []
    callback: Any = lambda: lambda task, error: told.append((task.name, repr(error)))  # noqa: E731  a weak reference
    event = threading.Event()
    futures: Any = FuturesDict(
        event, callback, partial(_should_stop_others, handled_exception_ids=known), concurrent.futures.Future
    )
    one, two, waiter = (concurrent.futures.Future() for _ in range(3))
    futures[one], futures[two], futures[waiter] = SimpleNamespace(name="one"), SimpleNamespace(name="two"), None
    show(len(futures), futures.counter, event.is_set(), isinstance(futures, dict))
    waiter.set_result(None)
    one.set_result(1)
    show(told, futures.counter, event.is_set(), len(futures.done), len(futures.failed), one in futures)
    futures.pop(one)
    two.set_exception(ValueError("two"))
    show(told, futures.counter, event.is_set(), len(futures.failed))
    futures[handled] = SimpleNamespace(name="ended before")
    show(told[-1], event.is_set(), futures.counter)
    event.clear()
    more: Any = FuturesDict(event=event, callback=lambda: None, should_stop=lambda failed: False, future_type=object)
    three, four = concurrent.futures.Future(), concurrent.futures.Future()
    more[three], more[four] = SimpleNamespace(name="three"), SimpleNamespace(name="four")
    three.set_exception(ValueError())
    show(event.is_set(), four.cancel(), event.is_set(), len(more.done), len(more.failed))


def asyncio_future() -> Any:
    import asyncio

    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.cancel()
    loop.close()
    return future


def edges_and_streams(show: Any) -> None:
    """Edges of drawings, and streams that hand on to others."""
    from langchain_core.runnables.graph import Graph
    from langgraph.pregel._draw import Edge, TriggerEdge, add_edge
    from langgraph.pregel._loop import DuplexStream
    from langgraph.pregel.protocol import StreamProtocol

    graph = Graph()
    for name in ("a", "b"):
        graph.add_node(RunnableLambda(len), name)
    add_edge(graph, "a", "b", data="label", conditional=True)
    add_edge(graph, "a", "b")
    add_edge(graph, "b", END)
    show([tuple(edge) for edge in graph.edges], sorted(graph.nodes))
    show(Edge("a", "b", True, None), TriggerEdge("a", False, "x")._asdict(), Edge._fields)
    one: list[Any] = []
    two: list[Any] = []
    both: Any = DuplexStream(StreamProtocol(one.append, {"values"}), StreamProtocol(two.append, {"values", "custom"}))
    for mode in ("values", "custom", "updates"):
        both(((), mode, 1))
    show(one, two, sorted(both.modes))


def what_only_looks_annotated(show: Any) -> None:
    class Looks:
        __metadata__ = (operator.add,)

    class Empty:
        __metadata__ = ()

    for hint in (Looks, Looks(), Empty, None, "Annotated[int, operator.add]", list[int], 3):
        show(type(state._is_field_channel(hint)).__name__, type(state._is_field_binop(hint)).__name__)
    for alias in (Topic[int], LastValue[int]):
        try:
            show(type(state._get_channel("x", Annotated[list, alias])).__name__)
        except ValueError as error:
            show(str(error)[:26])
