"""Forms that few programs use: routers that are Runnables or objects, unions of hints, Commands of whole states."""

# ruff: noqa: ARG003, ARG004, UP007, UP045  signatures and the old way to write unions are what is looked at

import asyncio
import operator
from typing import Annotated, Any, Literal, Optional, Union

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langchain_core.runnables import RunnableLambda
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.ui import ui_message_reducer
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.managed.base import ManagedValue
from langgraph.types import CachePolicy, Command, Send, TimeoutPolicy
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    n: int


class Narrow(TypedDict):
    n: int


def told(call: Any) -> Any:
    """What a call gives, or the class of what it raises."""
    try:
        return call()
    except Exception as error:
        return type(error).__name__


def to_b(state: Narrow) -> Literal["b", "__end__"]:
    return "b"


class Router:
    def __call__(self, state: Narrow) -> Literal["b", "__end__"]:
        return "b" if state["n"] < 5 else END

    def bound(self, state: Narrow) -> Literal["b"]:
        return "b"

    @staticmethod
    def static(state: Narrow) -> Literal["b"]:
        return "b"

    @classmethod
    def of_class(cls, state: Narrow) -> Literal["b"]:
        return "b"


def routers(show: Any) -> None:
    """What is known of a router's answers and input by its hints: of functions and what wraps them, not of objects."""

    async def later(state: Narrow) -> Literal["b"]:
        return "b"

    def variadic(*args: Narrow) -> str:
        return "b"

    def built(router: Any, *path_map: Any) -> Any:
        g = StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_node("b", lambda s: {"log": ["b"]})
        return g.add_edge(START, "a").add_conditional_edges("a", router, *path_map)

    kinds: list[Any] = [
        to_b, Router(), Router().bound, Router.static, Router.of_class, RunnableLambda(to_b), variadic, later,
        RunnableLambda(to_b, name="given"), RunnableLambda(to_b, afunc=later),
        RunnableLambda(to_b) | RunnableLambda(str),
    ]  # fmt: skip
    for router in kinds:
        branches = built(router).branches["a"].items()
        show([(name, branch.ends, getattr(branch.input_schema, "__name__", None)) for name, branch in branches])
        show([(each.source, each.target, each.conditional) for each in built(router).compile().get_graph().edges])
        for path_map in ((), ({"b": "b", END: END},), (["b"],)):
            show(asyncio.run(built(router, *path_map).compile().ainvoke({"log": [], "n": 1})))


def entries(show: Any) -> None:
    def g() -> Any:
        return StateGraph(State).add_node("a", lambda s: {"log": ["a"]}).add_node("b", lambda s: {"log": ["b"]})

    show(g().set_conditional_entry_point(lambda s: "b").compile().invoke({"log": []}))
    show(g().set_conditional_entry_point(lambda s: "x", {"x": "b", "y": END}).compile().get_graph().to_json())
    show(g().set_conditional_entry_point(lambda s: ["a", "b"], ["a", "b"]).set_finish_point("b").compile().invoke({}))
    show(g().set_conditional_entry_point(Router()).compile().invoke({"log": [], "n": 2}))
    show(g().set_conditional_entry_point(RunnableLambda(to_b)).compile().get_graph().to_json())
    both = g().set_entry_point("a").set_conditional_entry_point(lambda s: Send("b", s))
    show(list(both.compile().stream({"log": ["x"]}, stream_mode=["values", "tasks"])))
    show(told(lambda: g().set_conditional_entry_point(to_b).set_conditional_entry_point(to_b)))
    show(told(lambda: g().set_entry_point("nowhere").compile()), told(lambda: g().set_finish_point("a").compile()))


