"""A node, router or reducer that raises: the error says where, and a resume runs no finished body again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest

from stepgraph import END, START, Command, StateGraph, interrupt
from stepgraph.graph.compiled import CompiledStateGraph
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer


class World:
    """Counts what runs; `broken` is what raises at the moment."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.broken: set[str] = set()

    def check(self, name: str) -> None:
        self.calls[name] += 1
        if name in self.broken:
            raise ConnectionError(f"{name} is down")

    def node(self, name: str, kind: str) -> Callable[[Any], Any]:
        def body(state: Any) -> Any:
            self.check(name)
            return {"log": [name]}

        async def awaited(state: Any) -> Any:
            return body(state)

        return awaited if kind == "async" else body

    def router(self, name: str) -> Callable[[Any], Any]:
        def route(state: Any) -> str:
            self.check(name)
            return END

        return route

    def reduce(self, value: list[str], update: list[str]) -> list[str]:
        if "reducer" in self.broken and update != ["in"]:
            raise ConnectionError("reducer is down")
        return value + update

    def schema(self) -> Any:
        return TypedDict("State", {"log": Annotated[list[str], self.reduce]})

    def chain(self, kind: str = "sync") -> StateGraph:
        """one -> two, which has a router."""
        built = (
            StateGraph(self.schema()).add_node("one", self.node("one", kind)).add_node("two", self.node("two", kind))
        )
        return built.add_edge(START, "one").add_edge("one", "two").add_conditional_edges("two", self.router("router"))

    def fan(self, kind: str = "sync") -> StateGraph:
        """left and right at once, each with a router."""
        built = StateGraph(self.schema())
        for name in ("left", "right"):
            built.add_node(name, self.node(name, kind)).add_edge(START, name)
            built.add_conditional_edges(name, self.router(f"{name} router"))
        return built

    def plain_fan(self) -> StateGraph:
        """left and right at once."""
        built = StateGraph(self.schema())
        for name in ("left", "right"):
            built.add_node(name, self.node(name, "sync")).add_edge(START, name)
        return built

    def nested(self, kind: str = "sync") -> StateGraph:
        built = StateGraph(self.schema()).add_node("inside", self.chain(kind).compile())
        return built.add_edge(START, "inside")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = MemoryCheckpointer() if request.param == "memory" else SqliteCheckpointer(str(tmp_path / "runs.db"))
    yield made
    made.close()


def ways(app: CompiledStateGraph, way: str) -> Callable[[Any], Any]:
    """Ways to run: nobody looks on, a stream does, every save is waited for."""

    def run(given: Any) -> Any:
        if way == "stream":
            *_, last = app.stream(given, thread="t", stream_mode="values")
            return last
        return app.invoke(given, thread="t", durability="sync" if way == "sync" else "async")

    return run


@pytest.mark.parametrize("way", ["lean", "stream", "sync"])
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    ("shape", "broken", "first", "after"),
    [
        ("chain", {"two"}, {"one": 1, "two": 1}, {"one": 1, "two": 2, "router": 1}),
        ("chain", {"router"}, {"one": 1, "two": 1, "router": 1}, {"one": 1, "two": 1, "router": 2}),
        ("chain", {"reducer"}, {"one": 1}, {"one": 1, "two": 1, "router": 1}),
        ("nested", {"two"}, {"one": 1, "two": 1}, {"one": 1, "two": 2, "router": 1}),
        ("nested", {"router"}, {"one": 1, "two": 1, "router": 1}, {"one": 1, "two": 1, "router": 2}),
        ("nested", {"reducer"}, {"one": 1}, {"one": 1, "two": 1, "router": 1}),
        (
            "fan",
            {"left router", "right router"},
            {"left": 1, "right": 1, "left router": 1, "right router": 1},
            {"left": 1, "right": 1, "left router": 2, "right router": 2},
        ),
        ("fan", {"reducer"}, {"left": 1, "right": 1}, {"left": 1, "right": 1}),
    ],
)
def test_a_resume_runs_no_finished_body_again(
    world: World, saver: Any, shape: str, broken: set[str], first: Any, after: Any, kind: str, way: str
) -> None:
    app = getattr(world, shape)(kind).compile(checkpointer=saver)
    run = ways(app, way)
    world.broken = broken
    with pytest.raises(ConnectionError):
        run({"log": ["in"]})
    at_failure = dict(world.calls)

    world.broken = set()
    result = run(None)

    wanted = {"chain": ["in", "one", "two"], "nested": ["in", "in", "one", "two"], "fan": ["in", "left", "right"]}
    assert result == {"log": wanted[shape]}
    bodies = {"one", "two", "left", "right"}
    assert {name: count for name, count in at_failure.items() if name in first} == first
    assert {name: world.calls[name] for name in after if name in bodies} == {
        name: count for name, count in after.items() if name in bodies
    }
    assert all(world.calls[name] == count for name, count in after.items())


