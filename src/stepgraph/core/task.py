"""One unit of work of a superstep: a node with its input, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Literal

from stepgraph.core.checkpoint import Record
from stepgraph.core.events import Emit, TaskInfo
from stepgraph.core.plan import Node, Plan
from stepgraph.core.types import Gate, Interrupt, Namespace, Probe, Route, Writes

PULL, PUSH = "__pregel_pull", "__pregel_push"


class Scope:
    """What all tasks of one graph run share. One a namespace; `root` is that of the outermost graph."""

    __slots__ = (
        "answer",
        "answers_by_id",
        "checkpoint_id",
        "clock",
        "config",
        "context",
        "counts",
        "driver",
        "emit",
        "gate",
        "ns",
        "ns_text",
        "plan",
        "probe",
        "request",
        "root",
        "run_id",
        "stop",
        "store",
        "thread",
        "cancelled",
        "inputs",
    )

    def __init__(
        self,
        plan: Plan,
        *,
        run_id: str,
        thread: str | None,
        ns: Namespace,
        config: dict[str, Any],
        clock: Callable[[], float],
        emit: Emit | None,
        gate: Gate | None,
        probe: Probe | None,
        root: Scope | None,
    ) -> None:
        self.plan = plan
        self.run_id = run_id
        self.thread = thread
        self.ns = ns
        self.ns_text = "|".join(ns)
        self.config = config
        self.clock = clock
        self.emit = emit
        self.gate = gate
        self.probe = probe
        self.root = root or self
        self.checkpoint_id = run_id
        self.answer: list[Any] = []
        """The answer of `Command(resume=value)`, until the first interrupt takes it."""
        self.answers_by_id: dict[str, Any] = {}
        self.counts = root.counts if root else Counts()
        self.request: Any = None
        self.store: Any = None
        self.context: Any = None
        self.stop = 0
        self.driver: Any = None
        self.cancelled = False
        self.inputs: Any = None


class Counts:
    """How often things happened in a run, over all its namespaces."""

    __slots__ = ("asked", "interrupts", "reruns", "retries", "routers", "steps", "tasks")

    def __init__(self) -> None:
        self.tasks = self.steps = self.reruns = self.retries = self.asked = self.interrupts = self.routers = 0


Status = Literal["planned", "running", "finished", "failed", "interrupted", "suspended"]


class Task:
    """A planned task. The driver calls `node.body` with `input`; the engine fills in the rest."""

    __slots__ = (
        "_id",
        "answers",
        "asked",
        "attempt",
        "calls",
        "carried",
        "context",
        "error",
        "gotos",
        "index",
        "input",
        "interrupts",
        "joins",
        "key",
        "name",
        "node",
        "reads",
        "reason",
        "records",
        "routed",
        "routes",
        "scope",
        "status",
        "step",
        "writes",
    )

    def __init__(self, node: Node, scope: Scope, step: int, key: int, input: Any) -> None:
        self.node = node
        self.name = node.name
        self.scope = scope
        self.step = step
        self.key = key
        """-1 for a task that an edge made, else the position of its Send."""
        self.input = input
        self.writes: Writes = ()
        self.routes: tuple[Route, ...] = ()
        self._id: str | None = None
        self.status: Status = "planned"
        self.carried = False
        self.index = self.attempt = self.asked = 0
        self.answers: list[Any] | None = None
        self.records: dict[str, Record] | None = None
        self.context: Any = None
        self.error: BaseException | None = None
        self.reason: str | None = None
        self.reads: frozenset[str] | None = None
        self.gotos: tuple[Route, ...] = ()
        self.routed = False
        self.calls = 0
        self.joins = node.joins
        self.interrupts: tuple[Interrupt, ...] = ()

    @property
    def id(self) -> str:
        """A UUID-shaped hash of the checkpoint, namespace, step, node and, for a Send, its position: the same when planned again."""
        found = self._id
        if found is None:
            scope = self.scope
            kind = PULL if self.key < 0 else f"{PUSH}{self.key}"
            text = f"{scope.checkpoint_id}\0{scope.ns_text}\0{self.step}\0{self.name}\0{kind}"
            digits = blake2b(text.encode(), digest_size=16).hexdigest()
            found = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
            self._id = found
        return found

    @property
    def path(self) -> tuple[Any, ...]:
        """LangGraph's task path."""
        return (PULL, self.name) if self.key < 0 else (PUSH, self.key, False)

    @property
    def triggers(self) -> tuple[str, ...]:
        """The channels that made it ready."""
        if self.name == "__start__":
            return ("__start__",)
        return (PUSH,) if self.key >= 0 else (f"branch:to:{self.name}",)

    @property
    def ns(self) -> Namespace:
        """The namespace of a graph that this task runs."""
        return (*self.scope.ns, f"{self.name}:{self.id}")

    def call_ns(self, persistent: bool) -> Namespace:
        """The namespace of the next graph that this task's body calls: the second and later ones get a number."""
        count, self.calls = self.calls, self.calls + 1
        base = (*self.scope.ns, self.name) if persistent else self.ns
        return base if count == 0 else (*base, str(count))

    @property
    def address(self) -> str:
        """`path/node#k@s`: namespaces without ids, node, index among the node's tasks, superstep."""
        path = "/".join(part.partition(":")[0] for part in (*self.scope.ns, self.name))
        return f"{path}#{self.index}@{self.step}"

    def info(self) -> TaskInfo:
        return TaskInfo(self.id, self.name, self.index, self.triggers)

    def interrupt_id(self, slot: int) -> str:
        """The id of this task's `slot`-th question (from 0), the same in every process."""
        text = "|".join(self.ns)
        if slot:
            text = f"{text}|{slot}"
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def note(self) -> str:
        """What is added to an error that passes through: where it happened."""
        where = f" of subgraph {'/'.join(part.partition(':')[0] for part in self.scope.ns)}" if self.scope.ns else ""
        return f"During task with name '{self.name}' and id '{self.id}' (superstep {self.step}{where})"


Interrupts = tuple[Interrupt, ...]
