"""DeltaChannels on LangGraph's savers: both engines store what was written and snapshots, and read each other's."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.compat.dump import dump
from tests.compat.pair import pair_lab
from tests.compat.test_savers_pairs import ORDERS
from tests.compat.test_savers_programs import CALLS, OURS, REFERENCE
from tests.differential import random_programs
from tests.differential.engines import Calls, Engine, Saver
from tests.differential.lab import Lab, lab
from tests.differential.registry import Program
from tests.differential.test_programs import asked, difference, differs

PROGRAMS: dict[str, Program] = {}
FREQUENCIES = (1, 2, 3, 100)


def program(play: Any) -> Any:
    PROGRAMS[play.__name__] = Program(play.__name__, play, needs_saver=True)
    return play


def chain(lab: Lab, frequency: int, **options: Any) -> Any:
    """a and b beside each other, then c."""
    g = lab.graph(lab.delta_state(frequency, **options))
    g.add_node("a", lambda s: {"log": [f"a{len(s['log'])}"], "count": 1})
    g.add_node("b", lambda s: {"log": [f"b{len(s['log'])}"]})
    g.add_node("c", lambda s: {"log": ["c"]})
    g.add_edge(lab.START, "a").add_edge(lab.START, "b").add_edge(["a", "b"], "c")
    return g


@program
def writes_and_snapshots(lab: Lab, frequency: int) -> None:
    """Runs on one thread, with and without input for the channel."""
    lab.compile(chain(lab, frequency))
    lab.run({"log": ["in"], "count": 0})
    lab.run({"count": 3})
    lab.run({"log": []})
    lab.run({"log": lab.Overwrite(["over"])})


@program
def edits(lab: Lab, frequency: int) -> None:
    """Edits at the head, as several nodes, with Overwrite, of a thread that has nothing, and in the past."""
    lab.compile(chain(lab, frequency))
    lab.update({"log": ["first"]}, "a")
    lab.update({"log": ["second"]}, "b")
    lab.run(None)
    lab.update({"log": lab.Overwrite(["fresh"])}, "c")
    lab.update({"count": 1}, "c")
    lab.bulk([[({"log": ["x"]}, "a"), ({"log": ["y"]}, "b")], [({"log": ["z"]}, "c")]])
    lab.update({"log": ["old"]}, "a", lab.at(1))
    lab.run({"log": ["more"]})
    lab.update({"log": ["as input"]}, "__input__")
    lab.run(None)
    lab.update(None, lab.END)
    lab.update(None, "__copy__")
    lab.update({"log": ["after"]}, "a")


@program
def journeys(lab: Lab, frequency: int) -> None:
    """Replays and forks of checkpoints whose writes belong to other branches."""
    lab.compile(chain(lab, frequency))
    lab.run({"log": ["in"]})
    for step in (0, 1, 2):
        lab.run(None, lab.at(step))
    at = lab.at(1)
    lab.run(lab.Command(update={"log": ["told"]}), at)
    lab.run({"log": ["again"]})
    lab.run({"log": ["from the past"]}, lab.at(0))


@program
def questions(lab: Lab, frequency: int) -> None:
    """A pause beside finished siblings; answers, new input instead of one, Commands that write."""
    g = chain(lab, frequency)
    g.add_node("ask", lambda s: {"log": [lab.interrupt("q")]})
    g.add_edge(lab.START, "ask").add_edge("ask", "c")
    lab.compile(g)
    lab.run({"log": ["in"]})
    lab.run(lab.Command(resume="yes", update={"log": ["beside"]}))
    lab.run({"log": ["two"]})
    lab.run({"log": ["instead"]})
    lab.run(lab.Command(update={"log": ["told"]}))
    lab.resume("late")
    lab.run(None, lab.at(lab.states()[-2].metadata["step"]))


@program
def sends_and_subgraphs(lab: Lab, frequency: int) -> None:
    """Sends to a node that writes, and a graph inside with a channel of its own."""
    inner = lab.graph(lab.delta_state(frequency, inner=True))
    inner.add_node("i", lambda s: {"log": ["i"], "count": 1}).add_edge(lab.START, "i")
    inner.add_node("j", lambda s: {"log": [lab.interrupt("inside")]}).add_edge("i", "j")
    g = lab.graph(lab.delta_state(frequency))
    g.add_node("work", lambda s: {"log": [f"w{s['count']}"]})
    g.add_node("child", inner.compile())
    g.add_conditional_edges(lab.START, lambda s: [lab.Send("work", {"count": n}) for n in range(3)], ["work"])
    g.add_edge("work", "child")
    lab.compile(g)
    lab.run({"log": ["in"], "count": 0})
    lab.resume("yes")
    lab.run({"log": ["two"]})


@program
def saved_at_the_end(lab: Lab, frequency: int) -> None:
    """With durability "exit": new threads, threads that go on, pauses, failures and journeys."""
    g = chain(lab, frequency)
    g.add_node("ask", lambda s: {"log": [lab.interrupt("q")]})
    g.add_edge("c", "ask")
    lab.compile(g)
    lab.invoke({"log": ["in"]}, durability="exit")
    lab.state()
    lab.invoke(lab.Command(resume="yes"), durability="exit")
    lab.state()
    lab.invoke({"log": ["two"]})
    lab.invoke(lab.Command(resume="no", update={"log": ["told"]}), durability="exit")
    lab.state()
    lab.invoke({"log": ["three"]}, durability="exit")
    lab.update({"log": ["edit"]}, "c")
    lab.invoke(None, lab.at(lab.states()[2].metadata["step"]), durability="exit")
    lab.state()


@program
def a_reducer_that_changes_its_list(lab: Lab, frequency: int) -> None:
    """Routers and later supersteps see what they should."""
    seen: list[Any] = []
    g = lab.graph(lab.delta_state(frequency, in_place=True))

    def route(s: Any) -> str:
        seen.append(len(s["log"]))
        return "a" if len(s["log"]) < 6 else lab.END

    g.add_node("a", lambda s: {"log": ["a"]}).add_edge(lab.START, "a")
    g.add_conditional_edges("a", route, ["a", lab.END])
    lab.compile(g)
    lab.run({"log": ["in"]})
    lab.note("seen", seen)


CASES = [pytest.param(each, id=each.name) for each in PROGRAMS.values()]


def play(engine: Engine, program: Program, calls: Calls, frequency: int, quiet: bool = True) -> Any:
    """The account of a program's run, and what its saver holds in the end."""
    with lab(engine, calls, "memory", Path(), quiet=quiet) as opened:
        program.play(opened, frequency)  # type: ignore[call-arg]  # these programs take it
        opened.finish()
        return opened.record, dump(opened.checkpointer)


