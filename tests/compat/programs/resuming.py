"""How answers find the questions that they are for."""

import operator
from typing import Annotated, Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


CONFIG: Any = {"configurable": {"thread_id": "t"}}


def asking(*questions: str) -> Any:
    """A node that asks one question after the other."""
    return lambda state: {"log": [[interrupt(each) for each in questions]]}


def the_first_questions_id_answers_the_next_one(show: Any) -> None:
    """An id that was shown for a task's first question stays one for that task; each is used once."""
    builder = StateGraph(State).add_node("a", asking("a1", "a2", "a3")).add_node("b", asking("b1"))
    app = builder.add_edge(START, "a").add_edge(START, "b").compile(checkpointer=InMemorySaver())
    first = {each.value: each.id for each in app.invoke({"log": []}, CONFIG)["__interrupt__"]}
    asked = app.invoke(Command(resume={first["a1"]: 1, first["b1"]: "b"}), CONFIG)["__interrupt__"]
    show([each.value for each in asked], asked[0].id == first["a1"])
    asked = app.invoke(Command(resume={first["a1"]: 2}), CONFIG)["__interrupt__"]
    show([each.value for each in asked])
    show(app.invoke(Command(resume={first["a1"]: "not this", asked[0].id: 3}), CONFIG))


def both_ids_of_a_task_give_one_answer(show: Any) -> None:
    app = StateGraph(State).add_node("a", asking("a1", "a2", "a3")).add_edge(START, "a")
    app = app.compile(checkpointer=InMemorySaver())
    first = app.invoke({"log": []}, CONFIG)["__interrupt__"][0].id
    second = app.invoke(Command(resume={first: 1}), CONFIG)["__interrupt__"][0].id
    show([each.value for each in app.invoke(Command(resume={first: "no", second: 2}), CONFIG)["__interrupt__"]])
