"""Names from LangGraph's private modules that programs import all the same."""

import asyncio
import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, NotRequired, Optional, Required

from langchain_core.runnables import RunnableConfig
from langgraph._internal import _config, _fields, _pydantic, _runnable, _timeout
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from langgraph.graph._branch import BranchSpec
from langgraph.graph._node import StateNodeSpec
from langgraph.graph.state import _get_node_name, _warn_invalid_state_schema
from langgraph.managed import IsLastStep
from langgraph.managed.base import ManagedValue, is_managed_value
from langgraph.pregel import Pregel
from langgraph.pregel._algo import task_path_str
from langgraph.pregel._checkpoint import copy_checkpoint, empty_checkpoint
from langgraph.pregel._read import ChannelRead
from langgraph.pregel._retry import _checkpoint_ns_for_parent_command, _should_retry_on
from langgraph.pregel._utils import find_subgraph_pregel
from langgraph.pregel._write import ChannelWrite, ChannelWriteEntry, ChannelWriteTupleEntry
from langgraph.pregel.protocol import PregelProtocol
from langgraph.types import RetryPolicy, TimeoutPolicy
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


class Loose(TypedDict, total=False):
    a: Required[int]
    b: int
    c: Annotated[NotRequired[str], "d"]


@dataclass
class Point:
    x: int
    y: int | None
    z: int = 3
    w: list = field(default_factory=list)


class Model(BaseModel):
    x: int = Field(1, description="how many")
    y: str
    z: Optional[str] = None  # noqa: UP045  the old form


def fields(show: Any) -> None:
    for schema in (State, Loose, Point):
        hints = {name: hint for name, hint, _, _ in _fields.get_enhanced_type_hints(schema)}
        show([(name, _fields.get_field_default(name, hint, schema)) for name, hint in hints.items()])
    for schema in (Point, Model):
        show(list(_fields.get_enhanced_type_hints(schema)))
    optional = [int, None, int | None, Optional[int], Annotated[int | None, "x"], list[int], int | str]  # noqa: UP045  the old form
    show([_fields._is_optional_type(each) for each in optional])
    show(_fields.get_update_as_tuples(Model(y="a"), ["x", "y", "z", "q"]))
    show(
        _fields.get_update_as_tuples(Model(y="a", z=None), ["z", "y"]),
        _fields.get_update_as_tuples(Point(1, None), ["x", "y"]),
    )
    show([_fields.get_cached_annotated_keys(each) for each in (State, Loose, Point, Model)])


def configs(show: Any) -> None:
    show([_config._is_not_empty(each) for each in (None, 0, "", [], {}, (), [0])])
    show(_config.filter_to_user_tags(["seq:step:1", "a"]), _config.filter_to_user_tags(["seq:step:1"]))
    config: Any = {"configurable": {"checkpoint_ns": "a", "checkpoint_id": "1"}}
    show(_config.patch_checkpoint_map(config, {"parents": {"": "0"}}), _config.patch_checkpoint_map(config, None))
    show(_config.patch_configurable(config, {"x": 1}), _config.merge_configs(config, {"tags": ["t"]}))


def helpers(show: Any) -> None:
    show(task_path_str(("__pregel_push", ("a", 1), True)))
    show([_checkpoint_ns_for_parent_command(each) for each in ("", "a:1", "a:1|b:2", "a:1|1|b:2|2")])
    show(_should_retry_on(RetryPolicy(retry_on=KeyError), KeyError()))
    show(_should_retry_on(RetryPolicy(retry_on=(KeyError,)), ValueError()))
    show(_timeout.coerce_timeout_policy(3), _timeout.coerce_timeout_policy(None), TimeoutPolicy.coerce(2.5))
    show(sorted(empty_checkpoint()), empty_checkpoint()["v"], sorted(copy_checkpoint(empty_checkpoint())))
    show(
        sorted(_pydantic.get_fields(Model)), [_pydantic.is_supported_by_pydantic(each) for each in (Model, Point, int)]
    )
    show(sorted(_pydantic.create_model("Made", field_definitions={"x": (int, 1)}).model_fields))
    show(_get_node_name(helpers), _get_node_name(Callable()), is_managed_value(IsLastStep), is_managed_value(Odd))
    _warn_invalid_state_schema(State)
    seq = _runnable.RunnableSeq(
        _runnable.coerce_to_runnable(len, name="len", trace=False), lambda n: n + 1, name="both"
    )
    show(seq.invoke([1]), seq.get_name(), asyncio.run(seq.ainvoke([1, 2])))