@cache
def expected(name: str, calls: Calls, frequency: int, quiet: bool = True) -> Any:
    return play(REFERENCE, PROGRAMS[name], calls, frequency, quiet)


@pytest.mark.parametrize("program", CASES)
@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_program_stores_what_langgraph_would_have_stored(program: Program, calls: Calls, frequency: int) -> None:
    got, kept = play(OURS, program, calls, frequency)
    wanted = ([*want, *stored.items()] for want, stored in asked(expected, program.name, calls, frequency))
    assert not (found := differs(wanted, [*got, *kept.items()])), found


@pytest.mark.parametrize("program", CASES)
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("saver", ["memory", "sqlite"])
def test_a_program_may_change_hands(program: Program, order: Any, frequency: int, saver: Saver, tmp_path: Path) -> None:
    with pair_lab(order, "sync", saver, tmp_path) as opened:
        program.play(opened, frequency)  # type: ignore[call-arg]  # these programs take it
        opened.finish()
    wanted = (want for want, _ in asked(expected, program.name, "sync", frequency))
    assert not (found := differs(wanted, opened.record)), found


def random_play(opened: Lab, seed: int) -> Any:
    rng = Random(seed)
    frequency, inner = rng.choice(FREQUENCIES), rng.choice(FREQUENCIES)
    random_programs.play(opened, seed, opened.delta_state(frequency), opened.delta_state(inner, inner=True))
    opened.finish()
    return opened.record


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_random_programs_with_deltas_may_change_hands(first: int) -> None:
    for seed in range(first, first + 20):
        with lab(REFERENCE, "sync", "memory", Path(), quiet=True) as opened:
            want, stored = random_play(opened, seed), dump(opened.checkpointer)
        with lab(OURS, "sync", "memory", Path(), quiet=True) as opened:
            got, kept = random_play(opened, seed), dump(opened.checkpointer)
        assert not (found := difference(want, got)), f"seed {seed}: {found}"
        if not random_programs.may_fail(seed):
            found = difference(list(stored.items()), list(kept.items()))
            assert not found, f"seed {seed}: {found}"
        rng = Random(seed)
        hands = [rng.randint(0, 1) for _ in range(200)]
        with pair_lab(lambda call, hands=hands: hands[call % 200], "sync", "memory", Path()) as pair:
            got = random_play(pair, seed)
        assert not (found := difference(want, got)), f"seed {seed}, {hands[:12]}: {found}"


QUIET = """
import operator
from typing import Annotated, TypedDict
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
class State(TypedDict):
    log: Annotated[list, DeltaChannel(lambda state, writes: [*state, *sum(writes, [])], snapshot_frequency=100)]
    n: Annotated[int, operator.add]
builder = StateGraph(State).add_node("a", lambda state: {"n": 1}).add_edge(START, "a")
builder.add_conditional_edges("a", lambda state: "a" if state["n"] < 7 else END, ["a", END])
app, config = builder.compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "t"}}
app.invoke({"log": ["in"], "n": 0}, config)
for each in app.checkpointer.list(config):
    held = each.checkpoint["channel_values"].get("log")
    print(each.metadata["step"], each.metadata.get("counters_since_delta_snapshot"), type(held).__name__)
"""


def test_the_environment_says_after_how_many_supersteps_a_snapshot_is_made() -> None:
    """Also where nobody writes to the channel."""
    shown = []
    for start in ([], ["-m", "stepgraph.compat", "run"]):
        done = subprocess.run(
            [sys.executable, *start, "-c", QUIET], capture_output=True, text=True, check=True,
            env={**os.environ, "LANGGRAPH_DELTA_MAX_SUPERSTEPS_SINCE_SNAPSHOT": "3"},
        )  # fmt: skip
        shown.append(done.stdout.splitlines())
    assert sum("_DeltaSnapshot" in line for line in shown[0]) > 1
    assert shown[0] == shown[1]
