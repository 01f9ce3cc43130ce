"""What calls on one thread do one after the other: input, edits and Commands meeting what an earlier call left."""

import operator
from typing import Annotated, Any

from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]
    count: Annotated[int, operator.add]


def nodes(lab: Lab, *names: str, late: tuple[str, ...] = (), asks: tuple[str, ...] = ()) -> Any:
    """A graph of nodes that log their names; those of `late` are deferred, those of `asks` ask."""
    g = lab.graph(Log)
    for name in names:
        asked = name in asks
        g.add_node(
            name,
            lambda s, name=name, asked=asked: {"log": [(name, lab.interrupt(name)) if asked else name]},
            defer=name in late,
        )
    return g


@program(needs_saver=True)
def edits_that_write_nothing(lab: Lab) -> None:
    """An edit without values shows no result, and of two by one node only the planned task shows one."""
    g = nodes(lab, "a", "b", "c")
    for name in "abc":
        g.add_edge(lab.START, name)
    lab.compile(g, interrupt_before=["a"])
    lab.run({"log": []})
    lab.bulk([[(None, "a"), ({"log": ["as b"]}, "b"), ({"log": ["as b too"]}, "b")]])
    lab.history()


@program(needs_saver=True)
def copy_of_an_input(lab: Lab) -> None:
    """The copy of a checkpoint before START goes on with the input that was given there."""
    g = nodes(lab, "a")
    g.add_edge(lab.START, "a")
    lab.compile(g, interrupt_before=["a"])
    lab.run({"log": ["one"]})
    lab.run({"log": ["two"]})
    made = lab.update(None, "__copy__", lab.at(1))
    lab.run(None, made)
    lab.update({"log": ["given"]}, "__input__")
    lab.update(None, "__copy__")
    lab.run(None)


@program(needs_saver=True)
def input_given_beside_a_question(lab: Lab) -> None:
    """START runs beside the task that asks: what it wrote is shown at the end of the run."""
    g = nodes(lab, "ask", asks=("ask",))
    g.add_edge(lab.START, "ask")
    lab.compile(g)
    lab.run({"log": []})
    lab.update({"log": ["given"], "count": 2}, "__input__")
    lab.run(None)
    lab.resume("answer")


@program(needs_saver=True)
def history_after_a_run_kept_at_its_end(lab: Lab) -> None:
    """With durability "exit" a lone task's own update of a sum is told by nothing: history shows no result."""
    g = lab.graph(Log)
    g.add_node("a", lambda s: {"log": ["a"]})
    g.add_node("b", lambda s: {"count": 1})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    lab.compile(g, interrupt_before=["b"])
    lab.run({"log": [], "count": 3})
    lab.run(None, durability="exit")
    lab.history()
