"""Threads in the earlier versions of LangGraph's format: both engines read them and go on with them alike."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel._algo import _uuid5_str, _xxhash_str
from langgraph.types import Interrupt
from langgraph.types import Send as TheirSend
from xxhash import xxh3_128_hexdigest

from tests.compat.dump import dump
from tests.compat.engines import ours_on_theirs
from tests.differential.engines import Engine, reference
from tests.differential.plain import Labels, snapshot

THREAD: Any = {"configurable": {"thread_id": "t"}}
EDGES = {"branch:to:a": "start:a", "branch:to:b": "branch:a:route:b", "branch:to:c": "b", "branch:to:e": "b"}
"""The channels of version 4 and what had their place in version 2."""
TASKS = "__pregel_tasks"


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def graph(engine: Engine, saver: Any) -> Any:
    """a, b chosen by a router, then c and e at once, beside a Send; c and the Send's task ask."""

    def note(name: str) -> Any:
        return lambda state: {"log": [name]}

    def asks(name: str) -> Any:
        return lambda state: {"log": [f"{name} {engine.interrupt(name)}"]}

    def route(state: State) -> str:
        return "b"

    def both(state: State) -> Any:
        return engine.Command(update={"log": ["b"]}, goto=[engine.Send("d", {"log": ["sent"]})])

    g = engine.StateGraph(State)
    for name, node in (("a", note("a")), ("b", both), ("c", asks("c")), ("d", asks("d")), ("e", note("e"))):
        g.add_node(name, node)
    g.add_edge(engine.START, "a")
    g.add_conditional_edges("a", route, ["b", engine.END])
    for name in ("c", "e"):
        g.add_edge("b", name)
    return g.compile(checkpointer=saver)


def thread(version: int) -> InMemorySaver:
    """A thread that waits for the answers of two questions, in that version of the format."""
    saver, engine = InMemorySaver(), reference()
    graph(engine, saver).invoke({"log": ["in"]}, THREAD, durability="sync")
    aged = InMemorySaver()
    for found in sorted(saver.list(THREAD), key=lambda each: each.checkpoint["id"]):
        age(aged, found, version)
    return aged


def age(saver: InMemorySaver, found: Any, version: int) -> None:
    """Put a checkpoint as that version would have stored it."""
    held: Any = {**found.checkpoint, "v": version}
    values, versions = held["channel_values"], held["channel_versions"]
    del held["updated_channels"]
    versions.pop(TASKS, None)
    held["pending_sends"] = [TheirSend(each.node, each.arg) for each in values.pop(TASKS, [])]
    if version < 3:
        for where in (values, versions, *held["versions_seen"].values()):
            for new, old in EDGES.items():
                if new in where:
                    where[old] = where.pop(new)
    place = {**(found.parent_config or THREAD)["configurable"], "checkpoint_ns": ""}
    config = saver.put({"configurable": place}, held, found.metadata, versions)
    writes: dict[str, list[Any]] = {}
    for task, channel, value in found.pending_writes:
        writes.setdefault(task, []).append((channel, value))
    ids = renamed(held["id"], found.metadata["step"] + 1) if version < 2 else {}
    for task, written in writes.items():
        name, new = ids.get(task, ("", task))
        asked = [(channel, questions(value, f"{name}:{new}") if name else value) for channel, value in written]
        saver.put_writes(config, asked, new)


def questions(value: Any, ns: str) -> Any:
    """Questions with the ids that they have in that namespace."""
    if isinstance(value, (tuple, list)) and value and isinstance(value[0], Interrupt):
        return [Interrupt(value[0].value, xxh3_128_hexdigest(ns.encode()))]
    return value


def renamed(checkpoint: str, step: int) -> dict[str, tuple[str, str]]:
    """Node and id in version 1 by the ids of today."""
    base, found = bytes.fromhex(checkpoint.replace("-", "")), {}
    for name in "abcde":
        for what in (("__pregel_pull", f"branch:to:{name}"), ("__pregel_push", "0")):
            parts = (name, str(step), name, *what)
            found[_xxhash_str(base, *parts)] = name, _uuid5_str(base, *parts)
    return found


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_waiting_thread_of_an_earlier_version_is_read_and_goes_on(version: int) -> None:
    shown = []
    for engine in (reference(), ours_on_theirs()):
        saver = thread(version)
        app, labels = graph(engine, saver), Labels()
        before = app.get_state(THREAD)
        history = [snapshot(each, labels) for each in app.get_state_history(THREAD)]
        answers = {each.id: f"answer to {each.value}" for each in before.interrupts}
        result = app.invoke(engine.Command(resume=answers), THREAD)
        shown.append((snapshot(before, labels), history, result, dump(saver)["t"][0][-1]))

    theirs, ours = shown
    assert sorted(ours[2]["log"]) == ["a", "b", "c answer to c", "d answer to d", "e", "in"]
    assert ours == theirs


def test_tasks_planned_from_the_first_version_have_the_ids_that_it_gave_them() -> None:
    saver = thread(1)

    theirs, ours = (graph(engine, saver).get_state(THREAD) for engine in (reference(), ours_on_theirs()))

    assert [(task.name, task.id) for task in ours.tasks] == [(task.name, task.id) for task in theirs.tasks]
    assert {each.id for each in ours.interrupts} == {each.id for each in theirs.interrupts}
