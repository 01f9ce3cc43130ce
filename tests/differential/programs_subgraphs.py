"""Programs about subgraphs: every way to run them, every way to keep their checkpoints, and travels inside them."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict, total=False):
    log: Annotated[list, operator.add]


def chain(lab: Lab, *names: str, **nodes: Any) -> Any:
    """Nodes one after the other; each logs its name, or does what is given for it."""
    g = lab.graph(Log)
    previous = lab.START
    for name in names:
        g.add_node(name, nodes.get(name, lambda s, name=name: {"log": [name]}))
        g.add_edge(previous, name)
        previous = name
    return g


def asking(lab: Lab, name: str = "ask") -> Any:
    """A node that asks and logs the answer."""
    return lambda s: {"log": [f"{name}:{lab.interrupt(name)}"]}


@program(needs_saver=True)
def a_subgraph_in_each_checkpointer_mode(lab: Lab) -> None:
    """None and True as node, run twice, with a question inside."""
    for lasting in (None, True):
        lab.thread = str(lasting)
        inner = chain(lab, "i", "ask", ask=asking(lab)).compile(checkpointer=lasting)
        lab.compile(chain(lab, "a", "child", "b", child=inner))
        for answer in ("one", "two"):
            lab.run({"log": ["in"]})
            lab.state(subgraphs=True)
            lab.resume(answer)
        lab.history()


@program(needs_saver=True, sync_only=True)
def a_called_subgraph_in_each_checkpointer_mode(lab: Lab) -> None:
    """The same, called by a node's function."""
    for lasting in (None, True):
        lab.thread = str(lasting)
        inner = chain(lab, "i", "ask", ask=asking(lab)).compile(checkpointer=lasting)
        lab.compile(chain(lab, "a", "child", "b", child=lambda s, inner=inner: inner.invoke({"log": []})))
        if lab.calls != "sync":
            continue
        for answer in ("one", "two"):
            lab.run({"log": ["in"]})
            lab.state(subgraphs=True)
            lab.resume(answer)


@program(needs_saver=True, sync_only=True)
def several_subgraphs_in_one_node(lab: Lab) -> None:
    """The second and third get namespaces of their own."""
    lab.compile(chain(lab, "node"))
    if lab.calls != "sync":
        return
    one = chain(lab, "x", "ask", ask=asking(lab, "first")).compile()
    two = chain(lab, "y", "ask", ask=asking(lab, "second")).compile()

    def node(s: Any) -> Any:
        return {"log": [one.invoke({"log": []})["log"], two.invoke({"log": []})["log"], one.invoke({"log": []})["log"]]}

    lab.compile(chain(lab, "node", node=node))
    lab.run({"log": []})
    lab.resume("A")
    lab.resume("B")
    lab.resume("C")


@program(needs_saver=True, sync_only=True)
def a_lasting_subgraph_called_twice_by_one_node(lab: Lab) -> None:
    """Each call has a history of its own; one that ended before the node stopped does not run again.

    Once only: see DEVIATIONS["lasting subgraph skipped"].
    """
    lab.compile(chain(lab, "node"))
    if lab.calls != "sync":
        return
    inner = chain(lab, "i", "ask", ask=asking(lab)).compile(checkpointer=True)

    def node(s: Any) -> Any:
        return {"log": [*inner.invoke({"log": []})["log"], *inner.invoke({"log": ["second"]})["log"]]}

    lab.compile(chain(lab, "a", "node", node=node))
    lab.run({"log": ["in"]})
    lab.resume("A")
    lab.resume("B")


@program(needs_saver=True)
def a_lasting_subgraph_inside_one_that_is_not(lab: Lab) -> None:
    """Its history is one for the thread, however it is reached."""
    innermost = chain(lab, "deep").compile(checkpointer=True)
    middle = chain(lab, "m", "inner", inner=innermost).compile()
    lab.compile(chain(lab, "a", "middle", middle=middle))
    lab.run({"log": ["1"]})
    lab.run({"log": ["2"]})


