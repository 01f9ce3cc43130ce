"""What a simulated run happens in: storage that survives crashes, counted ids and time, and the laws it checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepgraph import Command, GraphDrained, RunControl
from stepgraph.core.checkpoint import Checkpoint
from stepgraph.core.effects import Flush, Save, SaveRecord
from stepgraph.core.engine import Engine, Outcome
from stepgraph.core.errors import Cancelled
from stepgraph.core.request import Request
from stepgraph.core.task import Task
from stepgraph.graph.compiled import CompiledStateGraph
from tests.simulation.driver import Crash, Driver
from tests.simulation.model import ModelCheckpointer


@dataclass
class Policy:
    """How one process of a simulated life goes: its driver, and what the caller asks for."""

    driver: Driver
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    answers: int | None = None
    """How many of the pending questions the caller answers; None for all."""
    gate: Any = None
    listens: bool = False
    durability: str = "sync"
    drains: int = 0
    """After how many effects the caller asks for a drain; 0 for never."""
    cancels: int = 0
    """After how many effects the caller cancels the run; 0 for never."""


@dataclass
class World:
    """One thread of one graph, and everything that outlives a process.

    `live(inputs, next_policy)` starts process after process until every input has been worked off, and checks on the
    way that no body runs again whose outcome or proposal was durable.
    """

    app: CompiledStateGraph
    saver: Any = field(default_factory=ModelCheckpointer)
    answer: Callable[[Any], Any] = lambda question: f"<{question}>"
    bodies: Counter[str] = field(default_factory=Counter)
    processes: int = 0
    crashes: int = 0
    stops: Counter[str] = field(default_factory=Counter)
    """How often a run was drained or cancelled."""
    _ids: int = 0
    _time: float = 0.0
    _tasks: dict[str, set[str]] = field(default_factory=dict)
    """The ids of the tasks that were planned from a checkpoint."""
    _handed: set[str] = field(default_factory=set)
    _flushed: set[str] = field(default_factory=set)
    """Tasks that have ended, by what the checkpointer was given, and by what it has flushed."""

    def live(self, inputs: list[Any], next_policy: Callable[[], Policy], most: int = 200) -> Any:
        """Work all inputs off and return the last result."""
        for number, given in enumerate(inputs, 1):
            result = self._one(number, given, next_policy, most)
        return result

    def _one(self, number: int, given: Any, next_policy: Callable[[], Policy], most: int) -> Any:
        result: Any = None
        for _ in range(most):
            begun = self._inputs_begun() >= number
            state = self.app.get_state(CONFIG) if begun else None
            if state is not None and not state.tasks:
                return result if result is not None else state.values
            policy = next_policy()
            result = self.process(policy, given if state is None else self._go_on(state, policy))
        raise AssertionError(f"still not done after {most} processes: {state}")

    def _inputs_begun(self) -> int:
        return sum(stored.source == "input" for stored in self.saver.history("t", ""))

    def _go_on(self, state: Any, policy: Policy) -> Any:
        if not state.interrupts:
            return None
        asked = sorted(state.interrupts, key=lambda each: (repr(each.value), each.id))[: policy.answers]
        return Command(resume={each.id: self.answer(each.value) for each in asked})

    def process(self, policy: Policy, input: Any) -> Any:
        """One process: None if it died, failed or paused, else the result."""
        self.processes += 1
        request = self._request(policy, input)
        engine = Engine(self.app.plan, request)
        root = engine.scope.root

        def observe(effect: Any) -> None:
            self._watch(effect)
            if policy.driver.effects == policy.drains:
                request.control.request_drain("deploy")
            if policy.driver.effects == policy.cancels:
                root.cancelled, root.halted = True, ("cancelled",)

        policy.driver.observe = observe
        policy.driver.performed = self._note
        try:
            outcome: Outcome = policy.driver.run(engine.run())
        except Crash:
            self.crashes += 1
            self.saver.crash()
            self._handed = set(self._flushed)
            return None
        except (InjectedError, TimeoutError):
            return None
        except (GraphDrained, Cancelled) as stop:
            self.stops[type(stop).__name__] += 1
            self._flush()
            return None
        self._flush()  # the 20 ms after which durability "async" promises it pass before anything else happens
        return outcome.values if outcome.status == "done" else None

    def _request(self, policy: Policy, input: Any) -> Request:
        return Request(
            input, CONFIG, self._tick, self._new_id, thread="t", checkpointer=self.saver,
            interrupt_before=policy.before, interrupt_after=policy.after, durability=policy.durability,
            cache=self.app.cache, step_timeout=60.0 if self.app.cache is not None and self.processes % 2 else None,
            control=RunControl() if policy.drains else None, gate=policy.gate, recursion_limit=40,
            emit=(lambda event: None) if policy.listens else None,
        )  # fmt: skip

    def _tick(self) -> float:
        self._time += 1.0
        return self._time

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032d}"

    def _watch(self, effect: Any) -> None:
        """The law: a task whose outcome, proposal or handled failure is durable never has its body called again."""
        if not isinstance(effect, Task) or effect.node.body is None:
            return
        assert effect.id not in self._safe(), f"the body of {effect.address} runs again though it had finished"
        self.bodies[effect.id] += 1
        self._tasks.setdefault(effect.scope.checkpoint_id, set()).add(effect.id)

    def _note(self, effect: Any) -> None:
        """What checkpointers that can't be looked into have been given, and what of it is durable."""
        match effect:
            case SaveRecord(_, _, _, _, record) if record.kind in _SAFE:
                self._handed.add(record.task)
            case Save(_, _, _, checkpoint) if checkpoint.source == "loop":
                self._handed |= self._tasks.get(checkpoint.parent or "", set())
            case Flush():
                self._flushed |= self._handed

    def _flush(self) -> None:
        self.saver.flush()
        self._flushed |= self._handed

    def _safe(self) -> set[str]:
        if not isinstance(self.saver, ModelCheckpointer):
            return self._flushed
        safe: set[str] = set()
        for kind, *entry in self.saver.durable():
            if kind == "record" and entry[3].kind in _SAFE:
                safe.add(entry[3].task)
            elif kind == "checkpoint" and entry[2].source == "loop":
                checkpoint: Checkpoint = entry[2]
                safe |= self._tasks.get(checkpoint.parent or "", set())
        return safe


_SAFE = ("outcome", "proposal", "handler")
"""The kinds of records after which a body never runs again."""


class InjectedError(Exception):
    """A failure that the simulation put in the place of an effect."""


CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


def account(world: World) -> list[Any]:
    """The thread's whole history without ids and times, of every namespace."""
    found: list[Any] = [_shown(each) for each in world.app.get_state_history(CONFIG)]
    inside = [_raw(world.saver, ns) for ns in world.saver.namespaces("t") if ns]
    return [found, sorted(inside, key=repr)]


def _shown(state: Any) -> Any:
    metadata: Mapping[str, Any] = state.metadata
    tasks = [
        (task.name, task.path, task.result, sorted(repr(each.value) for each in task.interrupts))
        for task in state.tasks
    ]
    return state.values, state.next, metadata["source"], metadata["step"], tasks


def _raw(saver: Any, ns: str) -> Any:
    names = "/".join(part.partition(":")[0] for part in ns.split("|"))
    return names, [(each.values, each.control.next, each.source, each.step) for each in saver.history("t", ns)]
