"""Programs that read and write threads: snapshots, histories, updates in every form, time travel."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict, total=False):
    log: Annotated[list, operator.add]
    x: int


def chain(lab: Lab, *names: str, **nodes: Any) -> Any:
    """Nodes of these names one after the other; each logs its name, or does what is given for it."""
    g = lab.graph(Log)
    previous = lab.START
    for name in names:
        g.add_node(name, nodes.get(name, lambda s, name=name: {"log": [name]}))
        g.add_edge(previous, name)
        previous = name
    return g


def fan(lab: Lab) -> Any:
    """a, then b and c side by side, then d after both."""
    g = lab.graph(Log)
    for name in "abcd":
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_edge("a", "c")
    g.add_edge(["b", "c"], "d")
    return g


@program(needs_saver=True)
def updates_without_a_name(lab: Lab) -> None:
    """as_node is the last node that ran, if one did."""
    lab.compile(chain(lab, "a", "b", "c"), interrupt_before=["c"])
    lab.update({"log": ["first"]})
    lab.update({"log": ["second"]})
    lab.thread = "u"
    lab.run({"log": ["in"]})
    lab.update({"log": ["third"]})
    lab.update({"log": ["fourth"]})
    lab.run(None)
    lab.update({"log": ["fifth"]})
    lab.run(None)


@program(needs_saver=True)
def updates_beside_each_other(lab: Lab) -> None:
    """After parallel nodes a name is needed; several updates of one superstep keep their order."""
    lab.compile(fan(lab), interrupt_after=["b", "c"])
    lab.run({"log": ["in"]})
    lab.update({"log": ["nobody"]})
    lab.update({"log": ["somebody"]}, "c")
    lab.bulk([[({"log": ["C"]}, "c"), ({"log": ["B"]}, "b")]])
    lab.run(None)
    lab.bulk([[({"log": ["B"]}, "b"), ({"log": ["C"]}, "c")], [({"log": ["A"]}, "a")]])
    lab.bulk([[({"log": ["B"]}, "b"), ({"log": ["C"]}, None)]])
    lab.run(None)


@program(needs_saver=True)
def updates_before_anything_ran(lab: Lab) -> None:
    """On a thread without checkpoints: as input, as a node, as START, as END."""
    lab.compile(fan(lab))
    for position, (values, name) in enumerate(
        [
            ({"log": ["x"]}, None),
            ({"log": ["x"]}, "a"),
            ({"log": ["x"]}, "b"),
            ({"log": ["x"]}, "__input__"),
            ({"log": ["x"]}, lab.START),
            (None, lab.END),
            (None, "a"),
        ]
    ):
        lab.thread = str(position)
        lab.update(values, name)
        lab.run(None)


@program(needs_saver=True)
def clearing_what_waits(lab: Lab) -> None:
    """as_node END with no values drops the waiting tasks; with values it is an error."""
    lab.compile(fan(lab), interrupt_before=["b"])
    lab.run({"log": ["in"]})
    lab.update(None, lab.END)
    lab.run(None)
    lab.run({"log": ["again"]})
    lab.update({"log": ["x"]}, lab.END)
    lab.bulk([[(None, lab.END), (None, lab.END)]])
    lab.run(None)


@program(needs_saver=True)
def clearing_beside_a_finished_task(lab: Lab) -> None:
    """What a finished sibling wrote is kept when the rest is dropped."""
    nodes = {"c": lambda s: {"log": [lab.interrupt("?")]}}
    g = lab.graph(Log)
    for name in "abc":
        g.add_node(name, nodes.get(name, lambda s, name=name: {"log": [name]}))
        if name != "a":
            g.add_edge("a", name)
    g.add_node("after", lambda s: {"log": ["after"]})
    g.add_edge("b", "after")
    g.add_edge(lab.START, "a")
    lab.compile(g)
    lab.run({"log": ["in"]})
    lab.update(None, lab.END)
    lab.run(None)


@program(needs_saver=True)
def copying_checkpoints(lab: Lab) -> None:
    """__copy__ of the newest and of an older checkpoint, with updates and with bad ones."""
    lab.compile(fan(lab))
    lab.run({"log": ["in"]})
    lab.update(None, "__copy__")
    lab.run(None)
    lab.update(None, "__copy__", lab.at(1, "loop"))
    lab.run(None)
    lab.update([({"log": ["C"]}, "c"), ({"log": ["B"]}, "b")], "__copy__", lab.at(1, "loop"))
    lab.run(None)
    lab.update([1], "__copy__", lab.at(1, "loop"))
    lab.bulk([[(None, "__copy__"), (None, "__copy__")]])
    lab.thread = "nothing"
    lab.update(None, "__copy__")


@program(needs_saver=True)
def updates_as_input(lab: Lab) -> None:
    """__input__ on a thread that waits, with and without values."""
    lab.compile(fan(lab), interrupt_before=["b"])
    lab.run({"log": ["in"]})
    lab.update({"log": ["new"]}, "__input__")
    lab.run(None)
    lab.update(None, "__input__")
    lab.update({}, "__input__")
    lab.update({"unknown": 1}, "__input__")
    lab.bulk([[({"log": ["1"]}, "__input__"), ({"log": ["2"]}, "__input__")]])


@program(needs_saver=True)
def updates_that_are_refused(lab: Lab) -> None:
    """Unknown nodes, no supersteps, no updates, values of no known form."""
    lab.compile(chain(lab, "a", "b"))
    lab.run({"log": ["in"]})
    lab.update({"log": ["x"]}, "nowhere")
    lab.bulk([])
    lab.bulk([[]])
    lab.update(7, "a")
    lab.update({"unknown": 1}, "a")
    lab.update(None, "a")
    lab.run(None)


@program(needs_saver=True)
def updates_with_routers_and_commands(lab: Lab) -> None:
    """The routers of the named node run; a Command says where to go besides; Sends become tasks."""
    g = lab.graph(Log)
    for name in "abc":
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_node("each", lambda s: {"log": [s]})
    g.add_edge(lab.START, "a")

    def route(s: Any) -> Any:
        if s.get("x") == 2:
            return [lab.Send("each", 1), lab.Send("each", 2), "c"]
        return "b" if s.get("x") == 1 else lab.END

    g.add_conditional_edges("a", route, ["b", "c", "each", lab.END])
    lab.compile(g)
    lab.run({"log": ["in"]})
    for x in (1, 2, 3):
        lab.update({"x": x}, "a")
        lab.run(None)
    lab.update(lab.Command(update={"log": ["!"], "x": 3}, goto=["c", lab.Send("each", 9)]), "a")
    lab.run(None)


@program(needs_saver=True)
def updates_at_an_older_checkpoint(lab: Lab) -> None:
    """An update there begins a branch; reading without a checkpoint shows the newest."""
    lab.compile(chain(lab, "a", "b", "c"))
    lab.run({"log": ["in"]})
    made = lab.update({"log": ["X"]}, "a", lab.at(1, "loop"))
    lab.state(made)
    lab.run(None, made)
    lab.update({"log": ["Y"]}, None, lab.at(1, "loop"))
    lab.run(None)


@program(needs_saver=True)
def histories(lab: Lab) -> None:
    """Filters, limits, and what was before a checkpoint."""
    lab.compile(chain(lab, "a", "b"))
    lab.run({"log": ["1"]}, {"metadata": {"by": "me", "n": 1}})
    lab.run({"log": ["2"]}, {"metadata": {"by": "you"}})
    lab.update({"log": ["x"]}, "a")
    for options in (
        {},
        {"limit": 2},
        {"limit": 0},
        {"filter": {"source": "input"}},
        {"filter": {"source": "loop", "step": 1}},
        {"filter": {"by": "me"}, "limit": 3},
        {"filter": {"by": "nobody"}},
        {"before": lab.at(2, "loop")},
        {"before": lab.at(2, "loop"), "limit": 1},
        {"before": lab.at(5, "loop"), "filter": {"source": "loop"}, "limit": 2},
    ):
        lab.history(**options)
    lab.history(lab.at(1, "loop"))


@program(needs_saver=True)
def travels(lab: Lab) -> None:
    """Replay, fork, and answers at older checkpoints, of a graph with a question."""
    lab.compile(chain(lab, "a", "ask", "c", ask=lambda s: {"log": [lab.interrupt("which?")]}))
    lab.run({"log": ["in"]})
    lab.resume("one")
    lab.run(None, lab.at(1, "loop"))
    lab.resume("two")
    lab.run(None, lab.at(2, "loop"))
    lab.run({"log": ["new"]}, lab.at(2, "loop"))
    lab.run(None, lab.at(-1, "input"))
    lab.resume("four")


@program(needs_saver=True)
def a_live_and_a_recorded_state(lab: Lab) -> None:
    """A finished sibling counts in the live state and not in the record of the step; failures show."""
    fails = [True]

    def failing(s: Any) -> Any:
        if fails[0]:
            raise ValueError("no")
        return {"log": ["c"]}

    g = lab.graph(Log)
    g.add_node("b", lambda s: {"log": ["b"]})
    g.add_node("q", lambda s: {"log": [lab.interrupt("?")]})
    g.add_node("d", lambda s: {"log": ["d"]})
    g.add_edge(lab.START, "b")
    g.add_edge(lab.START, "q")
    g.add_edge(["b", "q"], "d")
    lab.compile(g)
    lab.run({"log": ["in"]})
    shown = lab.state()
    lab.state(shown.config)
    lab.resume("a")
    lab.compile(chain(lab, "a", "c", c=failing))
    lab.thread = "f"
    lab.run({"log": ["in"]})
    lab.state(lab.at(1, "loop"))
    fails[0] = False
    lab.run(None)
