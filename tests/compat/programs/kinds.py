"""What programs can do with the objects of `langgraph.types` themselves: change, compare, hash, copy and match them."""

import copy
import dataclasses
import pickle
import weakref
from collections.abc import Callable
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, Command, Interrupt, Overwrite, Send, TimeoutPolicy, interrupt
from typing_extensions import TypedDict

MADE: dict[str, Callable[[], Any]] = {
    "interrupt": lambda: Interrupt("v", id="x"),
    "question without an id": lambda: Interrupt(1),
    "overwrite": lambda: Overwrite(1),
    "overwrite of a list": lambda: Overwrite([1]),
    "command": lambda: Command(update={"a": 1}, goto="n"),
    "bare command": lambda: Command(),
    "send": lambda: Send("n", 1),
    "timeout": lambda: TimeoutPolicy(run_timeout=1),
    "cache": lambda: CachePolicy(ttl=3),
}


def outcome(act: Callable[..., Any], *given: Any) -> Any:
    try:
        return act(*given)
    except Exception as error:
        return type(error).__name__


def change(made: Any, name: str, value: Any) -> Any:
    setattr(made, name, value)
    return getattr(made, name)


def changed(show: Any) -> None:
    for name, make in MADE.items():
        fields = [each.name for each in dataclasses.fields(make())] if dataclasses.is_dataclass(make()) else ["node"]
        show(name, [outcome(change, make(), field, "new") for field in fields])
        show([outcome(delattr, make(), field) for field in fields])


def compared_and_copied(show: Any) -> None:
    for name, make in MADE.items():
        one, other = make(), make()
        show(name, one == other, one != other, one == 1, outcome(lambda a, b: hash(a) == hash(b), one, other))
        show(outcome(lambda a, b: {a: 1} == {b: 1}, one, other), outcome(lambda a, b: len({a, b}), one, other))
        if name != "cache":  # what is unpickled here was pickled in this line
            show(pickle.loads(pickle.dumps(one)) == one, copy.copy(one) == one, copy.deepcopy(one) == one)
        show(outcome(lambda a: dataclasses.replace(a) == a, one), outcome(lambda a: weakref.ref(a)() is a, one))


def by_position(show: Any) -> None:
    for kind in (Command, Interrupt, Overwrite, Send, TimeoutPolicy, CachePolicy):
        show(kind.__name__, repr(outcome(kind)), repr(outcome(kind, "a")))
    show(Command.__match_args__, Interrupt.__match_args__, Overwrite.__match_args__)


def a_question_changed_by_its_reader(show: Any) -> None:
    class State(TypedDict):
        said: str

    graph = StateGraph(State).add_node("a", lambda s: {"said": interrupt({"ask": 1})}).add_edge(START, "a")
    app = graph.compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}}
    (asked,) = app.invoke({"said": ""}, config)["__interrupt__"]
    asked.value = "redacted"
    show(asked, [each.value for each in app.get_state(config).interrupts], app.invoke(Command(resume="x"), config))
