"""Reads of Pydantic and dataclass states: noticed, while the object is and does all that it did."""

from __future__ import annotations

import copy
import dataclasses
import operator
import pickle
import timeit
from dataclasses import dataclass, field
from typing import Annotated

import pytest

from stepgraph.core.types import END, START, Send
from stepgraph.debug.views import unwatch, watch
from stepgraph.graph.builder import StateGraph
from tests.debug.support import burden, finished, held

pydantic = pytest.importorskip("pydantic")


class Model(pydantic.BaseModel):
    a: int = 1
    b: str = "x"
    log: Annotated[list[str], operator.add] = pydantic.Field(default_factory=list)
    _private: int = pydantic.PrivateAttr(default=3)

    def both(self) -> str:
        return f"{self.a}{self.b}"


@dataclass
class Plain:
    a: int = 1
    b: str = "x"
    log: Annotated[list[str], operator.add] = field(default_factory=list)

    def both(self) -> str:
        return f"{self.a}{self.b}"


@dataclass(frozen=True, slots=True)
class Slotted:
    a: int = 1
    b: str = "x"
    log: Annotated[list[str], operator.add] = field(default_factory=list)

    def both(self) -> str:
        return f"{self.a}{self.b}"


KINDS = pytest.mark.parametrize("kind", [Model, Plain, Slotted])
ALL = {"a", "b", "log"}


def used(value, use):
    """What was read, and what came out."""
    seen: set[str] = set()
    assert watch(value, seen) is None
    try:
        return seen, use(value)
    finally:
        unwatch(value)


def matched(state):
    match state:
        case Model(a=1) | Plain(a=1) | Slotted(a=1):
            return True


@KINDS
@pytest.mark.parametrize(
    ("use", "seen", "found"),
    [
        (lambda state: state.a, {"a"}, 1),
        (lambda state: getattr(state, "c", None), set(), None),
        (lambda state: hasattr(state, "b"), {"b"}, True),
        (lambda state: state.both(), {"a", "b"}, "1x"),
        (matched, {"a"}, True),
        (lambda state: isinstance(state, type(state)), set(), True),
        (lambda state: len(repr(state)) > 10, ALL, True),
        (lambda state: vars(copy.copy(state)) if hasattr(state, "__dict__") else None, ALL, ...),
    ],
    ids=range(8),
)
def test_every_way_of_reading_is_noticed(kind, use, seen, found):
    got, value = used(kind(), use)
    if kind is Slotted and found is ...:
        return
    assert got == seen
    assert found is ... or value == found


@KINDS
def test_the_object_is_what_it_was(kind):
    def use(state):
        assert isinstance(state, kind)
        assert state.__class__ is kind
        assert state == kind()
        assert kind() == state
        assert type(copy.copy(state)) is type(copy.deepcopy(state)) is kind
        made = pickle.loads(pickle.dumps(state))
        assert type(made) is kind
        assert made == state

    value = kind()
    used(value, use)
    assert type(value) is kind


@pytest.mark.parametrize("kind", [Plain, Slotted])
def test_dataclass_functions_work(kind):
    seen, made = used(kind(), lambda state: (dataclasses.asdict(state), dataclasses.replace(state, a=2)))
    assert seen == ALL
    assert made[0] == {"a": 1, "b": "x", "log": []}
    assert type(made[1]) is kind


def test_pydantic_methods_work():
    def use(state):
        state.b = "new"
        assert state._private == 3
        assert state.model_copy(update={"a": 2}).a == 2
        assert type(state.model_copy()) is Model
        assert Model.model_validate(state) is state
        assert state.model_dump_json() == '{"a":1,"b":"new","log":[]}'
        return state.model_dump()

    seen, dumped = used(Model(), use)
    assert seen == ALL
    assert dumped == {"a": 1, "b": "new", "log": []}


def test_a_class_that_looks_at_its_subclasses_is_left_alone():
    known = []

    @dataclass
    class Registered:
        a: int = 1

        def __init_subclass__(cls) -> None:
            known.append(cls)

    value = Registered()
    assert watch(value, set()) == "Registered looks at its subclasses (__init_subclass__)"
    assert (type(value), known) == (Registered, [])


def test_a_read_costs_less_than_a_microsecond():
    value = Model()
    watch(value, set())
    load = burden()
    try:
        seconds = min(timeit.repeat(lambda: value.a, number=10_000, repeat=20)) / 10_000
    finally:
        unwatch(value)
    assert seconds < 1e-6 * load


def graph(schema, **nodes):
    builder = StateGraph(schema)
    for name, node in nodes.items():
        builder.add_node(name, node)
    builder.add_edge(START, next(iter(nodes)))
    return builder


@KINDS
@pytest.mark.parametrize("is_async", [False, True])
def test_steps_tell_what_nodes_and_routers_of_such_states_read(support, kind, is_async):
    kinds = []

    def work(state):
        kinds.append((type(state) is kind, isinstance(state, kind)))
        return {"log": [state.b]}

    async def awaited(state):
        return work(state)

    def route(state):
        assert isinstance(state, kind)
        return "other" if state.a else END

    built = graph(kind, work=awaited if is_async else work, other=lambda state: {"log": ["other"]})
    dbg = support.debug(built.add_conditional_edges("work", route, ["other", END]).compile(name=kind.__name__))
    dbg.stop("edge:work")
    run = dbg.start({"a": 5, "b": "y"})
    (request,) = held(run)
    assert request.pause.reads == {"a"}
    request.approve()
    assert finished(run).result["log"] == ["y", "other"]
    assert run.steps()["reads"].tolist() == [["b"], []]
    assert kinds == [(False, True)]


def test_what_cannot_be_tracked_says_why(support):
    def split(state):
        return [Send("part", Model(a=2))]

    built = graph(Model, split=lambda state: None, part=lambda state: {"log": [str(state.a)]})
    run = finished(support.debug(built.add_conditional_edges("split", split, ["part"]).compile(name="sent")).start({}))
    row = run.ledger.rows()[1]
    assert run.result["log"] == ["2"]
    assert (row.node, row.reads, row.untracked) == ("part", None, "its input is what a Send brought, not the state")


def test_a_node_may_return_or_keep_what_it_got(support):
    kept = []

    def work(state):
        kept.append(state)
        return state.model_copy(update={"b": "copied"})

    run = finished(support.debug(graph(Model, work=work).compile(name="kept")).start({"a": 4}))
    assert run.error is None
    assert run.result == {"a": 4, "b": "copied", "log": []}
    assert type(kept[0]) is Model


def test_the_whole_of_an_unkeyed_state_is_read(support):
    built = graph(Annotated[list, operator.add], work=lambda state: [len(state)])
    run = finished(support.debug(built.compile(name="lone")).start([7]))
    assert run.result == [7, 1]
    assert run.steps()["reads"].tolist() == [["__root__"]]