def names(show: Any) -> None:
    """A Runnable's own name is its node's, but not in a sequence."""

    class Called:
        name = "unused"

        def __call__(self, state: State) -> Any:
            return {"log": ["called"]}

    for action in (Called(), RunnableLambda(to_b), RunnableLambda(lambda s: {}, name="r"), to_b, Router().bound):
        show(list(StateGraph(State).add_node(action).nodes))
        show(list(StateGraph(State).add_sequence([action, ("z", to_b)]).nodes))
    for actions in ([], [to_b, to_b], [("a", to_b), ("a", to_b)]):
        show(told(lambda actions=actions: StateGraph(State).add_sequence(actions)))


def targets_of_commands(show: Any) -> None:
    """A hint counts if it is a Command or a union with one, and names nodes that exist."""

    class Called:
        async def __call__(self, s: Narrow) -> Union[Command[Literal["b"]], None]: ...

    def one(s: State) -> Union[Command[Literal["b"]], dict]: ...
    def two(s: State) -> Command[Literal["b"]] | dict: ...
    def three(s: State) -> Optional[Command[Literal["b", "__end__"]]]: ...
    def four(s: State) -> list[Command[Literal["b"]]]: ...
    def five(s: State) -> tuple[Command[Literal["b"]], ...]: ...
    def six(s: State) -> Command[Literal["b", "nowhere"]]: ...
    def seven(s: State) -> Union[dict, Command[Literal["b"]], Command[Literal["a"]]]: ...
    def eight(s: State) -> Command[str]: ...
    def nine(s: State) -> Command: ...
    async def ten(s: State) -> Command[Literal["b"]]: ...

    def edges(builder: Any) -> Any:
        drawn = builder.add_node("b", lambda s: {}).add_edge(START, "a").compile().get_graph()
        return [(each.source, each.target, each.conditional) for each in drawn.edges]

    for node in (one, two, three, four, five, six, seven, eight, nine, ten, Called()):
        builder = StateGraph(State).add_node("a", node)
        show(builder.nodes["a"].ends, builder.nodes["a"].input_schema.__name__, told(lambda b=builder: edges(b)))
    for targets in (("nowhere",), ("b",), {"b": "words"}, {"nowhere": "words"}, ()):
        builder = StateGraph(State).add_node("a", lambda s: {}, destinations=targets)
        show(told(lambda b=builder: edges(b)))


def whole_states(show: Any) -> None:
    """A Command names keys also where the state is one value; what else a node returns is the value."""
    for value in (
        ["x"], None, [], (), Command(update=["x"], goto="b"), Command(goto="b"), Command(update={"__root__": ["x"]}),
        Command(update=[("__root__", ["x"])]), Command(update={"k": ["x"]}), Command(update=("x",)), Command(update=[]),
        [Command(update=["x"]), Command(goto="b")], [Command(update=["x"]), ["y"]], [["y"], Command(goto="b")],
        [Command(graph=Command.PARENT, update=["x"]), ["y"]], Command(graph=Command.PARENT, update=["x"]),
    ):  # fmt: skip
        g = StateGraph(Annotated[list, operator.add]).add_node("a", lambda s, v=value: v).add_node("b", lambda s: ["b"])
        app = g.add_edge(START, "a").compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "t"}}
        show(told(lambda a=app, c=config: list(a.stream(["in"], c, stream_mode=["values", "updates"]))))
        show(app.get_state(config).values)
    for schema, given, value in (
        (int, 1, Command(update=5, goto="b")), (dict, {"a": 1}, {"b": 2}), (dict, {"a": 1}, Command(update={"b": 2})),
        (Annotated[dict, operator.or_], {"a": 1}, {"b": 2}), (int | None, 1, None), (str, "x", "y"),
    ):  # fmt: skip
        g = StateGraph(schema).add_node("a", lambda s, v=value: v).add_node("b", lambda s: s).add_edge(START, "a")
        show(g.compile().invoke(given))