@program(needs_saver=True)
def a_subgraph_without_checkpoints(lab: Lab) -> None:
    """checkpointer=False keeps nothing, and its state is not shown."""
    inner = chain(lab, "i", "j").compile(checkpointer=False)
    lab.compile(chain(lab, "child", "b", child=inner), interrupt_before=["b"])
    lab.run({"log": ["in"]}, durability="async")  # LangGraph fails with "sync" here
    lab.state(subgraphs=True)
    lab.run(None, durability="async")


@program(needs_saver=True)
def a_subgraph_without_checkpoints_asks(lab: Lab) -> None:
    """It runs from its beginning, and the answer is there; its node's siblings are over."""
    inner = chain(lab, "i", "ask", "j", ask=asking(lab)).compile(checkpointer=False)
    for thread, child in (("added", inner), ("called", lambda s: inner.invoke({"log": []}))):
        if thread == "called" and lab.calls != "sync":
            continue
        g = chain(lab, "a", "child", "b", child=child)
        g.add_node("beside", lambda s: {"log": ["beside"]})
        g.add_edge("a", "beside")
        lab.compile(g)
        for durability in ("async", "exit"):
            lab.thread = f"{thread} {durability}"
            lab.run({"log": ["in"]}, durability=durability)
            lab.run(lab.Command(resume="yes"), durability=durability)


@program(needs_saver=True)
def an_answer_for_a_subgraph_that_has_not_begun(lab: Lab) -> None:
    """An answer given at a breakpoint is for whoever asks first, in whichever graph."""
    for lasting in (None, True, False):
        lab.thread = str(lasting)
        inner = chain(lab, "i", "ask", ask=asking(lab)).compile(checkpointer=lasting)
        lab.compile(chain(lab, "a", "child", "b", child=inner), interrupt_before=["child"])
        lab.run({"log": ["in"]}, durability="async")
        lab.run(lab.Command(resume="early"), durability="async")


@program(needs_saver=True)
def travels_around_lasting_subgraphs(lab: Lab) -> None:
    """A replay of the parent begins with what the subgraph knew then; one inside it goes on there."""
    inner = chain(lab, "i1", "i2").compile(checkpointer=True)
    lab.compile(chain(lab, "a", "child", "b", child=inner))
    lab.run({"log": ["1"]})
    lab.run({"log": ["2"]})
    lab.run(None, next(dict(s.config) for s in lab.states() if s.next == ("child",) and s.metadata["step"] == 1))
    inside = {"configurable": {"thread_id": lab.thread, "checkpoint_ns": "child"}}
    lab.history(inside)
    lab.run(None, next(dict(s.config) for s in lab.states(inside) if s.next == ("i2",)))


@program(needs_saver=True)
def edits_inside_a_subgraph(lab: Lab) -> None:
    """update_state at a question inside, as the asking node and as the one before."""
    for name in ("ask", "i", None):
        lab.thread = str(name)
        inner = chain(lab, "i", "ask", ask=asking(lab)).compile()
        lab.compile(chain(lab, "child", "b", child=inner))
        lab.run({"log": ["in"]})
        shown = lab.state(subgraphs=True)
        made = lab.update({"log": ["edited"]}, name, shown.tasks[0].state.config)
        lab.state(made)
        lab.state(subgraphs=True)
        if name == "ask":
            lab.run(None)
        else:
            lab.resume("answer")


@program
def commands_to_a_parent_of_a_parent(lab: Lab) -> None:
    """A Command goes up one level, and from there by another one to the next."""
    innermost = chain(
        lab, "x", x=lambda s: lab.Command(graph=lab.Command.PARENT, update={"log": ["from x"]}, goto="catch")
    )
    middle = chain(lab, "m", "inner", inner=innermost.compile())
    middle.add_node("catch", lambda s: lab.Command(graph=lab.Command.PARENT, update={"log": ["caught"]}, goto="end"))
    g = chain(lab, "a", "middle", middle=middle.compile())
    g.add_node("end", lambda s: {"log": ["end"]})
    lab.compile(g)
    lab.run({"log": ["in"]})
