"""The order inside a superstep: every event and question of a run, as they come. It can't be changed later."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from stepgraph import END, START, StateGraph
from stepgraph.core.types import APPROVE, Decision, Pause
from tests.core.gates import State, drive
from tests.simulation.model import ModelCheckpointer


class Witness:
    """Writes down, in one list, questions, events, what is saved, and what user code runs."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.saver = ModelCheckpointer()
        save, save_record, flush = self.saver.save, self.saver.save_record, self.saver.flush
        self.saver.save = lambda *a: self._saw(f"save {a[2].source} {a[2].step}", save, *a)  # type: ignore[method-assign]  # a witness
        self.saver.save_record = lambda *a: self._saw(f"record {a[3].node} {a[3].kind}", save_record, *a)  # type: ignore[method-assign]  # a witness
        self.saver.flush = lambda: flush()  # type: ignore[method-assign]  # not told: it happens often

    def _saw(self, what: str, function: Any, *args: Any) -> None:
        self.told.append(what)
        function(*args)

    def wants(self, place: str, node: str | None, ns: Any) -> bool:
        return True

    def __call__(self, pause: Pause) -> Decision:
        self.told.append(f"[{pause.place}]" + (f" {pause.node}" if pause.node else ""))
        return APPROVE

    def emit(self, event: Any) -> None:
        name = type(event).__name__
        if name not in ("CheckpointSaved", "Paused", "Decided"):
            self.told.append(f"{name} {getattr(event, 'node', '')}".strip())

    def node(self, name: str) -> Any:
        def body(state: State) -> State:
            self.told.append(f"body {name}")
            return {"log": [name]}

        return body

    def route(self, state: State) -> str:
        self.told.append("router")
        return "b"


@pytest.mark.parametrize("loop", [False, True], ids=["sync", "asyncio"])
def test_everything_happens_in_the_fixed_order(loop: bool) -> None:
    witness = Witness()
    built = StateGraph(State).add_node("a", witness.node("a")).add_node("b", witness.node("b"))
    built.add_edge(START, "a").add_conditional_edges("a", witness.route, ["b", END])

    drive(built.compile(checkpointer=witness.saver), {"log": []}, witness, loop=loop, emit=witness.emit)

    start = ["RunStarted", "save input -1", "StepFinished"]
    entry = ["StepStarted", "TaskStarted __start__", "TaskFinished __start__", "save loop 0", "StepFinished"]
    first = [
        "[plan]",
        "StepStarted",
        "[before] a",
        "TaskStarted a",
        "body a",
        "record a proposal",
        "[after] a",
        "record a decision",
        "router",
        "[edge] a",
        "record a outcome",
        "TaskFinished a",
        "[step]",
        "save loop 1",
        "StepFinished",
        "[committed]",
    ]
    second = [line.replace(" a", " b").replace("loop 1", "loop 2") for line in first if line != "router"]
    assert witness.told == [*start, *entry, *first, *second, "RunFinished"]


@pytest.mark.parametrize("loop", [False, True], ids=["sync", "asyncio"])
def test_parallel_tasks_are_all_done_before_they_are_combined_in_task_order(loop: bool) -> None:
    witness = Witness()
    built = StateGraph(State)
    for name in ("c", "a", "b"):
        built.add_node(name, witness.node(name)).add_edge(START, name)

    outcome = drive(built.compile(checkpointer=witness.saver), {"log": []}, witness, loop=loop, emit=witness.emit)

    told = witness.told[witness.told.index("[plan]") :]
    assert told[:2] == ["[plan]", "StepStarted"]
    assert told[-5:] == ["[step]", "save loop 1", "StepFinished", "[committed]", "RunFinished"]
    for name in ("a", "b", "c"):
        assert [line for line in told if line.split()[-1] == name or f" {name} " in line] == [
            f"[before] {name}",
            f"TaskStarted {name}",
            f"body {name}",
            f"record {name} proposal",
            f"[after] {name}",
            f"record {name} decision",
            f"[edge] {name}",
            f"record {name} outcome",
            f"TaskFinished {name}",
        ]
    assert outcome.values == {"log": ["a", "b", "c"]}


def test_an_outcome_is_saved_before_a_slower_sibling_ends() -> None:
    witness = Witness()
    later: Future[Decision] = Future()

    class Slow(Witness):
        def __call__(self, pause: Pause) -> Any:
            return later if (pause.place, pause.node) == ("after", "slow") else APPROVE

    def see(event: Any) -> None:
        if type(event).__name__ == "TaskFinished" and event.node == "quick":
            witness.told.append("quick is told as finished")
            later.set_result(APPROVE)

    built = StateGraph(State)
    for name in ("slow", "quick"):
        built.add_node(name, witness.node(name)).add_edge(START, name)
    drive(built.compile(checkpointer=witness.saver), {"log": []}, Slow(), loop=False, emit=see)

    told = witness.told
    assert told.index("record quick outcome") < told.index("quick is told as finished")
    assert told.index("quick is told as finished") < told.index("record slow outcome")