@pytest.mark.parametrize("way", ["lean", "stream", "sync"])
def test_a_finished_sibling_of_a_failed_node_does_not_run_again(world: World, saver: Any, way: str) -> None:
    run = ways(world.fan().compile(checkpointer=saver), way)
    world.broken = {"left"}
    with pytest.raises(ConnectionError):
        run({"log": ["in"]})

    world.broken = set()

    assert run(None) == {"log": ["in", "left", "right"]}
    assert (world.calls["left"], world.calls["right"]) == (2, 1)


@pytest.mark.parametrize("way", ["lean", "stream", "sync"])
def test_an_answer_is_kept_by_a_node_that_fails_afterwards(world: World, saver: Any, way: str) -> None:
    def asks(state: Any) -> Any:
        answers = [interrupt("one?"), interrupt("two?")]
        world.check("asks")
        return {"log": answers}

    run = ways(StateGraph(world.schema()).add_node(asks).add_edge(START, "asks").compile(checkpointer=saver), way)
    world.broken = {"asks"}
    run({"log": ["in"]})
    run(Command(resume=1))
    with pytest.raises(ConnectionError):
        run(Command(resume=2))

    world.broken = set()

    assert run(None) == {"log": ["in", 1, 2]}


@pytest.mark.parametrize("way", ["lean", "stream", "sync"])
@pytest.mark.parametrize(("broken", "node"), [("two", "two"), ("router", "two"), ("reducer", "one")])
def test_an_error_names_node_superstep_and_subgraph(world: World, broken: str, node: str, way: str) -> None:
    run = ways(world.nested().compile(checkpointer=MemoryCheckpointer()), way)
    world.broken = {broken}

    with pytest.raises(ConnectionError) as caught:
        run({"log": ["in"]})

    step = 2 if node == "two" else 1
    notes = "\n".join(caught.value.__notes__)
    assert str(caught.value) == f"{broken} is down"
    assert f"During task with name '{node}'" in notes
    assert f"(superstep {step} of subgraph inside)" in notes
    assert "During task with name 'inside'" in notes
    assert len(caught.value.__notes__) == len(set(caught.value.__notes__))


@pytest.mark.parametrize("way", ["lean", "stream", "sync"])
@pytest.mark.parametrize(
    ("shape", "writers"), [("chain", "'one'"), ("fan", "'left'"), ("plain_fan", "'left', 'right'")]
)
def test_a_reducer_that_raises_names_key_writers_and_itself(world: World, shape: str, writers: str, way: str) -> None:
    run = ways(getattr(world, shape)().compile(checkpointer=MemoryCheckpointer()), way)
    world.broken = {"reducer"}

    with pytest.raises(ConnectionError) as caught:
        run({"log": ["in"]})

    assert f"Key 'log' at superstep 1, written by {writers}: the reducer reduce raised." in caught.value.__notes__


@pytest.mark.parametrize("broken", ["two", "router"])
def test_a_failed_task_is_shown_as_next_with_its_error(world: World, saver: Any, broken: str) -> None:
    app = world.chain().compile(checkpointer=saver)
    world.broken = {broken}
    with pytest.raises(ConnectionError):
        app.invoke({"log": ["in"]}, thread="t")

    state = app.get_state(thread="t")

    assert (state.values, state.next) == ({"log": ["in", "one"]}, ("two",))
    assert state.tasks[0].error == f"ConnectionError('{broken} is down')"


def test_a_thread_whose_reducer_raises_can_be_read(world: World, saver: Any) -> None:
    app = world.fan().compile(checkpointer=saver)
    world.broken = {"reducer"}
    with pytest.raises(ConnectionError):
        app.invoke({"log": ["in"]}, thread="t")

    state = app.get_state(thread="t")

    assert (state.values, state.next) == ({"log": ["in"]}, ("left", "right"))