def defaults(show: Any) -> None:
    calls: list[str] = []

    async def slow(s: State) -> Any:
        await asyncio.sleep(30)

    def counted(s: State) -> Any:
        calls.append("counted")
        return {"log": ["c"]}

    g = StateGraph(State).set_node_defaults(cache_policy=CachePolicy()).add_node("a", counted).add_edge(START, "a")
    app = g.compile(cache=InMemoryCache())
    show(app.invoke({"n": 1}), list(app.stream({"n": 1}, stream_mode="updates")), app.invoke({"n": 2}), calls)
    for timeout in (0.01, TimeoutPolicy(run_timeout=0.01), TimeoutPolicy(idle_timeout=0.01)):
        g = StateGraph(State).set_node_defaults(timeout=timeout).add_node("a", slow).add_edge(START, "a")
        show(told(lambda g=g: asyncio.run(g.compile().ainvoke({}))))
    for timeout in (-1, 0, "x"):
        show(told(lambda timeout=timeout: StateGraph(State).set_node_defaults(timeout=timeout)))


def managed_twice(show: Any) -> None:
    """One key has one managed value in all schemas, and never beside a value of the state's."""

    class Mine(ManagedValue[int]):
        @staticmethod
        def get(scratchpad: Any) -> int:
            return 1

    class Steps(TypedDict):
        left: RemainingSteps

    class Last(TypedDict):
        left: IsLastStep

    class Plain(TypedDict):
        left: int

    class Own(TypedDict):
        left: Annotated[int, Mine]

    class Again(TypedDict):
        left: Annotated[int, Mine]

    class StepsAgain(TypedDict):
        left: RemainingSteps

    kinds = (Steps, Last, Plain, Own, Again, StepsAgain)
    for one in kinds:
        for other in kinds:
            g = StateGraph(one)
            show(
                (
                    one.__name__,
                    other.__name__,
                    told(lambda g=g, s=other: list(g.add_node("a", to_b, input_schema=s).managed)),
                )
            )


def messages(show: Any) -> None:
    """One message for a list, removals, and formats that nobody knows."""
    one, again = HumanMessage("one", id="1"), HumanMessage("again", id="1")
    gone, all_gone = RemoveMessage(id="1"), RemoveMessage(id="__remove_all__")
    for left, right, options in (
        (one, again, {}), ("text", one, {}), ({"role": "user", "content": "x", "id": "2"}, one, {}), ([one], gone, {}),
        ([], gone, {}), ([one], [gone, again], {}), ([one], [again, gone], {}), ([one], [all_gone, again], {}),
        ([one], [one], {"format": "other"}), ([one], [one], {"format": ""}), (None, [one], {}), ([one], None, {}),
        ((one, again), one, {}), ([one, one], [again], {}), (0, [one], {}), ([one], 0, {}), ([one], [again, again], {}),
        ([one], [], {"format": "langchain-openai"}), ([one], [one], {"unknown": 1}), ([], [], {}), ("", [one], {}),
    ):  # fmt: skip
        found = told(lambda a=left, b=right, o=options: add_messages(a, b, **o))
        shown = [(type(each).__name__, each.content) for each in found] if isinstance(found, list) else found
        show(shown)
    nameless = [HumanMessage("without an id"), AIMessage("without one too")]
    add_messages(nameless, [])
    show(all(each.id for each in nameless))


def components(show: Any) -> None:
    old: Any = {"type": "ui", "id": "1", "name": "c", "props": {"x": 1}, "metadata": {}}
    new: Any = {**old, "props": {"y": 2}, "metadata": {"merge": True}}
    gone: Any = {"type": "remove-ui", "id": "1"}
    for left, right in (
        (old, new), ([old], new), (old, [new]), ([], gone), ([old], gone), ([old], [gone, new]), ([old], [new, gone]),
        ([old], [{"id": "2"}]), ([old], [{"type": "ui"}]), (None, [old]), ([old], None),
        ([{**old, "metadata": None}], [new]),
    ):  # fmt: skip
        show(told(lambda a=left, b=right: ui_message_reducer(a, b)))
