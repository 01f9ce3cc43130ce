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
def new_input_drops_joins_and_keeps_deferred_nodes(lab: Lab) -> None:
    """A full join that new input drops has to fill again; a deferred node that waits goes on waiting."""
    g = nodes(lab, "a", "b", "both", "ask", "late", late=("late",), asks=("ask",))
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "late")
    g.add_edge("a", "b")
    g.add_edge(["a", "b"], "both")
    g.add_edge("b", "ask")
    lab.compile(g)
    lab.run({"log": []})
    lab.run({"log": ["again"]})
    lab.run({"log": ["more"]})
    lab.resume("answer")
    lab.history()


@program(needs_saver=True)
def input_after_a_command_on_an_idle_thread(lab: Lab) -> None:
    """What the Command wrote is in the state that the input's checkpoint shows."""
    g = nodes(lab, "a")
    g.add_edge(lab.START, "a")
    lab.compile(g)
    lab.run({"log": [], "count": 1})
    lab.run(lab.Command(update={"count": 5}))
    lab.run({"log": ["again"]})


@program(needs_saver=True)
def a_command_beside_deferred_nodes(lab: Lab) -> None:
    """A Command's update does not end a deferred node's waiting."""
    g = nodes(lab, "a", "b", "late", late=("late",))
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "late")
    g.add_edge("a", "b")
    lab.compile(g, interrupt_before=["b"])
    lab.run({"log": []})
    lab.run(lab.Command(update={"count": 1}))
    lab.run({"log": ["again"]})
    place = lab.at(1)
    lab.run(lab.Command(update={"count": 1}), place)
    lab.run(None)


@program(needs_saver=True)
def replay_of_an_edit_with_a_subgraph(lab: Lab) -> None:
    """The graph inside begins again when the newest edit is replayed, and asks again; it goes on when it is resumed."""
    inner = lab.engine.StateGraph(Log)
    inner.add_node("first", lambda s: {"log": ["first"]})
    inner.add_node("ask", lambda s: {"log": [lab.interrupt("?")]})
    inner.add_edge(lab.START, "first")
    inner.add_edge("first", "ask")
    g = nodes(lab, "a")
    g.add_node("inner", inner.compile())
    g.add_edge(lab.START, "a")
    g.add_edge("a", "inner")
    lab.compile(g)
    lab.run({"log": []})
    made = lab.update({"log": ["by hand"]}, "a")
    lab.run(None)
    lab.run(None, made)
    lab.run(lab.Command(update={"count": 1}), made)
    lab.run(None)
    lab.answer(lambda value: "answer")


@program(needs_saver=True)
def a_lasting_subgraph_in_the_past(lab: Lab) -> None:
    """It goes back with a replay, also of an edit; new input at an older checkpoint finds it as it is now."""
    inner = lab.engine.StateGraph(Log)
    inner.add_node("grow", lambda s: {"count": 1})
    inner.add_edge(lab.START, "grow")
    g = nodes(lab, "a", "b")
    g.add_node("inner", inner.compile(checkpointer=True))
    g.add_edge(lab.START, "a")
    g.add_edge("a", "inner")
    g.add_edge("inner", "b")
    lab.compile(g)
    lab.run({"log": [], "count": 1})
    lab.run({"log": ["again"]})
    lab.run(None, lab.at(1))
    lab.run({"log": ["past"]}, lab.at(1))
    made = lab.update({"log": ["by hand"]}, "a", lab.at(1))
    lab.run(None, made)
    lab.run(None, made)
    lab.thread = "second turn"
    lab.run({"log": [], "count": 1})
    lab.run({"log": ["again"]})
    lab.run(None, lab.at(5))


@program(needs_saver=True)
def calls_on_a_blank_thread(lab: Lab) -> None:
    """A thread to which nothing was written, though it has a checkpoint, has nothing to resume."""
    g = nodes(lab, "a", "b")
    g.add_edge(lab.START, "a")
    lab.compile(g)
    lab.update(None, lab.END)
    lab.run(None)
    lab.run(lab.Command(resume="nobody asked"))
    lab.thread = "copied"
    lab.update(None, lab.END)
    lab.update(None, "__copy__")
    lab.run(lab.Command(resume="nobody asked"))
    lab.thread = "edited in vain"
    lab.update(None, "b")
    lab.run(lab.Command(resume={"0" * 32: "nobody asked"}))
    lab.thread = "led somewhere"
    lab.update(None, lab.START)
    lab.run(None)


@program(needs_saver=True)
def edits_that_write_nothing(lab: Lab) -> None:
    """An edit without values shows no result, and of two by one node only the planned task shows one."""
    g = nodes(lab, "a", "b", "c")
    for name in "abc":
        g.add_edge(lab.START, name)
    lab.compile(g, interrupt_before=["a"])
    lab.run({"log": []})
    lab.update(None, "c")
    lab.thread = "alone"
    lab.update({"log": ["given"]}, "a")
    lab.update(lab.Command(goto="c"), "a")
    lab.update(None, "c")
    lab.history()
    lab.thread = "together"
    lab.run({"log": []})
    lab.bulk([[(None, "a"), ({"log": ["as b"]}, "b"), ({"log": ["as b too"]}, "b")]])
    lab.history()


@program(needs_saver=True)
def an_edit_behind_a_full_join(lab: Lab) -> None:
    """Who came to a full join does not come again, so nothing new is ready and a deferred node is next."""
    g = nodes(lab, "a", "late", "both", late=("late",))
    g.add_edge(lab.START, "a")
    g.add_edge("a", "late")
    g.add_edge(["a", "late"], "both")
    lab.compile(g, interrupt_before=["both"])
    lab.run({"log": []})
    lab.update({"log": ["as a"]}, "a")
    lab.run(None)
    lab.run(None)


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


@program(needs_saver=True)
def edits_after_runs_kept_at_their_end(lab: Lab) -> None:
    """The last node that ran is known also where durability "exit" left out the checkpoints between."""
    g = nodes(lab, "a", "b", "work")
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_conditional_edges("b", lambda s: [lab.Send("work", s)], ["work"])
    lab.compile(g)
    lab.invoke({"log": []}, durability="exit")
    lab.update({"log": ["as b"]})
    lab.invoke(None, durability="exit")
    lab.update({"log": ["as b"]})
    lab.without_history = "results at exit"
