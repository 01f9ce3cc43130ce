"""Causes for which random graphs of channels once differed, each as a small program on both engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.differential.engines import ours, reference
from tests.differential.lab import Lab, lab
from tests.differential.test_programs import difference
from tests.differential.test_random_channels import ON_THEIRS

REFERENCE, OURS = reference(), ours()


def pregel(lab: Lab, nodes: Mapping[str, Any], channels: Mapping[str, Any], inputs: list[str], **options: Any) -> None:
    lab.app = lab.Pregel(
        nodes=nodes, channels=channels, input_channels=inputs, checkpointer=lab.checkpointer, **options
    )


def node(lab: Lab, *triggers: str, **writes: Any) -> Any:
    """A node that subscribes to channels and writes these values."""
    made = lab.NodeBuilder().subscribe_to(*triggers).do(lambda given: sorted(given))
    return made.write_to(**{key: (lambda _, value=value: value) for key, value in writes.items()})


def untracked_input_alone(lab: Lab) -> None:
    """A fork of a thread to which only untracked channels were written can be gone on with."""
    channels = {"a": lab.UntrackedValue(str), "b": lab.BinaryOperatorAggregate(str, "{}{}".format)}
    pregel(lab, {"n": node(lab, "a", b="seen")}, channels, ["a"], output_channels=["b"])
    lab.run({"a": "x"})
    lab.run(None, lab.at(-1))
    lab.run(None)
    lab.run(None)


def edited_in_vain(lab: Lab) -> None:
    """An edit that writes nothing leaves a thread without anything to go on with, and so does a copy of it."""
    channels = {"a": lab.LastValue(str), "b": lab.LastValue(str)}
    made = lab.NodeBuilder().subscribe_only("a").do(lambda _: None).write_to(lab.ChannelWriteEntry("b", skip_none=True))
    pregel(lab, {"n": made}, channels, ["a"], output_channels=["b"])
    lab.update(None, "n")
    lab.invoke(None)
    lab.update(None, "__copy__")
    lab.invoke(None)
    lab.update("x", "n")
    lab.invoke(None)


def trigger_that_is_gone(lab: Lab) -> None:
    """An edit ends a brief channel: the node that it made ready has seen the other one that it subscribes to."""
    channels = {key: lab.LastValue(str) for key in "ac"} | {"b": lab.EphemeralValue(str)}
    nodes = {"one": node(lab, "a", b="b"), "two": node(lab, "a", "b"), "three": node(lab, "c")}
    pregel(lab, nodes, channels, ["a"], output_channels=["a", "b", "c"])
    lab.run({"a": "x"}, interrupt_after=["one"])
    lab.update(["edited"], "three")
    lab.update(["again"], "one")
    lab.bulk([[("more", "one")], [("more", "three")]])
    lab.run(None)
    lab.history()


def full_barrier(lab: Lab) -> None:
    """A write of a name that a full barrier has already is no write."""
    channels = {"a": lab.LastValue(str), "b": lab.NamedBarrierValueAfterFinish(str, {"x", "y"})}
    pregel(lab, {"n": node(lab, "a", b="y")}, channels, ["a", "b"], output_channels=["b"])
    lab.run({"a": "1", "b": "x"})
    lab.run({"a": "2"})


def stop_after_nothing(lab: Lab) -> None:
    """A run does not stop after a superstep that changed no channel."""
    channels = {"a": lab.LastValue(str), "b": lab.LastValue(str)}
    nodes = {"n": node(lab, "a", b="x"), "m": lab.NodeBuilder().subscribe_only("b").do(lambda _: None)}
    pregel(lab, nodes, channels, ["a"], output_channels=["a", "b"])
    lab.run({"a": "1"}, interrupt_after=["n"])
    lab.run(None, interrupt_after=["m"])
    lab.run({"a": "2"}, interrupt_after=["m"])


def value_that_came_by_itself(lab: Lab) -> None:
    """A channel that gets its value because nothing is ready is not shown unless a task wrote what is shown."""
    for shown in (None, "late", ["late", "b"], ["a", "late"]):
        for keys in (None, "late", ["late"], ["late", "b"]):
            channels = {key: lab.LastValue(str) for key in "ab"} | {"late": lab.LastValueAfterFinish(str)}
            nodes = {"n": node(lab, "a", b="x"), "m": node(lab, "late", a="again")}
            options = {"output_channels": "a", "stream_channels": shown}
            pregel(lab, nodes, channels, ["a", "late"], **options)
            lab.chunks({"a": "1", "late": "2"}, {"recursion_limit": 4}, stream_mode="values", output_keys=keys)
            lab.invoke({"a": "1", "late": "2"}, {"recursion_limit": 4}, output_keys=keys)


def bare_value_of_a_pause(lab: Lab) -> None:
    """The one output channel of a paused superstep has a value that is None."""
    channels = {"a": lab.LastValue(str), "b": lab.NamedBarrierValue(str, {"x"})}
    asking = lab.NodeBuilder().subscribe_only("a").do(lambda _: lab.interrupt("?"))
    pregel(lab, {"n": node(lab, "a", b="x"), "ask": asking}, channels, ["a"], output_channels="b")
    lab.invoke({"a": "1"}, version="v2")
    lab.invoke({"a": "1"})


def command_at_a_fork(lab: Lab) -> None:
    """What a Command writes to a DeltaChannel when it begins a branch at an older checkpoint is in the branch."""
    for frequency in (1, 2, 3):
        lab.thread = f"t{frequency}"
        g = lab.graph(lab.delta_state(frequency))
        g.add_node("a", lambda s: {"log": [lab.interrupt("?")]})
        g.add_node("b", lambda s: {"log": ["b"]})
        g.add_edge(lab.START, "a")
        g.add_edge("a", "b")
        lab.compile(g)
        lab.run({"log": ["in"], "count": 0})
        lab.run({"log": ["again"], "count": 0})
        command = lab.Command(update={"log": ["commanded"], "count": 1})
        for step in (0, -1, 2, 1):
            lab.run(command, lab.at(step))
        lab.answer(lambda value: "answered")
        lab.invoke(command, lab.at(0), durability="exit")
        lab.state()
        lab.invoke(lab.Command(resume="late"), durability="exit")
        lab.note("log", lab.state().values)


PROGRAMS = (
    untracked_input_alone, edited_in_vain, trigger_that_is_gone, full_barrier, stop_after_nothing,
    value_that_came_by_itself, bare_value_of_a_pause, command_at_a_fork,
)  # fmt: skip


@pytest.mark.parametrize("saver", ["model", "memory", "sqlite", "theirs"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.__name__)
def test_a_graph_of_channels_that_once_differed_behaves_alike(
    program: Callable[[Lab], None], saver: str, tmp_path: Path
) -> None:
    accounts = []
    engine, kind = (ON_THEIRS, "memory") if saver == "theirs" else (OURS, saver)
    for each, own in ((REFERENCE, "memory"), (engine, kind)):
        with lab(each, "sync", own, tmp_path) as opened:  # type: ignore[arg-type]  # kinds of savers
            program(opened)
            accounts.append(opened.record)
    assert not (found := difference(*accounts)), found