class Careful(InMemorySaver):
    """Makes sure that nobody has changed the newest checkpoint since it came."""

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        newest = self.get(config)
        assert newest is None or newest == self.newest, (newest, self.newest)
        self.newest = copy_checkpoint(checkpoint)
        return super().put(config, checkpoint, metadata, new_versions)


def copies_of_checkpoints(show: Any) -> None:
    builder = StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_node("b", lambda s: {"log": ["b"]})
    graph = builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=Careful())
    config: Any = {"configurable": {"thread_id": "1"}}
    show(graph.invoke({"log": []}, config), graph.invoke({"log": ["again"]}, config))


class Callable:
    def __call__(self, s: State) -> Any:
        return {"log": ["called"]}


class Odd(ManagedValue[bool]):
    @staticmethod
    def get(scratchpad: Any) -> bool:
        return bool(scratchpad.step % 2)


class Watched(State):
    odd: Annotated[bool, Odd]


def managed(show: Any) -> None:
    g = StateGraph(Watched)
    g.add_sequence([("a", lambda s: {"log": [s["odd"]]}), ("b", lambda s: {"log": [s["odd"]]})])
    show(g.add_edge(START, "a").compile().invoke({"log": []}))


def reads_and_writes(show: Any) -> None:
    """Steps of a node that write, and node code that reads what it has written."""

    def node(s: State, config: RunnableConfig) -> Any:
        ChannelWrite.do_write(config, [ChannelWriteEntry("log", ["first"])])
        seen = ChannelRead.do_read(config, select="log", fresh=True), ChannelRead.do_read(config, select=["log"])
        return {"log": [seen]}

    write = ChannelWrite([ChannelWriteEntry("log", mapper=lambda update: update["log"][:1])])
    pairs = ChannelWrite([ChannelWriteTupleEntry(lambda value: [("log", [len(value)])])])
    skipping = ChannelWrite([ChannelWriteEntry("log", None, skip_none=True)])
    show(write.get_name(), pairs.get_name(), ChannelRead("log").get_name(), ChannelRead(["a", "b"]).get_name())
    steps = _runnable.coerce_to_runnable(node, name="node", trace=False) | write | pairs | skipping
    app = StateGraph(State).add_node("node", steps).add_edge(START, "node").compile()
    show(app.invoke({"log": [0]}), asyncio.run(app.ainvoke({"log": [0]})))
    try:
        ChannelRead.do_read({"configurable": {}}, select="log")
    except RuntimeError:
        show("outside of a node")


def kinds(show: Any) -> None:
    g = StateGraph(State).add_node("a", Callable(), retry_policy=RetryPolicy(max_attempts=2))
    g.add_conditional_edges("a", lambda s: "__end__").add_edge(START, "a")
    spec = g.nodes["a"]
    show(isinstance(spec, StateNodeSpec), spec.retry_policy.max_attempts if spec.retry_policy else None, spec.defer)
    show([isinstance(each, BranchSpec) for each in g.branches["a"].values()])
    app = g.compile(checkpointer=InMemorySaver())
    flow = entrypoint()(lambda x: x)
    show([isinstance(each, (PregelProtocol, Pregel)) for each in (app, flow)])
    show(find_subgraph_pregel(app) is app, find_subgraph_pregel(len))
