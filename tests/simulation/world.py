"""What a simulated run happens in: storage that survives crashes, counted ids and time, and the laws it checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepgraph import Command
from stepgraph.core.checkpoint import Checkpoint
from stepgraph.core.engine import Engine, Outcome
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
    _ids: int = 0
    _time: float = 0.0
    _tasks: dict[str, set[str]] = field(default_factory=dict)
    """The ids of the tasks that were planned from a checkpoint."""

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
            result = self._process(policy, given if state is None else self._go_on(state, policy))
        raise AssertionError(f"still not done after {most} processes: {state}")

    def _inputs_begun(self) -> int:
        return sum(stored.source == "input" for stored in self.saver.history("t", ""))

    def _go_on(self, state: Any, policy: Policy) -> Any:
        if not state.interrupts:
            return None
        asked = sorted(state.interrupts, key=lambda each: (repr(each.value), each.id))[: policy.answers]
        return Command(resume={each.id: self.answer(each.value) for each in asked})

    def _process(self, policy: Policy, input: Any) -> Any:
        """One process: None if it died, failed or paused, else the result."""
        self.processes += 1
        engine = Engine(self.app.plan, self._request(policy, input))
        policy.driver.observe = self._watch
        try:
            outcome: Outcome = policy.driver.run(engine.run())
        except Crash:
            self.crashes += 1
            self.saver.crash()
            return None
        except InjectedError:
            return None
        self.saver.flush()  # the 20 ms after which durability "async" promises it pass before anything else happens
        return outcome.values if outcome.status == "done" else None

    def _request(self, policy: Policy, input: Any) -> Request:
        return Request(
            input, CONFIG, self._tick, self._new_id, thread="t", checkpointer=self.saver,
            interrupt_before=policy.before, interrupt_after=policy.after, durability=policy.durability,
            cache=self.app.cache, step_timeout=60.0 if self.app.cache is not None and self.processes % 2 else None,
            gate=policy.gate, emit=(lambda event: None) if policy.listens else None, recursion_limit=40,
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

    def _safe(self) -> set[str]:
        if not isinstance(self.saver, ModelCheckpointer):
            return set()
        safe: set[str] = set()
        for kind, *entry in self.saver.durable():
            if kind == "record" and entry[3].kind in ("outcome", "proposal", "handler"):
                safe.add(entry[3].task)
            elif kind == "checkpoint" and entry[2].source == "loop":
                checkpoint: Checkpoint = entry[2]
                safe |= self._tasks.get(checkpoint.parent or "", set())
        return safe


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
