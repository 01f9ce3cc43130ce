"""Details of state, joins, routers and attempts that programs rely on without knowing."""

import operator
from collections.abc import Callable
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Overwrite, RetryPolicy, Send
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    way: str


CONFIG: Any = {"configurable": {"thread_id": "t"}}


def named(name: str) -> Callable[[Any], Any]:
    return lambda state: {"log": [name]}


calls: list[Any] = []


def fold(one: Any, other: Any) -> Any:
    calls.append((one, other))
    return other


class Folded(TypedDict, total=False):
    key: Annotated[int | None, fold]
    other: int


def the_first_value_of_a_key_without_one_meets_no_reducer(show: Any) -> None:
    """Where the type can't be made: what is written first stays as it is, an Overwrite too."""
    for value in (3, Overwrite(4), {"__overwrite__": 5}):
        builder = StateGraph(Folded).add_node("a", lambda state, value=value: {"key": value})
        builder.add_node("b", lambda state: {"key": 6}).add_edge(START, "a").add_edge("a", "b")
        show(list(builder.compile().stream({"other": 1}, stream_mode="values")), calls)
        calls.clear()


def a_join_remembers_who_came_in_an_earlier_run(show: Any) -> None:
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, named(name))
    builder.add_conditional_edges(START, lambda state: list(state["way"]), ["a", "b"])
    app = builder.add_edge(["a", "b"], "c").compile(checkpointer=InMemorySaver())
    for way in ("a", "a", "b", "b", "a", "ab"):
        show(app.invoke({"way": way, "log": [way]}, CONFIG), app.get_state(CONFIG).next)


def a_router_sees_what_its_node_returned(show: Any) -> None:
    """Also keys that the state does not have, and nothing of what others wrote."""
    seen: list[Any] = []

    def route(state: Any) -> str:
        seen.append(state)
        return END

    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"], "unknown": 1}).add_node("b", named("b"))
    builder.add_edge(START, "a").add_edge(START, "b").add_conditional_edges("a", route)
    show(builder.compile().invoke({"log": ["in"]}), seen)


def nodes_of_one_step_share_what_is_inside_values(show: Any) -> None:
    """The input of each is a dict of its own, its values are not."""

    def mark(state: Any) -> Any:
        state["way"] = "changed"
        state["log"].append("inside")
        return {}

    seen: list[Any] = []
    builder = StateGraph(State).add_node("a", mark).add_node("b", lambda state: seen.append(dict(state)))
    builder.add_edge(START, "a").add_edge("a", "b")
    show(builder.compile().invoke({"log": ["in"], "way": "w"}), seen)


def a_model_without_a_required_field_stops_the_node_before_it_runs(show: Any) -> None:
    class Model(BaseModel):
        a: int
        b: int

    ran: list[Any] = []
    app = StateGraph(Model).add_node("n", ran.append).add_edge(START, "n").compile()
    try:
        app.invoke({"a": 1})
    except ValidationError as error:
        show(error.errors()[0]["loc"], "task with name 'n'" in error.__notes__[0], ran)


def a_send_to_nobody_is_dropped(show: Any) -> None:
    builder = StateGraph(State).add_node("a", lambda number: {"log": [number]})
    builder.add_conditional_edges(START, lambda state: [Send("nobody", 1), Send("a", 2)], ["a"])
    show(builder.compile().invoke({"log": []}))
    builder = StateGraph(State).add_node("a", lambda state: Command(goto=[Send("nobody", 1), "no one", END]))
    show(builder.add_edge(START, "a").compile().invoke({"log": []}))


def reserved_names(show: Any) -> None:
    for name in ("configurable", "__interrupt__", "__error__", "checkpoint_ns", "tags", "__root_", "thread_id"):
        for key, node in ((name, "a"), ("key", name)):
            schema = TypedDict("Schema", {key: int})  # type: ignore[operator]  # a schema of parts
            builder = StateGraph(schema).add_node(node, lambda state: {}).add_edge(START, node)
            try:
                show((key, node, builder.compile().invoke({key: 1})))
            except ValueError as error:
                show((key, node, f"name '{name}' is reserved" in str(error)))


def metadata_goes_before_configurable(show: Any) -> None:
    app = StateGraph(State).add_node("a", named("a")).add_edge(START, "a").compile(checkpointer=InMemorySaver())
    app.invoke({"log": []}, {"configurable": {"thread_id": "t", "who": "one"}, "metadata": {"who": "other"}})
    show(app.get_state(CONFIG).metadata)


def attempts_that_call_a_graph(show: Any) -> None:
    """What the graph of a failed attempt did is in no result, whichever checkpointer it has."""
    for own in (None, True, False):
        inner = StateGraph(State).add_node("x", named("x")).add_edge(START, "x").compile(checkpointer=own)
        attempts: list[int] = []

        def calls(state: Any, inner: Any = inner, attempts: Any = attempts) -> Any:
            attempts.append(len(attempts))
            said = inner.invoke({"log": [f"attempt {len(attempts)}"]})["log"]
            if len(attempts) < 3:
                raise ConnectionError
            return {"log": said}

        policy = RetryPolicy(initial_interval=0, jitter=False)
        builder = StateGraph(State).add_node("a", calls, retry_policy=policy).add_edge(START, "a")
        show(builder.compile(checkpointer=InMemorySaver()).invoke({"log": ["in"]}, CONFIG), attempts)


def the_history_of_a_checkpoint_that_is_not_there(show: Any) -> None:
    app = StateGraph(State).add_node("a", named("a")).add_edge(START, "a").compile(checkpointer=InMemorySaver())
    app.invoke({"log": []}, CONFIG)
    unknown: Any = {"configurable": {"thread_id": "t", "checkpoint_id": "1"}}
    show(list(app.get_state_history(unknown)), app.get_state(unknown).values)
    newest, older, *_ = app.get_state_history(CONFIG)
    show(len(list(app.get_state_history(older.config, before=newest.config))))
    show(len(list(app.get_state_history(older.config, before=older.config))))
