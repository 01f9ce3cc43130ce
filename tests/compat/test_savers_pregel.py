"""Threads of graphs made of channels and nodes change hands between both engines, over one saver of LangGraph's."""

from __future__ import annotations

import importlib
from itertools import product
from typing import Any

import langgraph.channels
import langgraph.pregel
import langgraph.types
import pytest
from langgraph.checkpoint.memory import InMemorySaver

import stepgraph

CONFIG: Any = {"configurable": {"thread_id": "1"}}


def built(engine: str, saver: Any) -> Any:
    """A graph with a question, a barrier and a channel that waits for the end."""
    ours = engine == "ours"
    channels: Any = stepgraph if ours else langgraph.channels
    kinds: Any = stepgraph if ours else langgraph.pregel
    ask = stepgraph.interrupt if ours else langgraph.types.interrupt

    def node(action: Any, *sources: str, reads: Any = (), **writes: Any) -> Any:
        return kinds.NodeBuilder().subscribe_to(*sources).read_from(*reads).do(action).write_to(**writes)

    return kinds.Pregel(
        nodes={
            "one": node(lambda given: given["a"] + str(ask("?")), "a", b=str, gate=lambda _: "one"),
            "beside": node(lambda given: given["a"] * 2, "a", log=str, gate=lambda _: "two", late=str),
            "join": node(lambda given: sorted(given), "gate", "b", reads=["log"], c=list),
            "end": node(lambda given: given["late"], "late", d=str),
        },
        channels={
            "a": channels.EphemeralValue(str),
            **{key: channels.LastValue(Any) for key in "bcd"},
            "log": channels.Topic(str, accumulate=True),
            "late": channels.LastValueAfterFinish(str),
            "gate": channels.NamedBarrierValueAfterFinish(str, {"one", "two"}),
        },
        input_channels="a",
        output_channels=["b", "c", "d", "log"],
        checkpointer=saver,
    )


def played(hands: tuple[str, ...]) -> list[Any]:
    """What four calls give, each on an engine, with what the saver holds after each."""
    saver = InMemorySaver()
    found: list[Any] = []
    for call, engine in enumerate(hands):
        graph = built(engine, saver)
        answer = importlib.import_module("stepgraph" if engine == "ours" else "langgraph.types").Command(resume="!")
        result = graph.invoke(answer if call % 2 else "xy"[call // 2], CONFIG)
        asked = [each.value for each in result.pop("__interrupt__", [])]
        kept = saver.get_tuple(CONFIG)
        assert kept is not None
        checkpoint = kept.checkpoint
        versions = {key: int(str(version).partition(".")[0]) for key, version in checkpoint["channel_versions"].items()}
        seen = {name: sorted(each) for name, each in checkpoint["versions_seen"].items()}
        found.append((result, asked, checkpoint["channel_values"], checkpoint["updated_channels"], versions, seen))
        found.append([(each.metadata["step"], each.next, each.values) for each in graph.get_state_history(CONFIG)])
    return found


@pytest.mark.parametrize("hands", list(product(("theirs", "ours"), repeat=4))[1:], ids=" ".join)
def test_a_thread_may_change_hands_between_any_two_calls(hands: tuple[str, ...]) -> None:
    assert played(hands) == played(("theirs",) * 4)
