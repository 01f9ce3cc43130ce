"""One unit of work of a superstep: a node with its input, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from stepgraph.core.checkpoint import PULL, PUSH, Keeper, Record
from stepgraph.core.events import TaskInfo
from stepgraph.core.plan import Node, Plan
from stepgraph.core.types import Interrupt, Namespace, Route, Writes, interrupt_id

if TYPE_CHECKING:
    from hashlib import blake2b

    from stepgraph.core.limits import TimeoutPolicy
    from stepgraph.core.request import Request
else:
    try:
        from _blake2 import blake2b  # hashlib itself loads OpenSSL, a tenth of the import time
    except ImportError:  # no CPython
        from hashlib import blake2b

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Scope:
    """What all tasks of one graph run share. One a namespace."""

    __slots__ = (
        "_base",
        "_root",
        "answer",
        "answers_by_id",
        "called",
        "cancelled",
        "checkpoint",
        "clock",
        "control",
        "counts",
        "emit",
        "engine",
        "frame",
        "gate",
        "halted",
        "inputs",
        "keeper",
        "ns",
        "plan",
        "probe",
        "recorded",
        "request",
        "resumed",
        "stop",
        "unheard",
        "values",
    )

    def __init__(self, plan: Plan, request: Request, root: Scope | None) -> None:
        self.plan = plan
        self.request = request
        self.ns = request.ns
        self.emit = request.emit
        self.unheard = request.unheard
        self.gate = request.gate
        self.probe = request.probe
        self.clock = request.clock
        self._root = root  # None of the root itself: a circle would be left to the garbage collector
        self.counts: Counts = Counts() if root is None else root.counts
        self.answer: list[Any] | None = None
        """The answer of `Command(resume=value)`, until the first interrupt takes it."""
        self.answers_by_id: dict[str, Any] | None = None
        """The answers of `Command(resume={id: answer})` that nobody has taken yet."""
        self.stop = 0
        """The last superstep that the recursion limit allows."""
        self.cancelled = False
        self.halted: Sequence[str] = ()
        """Not empty when the run is to end before its next superstep: cancelled, or asked by node code to drain."""
        self.control: Any = None
        """The control that node code got, where the caller gave none."""
        self.resumed = False
        """Whether the run goes on from a checkpoint instead of taking new input."""
        self.inputs: Any = None
        """The graph's input, for START."""
        self.frame: Any = None
        """What the configs of all its tasks have in common, once somebody asked for one."""
        self.keeper: Keeper | None = None
        """Names tasks and questions, where the thread is kept in another engine's format."""
        self.checkpoint: str | None = None
        self.engine: Any = None
        """The engine that runs it, for what node code starts; None before and after the run."""
        self.recorded: Mapping[str, dict[str, Record]] = NOTHING
        """What earlier processes recorded of functions that node code calls, by task id."""
        self.called: dict[str, Any] | None = None
        """The functions of the functional API that node code has called in this superstep: task id -> future."""
        self.values: dict[str, Any]
        """The state's values, for the routers of tasks on the short way; not there before the first superstep."""
        self._base: tuple[Any, tuple[str, int]] | None = None

    @property
    def root(self) -> Scope:
        """The scope of the outermost graph."""
        return self._root or self

    @property
    def ns_text(self) -> str:
        """The namespace as checkpoints name it."""
        return "|".join(self.ns)

    @property
    def thread(self) -> str | None:
        return self.request.thread

    @property
    def config(self) -> dict[str, Any]:
        return self.request.config

    @property
    def run_id(self) -> str:
        """Made on first use."""
        request = self.request
        if request.run_id is None:
            request.run_id = request.new_id()
        return request.run_id

    def id_base(self, step: int, name: str, sent: bool) -> tuple[str, int]:
        """What the ids of a node's tasks in a superstep have in common, and the number that a Send's position adds to.

        Hashed once for all the tasks that Sends made of a node: their ids differ in the last 48 bits.
        """
        key = (self.checkpoint, step, name, sent)
        if self._base is not None and self._base[0] == key:
            return self._base[1]
        found = id_base(self.checkpoint or self.run_id, self.ns_text, step, name, sent)
        self._base = (key, found)
        return found

    @property
    def checkpoint_id(self) -> str:
        """What task ids hang on: the checkpoint that the tasks were planned from, else run and version."""
        return self.checkpoint or self.run_id


class Counts:
    """How often things happened in a run, over all its namespaces."""

    tasks = steps = reruns = retries = asked = interrupts = routers = 0


Status = Literal["planned", "running", "finished", "failed", "interrupted", "suspended"]


class Task:
    """A planned task. The driver calls `node.body` with `input`; the engine fills in the rest."""

    _id: str | None = None
    _path: tuple[Any, ...] | None = None
    tasks_called = 0
    """How many functions of the functional API its body has called in this attempt."""
    caller: Task | None = None
    """The task whose body called it, for a function of the functional API."""
    carried = False
    """Its outcome or proposal comes from a record; no body ran."""
    kept = False
    """Whether a record of its outcome was handed over."""
    index = 0
    """Counts the tasks of the same node in the superstep."""
    attempt = 0
    asked = 0
    """How many questions its body has asked in this attempt."""
    calls = 0
    """How many graphs its body has called."""
    turns: Any = None
    """What lets only as many of the functions that it calls run at once as `max_concurrency` allows."""
    chosen = False
    """Whether a person chose them."""
    joined: tuple[str, ...] | None = None
    """The AND-joins that it takes part in, where a decision changed them."""
    edited = False
    """Whether it is an edit in its node's name: nothing triggered it."""
    timeout: TimeoutPolicy | None = None
    """Its own limits, which a Send brought, in place of its node's."""
    progress: Any = None
    """The same, where every sign of life counts."""
    hushed = 0
    """Attempts up to this one have timed out: what they say late is dropped."""
    cache_key: tuple[tuple[str, ...], str] | None = None
    """Where its result will be kept, while nobody has changed it."""
    failures = 0
    """How many of its attempts failed; a router's failures count too."""
    failed: Task | None = None
    """Of an error handler: the task in whose place it runs."""
    failure: Any = None
    """Of an error handler: the NodeError that it is given."""
    handler: Task | None = None
    """The error handler that runs in its place."""
    found: Mapping[str, str | None] = MappingProxyType({})
    """Namespace -> newest checkpoint of a graph with a history of its own, when this task first ran it."""
    answers: list[Any] | None = None
    records: dict[str, Record] | None = None
    context: Any = None
    error: BaseException | None = None
    heartbeat: Any = None
    """Tells an idle timeout that the body is alive; None without one."""
    callbacks: Any = None
    """What hears of the runs that its body starts, where that is not simply the config's callbacks."""
    traced: Any = None
    """Its own run and result, until its routers have run, where callbacks hear of it."""
    began: float | None = None
    """When its first attempt began, if somebody asked."""
    reason: str | None = None
    """Why a person rejected its last answer and let it run again; node code finds it in its config as "rejection"."""
    returned: Mapping[str, Any] | None = None
    """What its body returned, where that has keys that the state lacks and a router may look for them."""
    reads: frozenset[str] | None = None
    interrupts: tuple[Interrupt, ...] = ()

    # What every task sets is set here, where that costs a fifth of hiding a class-level default later.
    def __init__(self, node: Node, scope: Scope, step: int, key: int, input: Any) -> None:
        self.node = node
        self.scope = scope
        self.step = step
        self.key = key
        """-1 for a task that an edge made, else the position of its Send."""
        self.input = input
        self.status: Status = "planned"
        self.lean = False
        """Nobody looks on: the driver finishes it with `conclude` in the task's own context."""
        self.alone = False
        """It is lean, has no sibling, and every key of the state keeps the last value."""
        self.writes: Writes = ()
        self.gotos: tuple[Route, ...] = ()
        self.routes: tuple[Route, ...] = ()
        self.routed = False
        """Whether `routes` are its own, not just its node's static edges."""
        self.collected = False
        """Whether its body is over and `writes` and `gotos` are what it returned."""
        self.groups: dict[str, list[Any]] | None = None
        """The updates that `changes` were made of, as `combine` gives them."""
        self.changes: dict[str, Any] | None = None
        """What `writes` make of the state, where that is known already."""

    def returns(self, result: Any) -> None:
        """Keep what its body returned for routers that may look there for keys which the state lacks."""
        if type(result) is dict and any(router.sees_more for router in self.node.routers):
            self.returned = result

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def joins(self) -> tuple[str, ...]:
        """The AND-joins that it takes part in."""
        return self.node.joins if self.joined is None else self.joined

    @property
    def id(self) -> str:
        """A UUID-shaped hash of checkpoint, namespace, step, node and Send position: the same when planned again."""
        found = self._id
        if found is None:
            if self.scope.keeper is not None:
                found = self._id = self.scope.keeper.task_id(self)
            elif self.failed is not None:
                found = self._id = _handler_id(self.failed.id)
            else:
                prefix, tail = self.scope.id_base(self.step, self.node.name, self.key >= 0)
                found = self._id = f"{prefix}{(tail + self.key) & 0xFFFFFFFFFFFF:012x}"  # `id_of`, without the call
        return found

    @property
    def path(self) -> tuple[Any, ...]:
        """LangGraph's task path."""
        if self.failed is not None:
            return (*self.failed.path, "node_error_handler", False)
        return self._path or ((PULL, self.node.name) if self.key < 0 else (PUSH, self.key, False))

    @property
    def triggers(self) -> tuple[str, ...]:
        """The channels that made it ready."""
        return (PUSH,) if self.key >= 0 or self.failed is not None else self.node.ready_by

    @property
    def ns(self) -> Namespace:
        """The namespace of a graph that this task runs."""
        around = self.scope.ns if self.caller is None else self.caller.ns
        return (*around, f"{self.name}:{self.id}")

    @property
    def lasting_ns(self) -> Namespace:
        """The namespace of a graph with a history of its own that this task runs: without task ids."""
        around = self.scope.ns if self.caller is None else self.caller.lasting_ns
        return tuple(part.partition(":")[0] for part in (*around, self.name))

    def call_ns(self, persistent: bool) -> Namespace:
        """The namespace of the next graph that this task's body calls: the second and later ones get a number."""
        count, self.calls = self.calls, self.calls + 1
        base = self.lasting_ns if persistent else self.ns
        return base if count == 0 else (*base, str(count))

    @property
    def address(self) -> str:
        """`path/node#k@s`: namespaces without ids, node, index among the node's tasks, superstep."""
        path = "/".join(part.partition(":")[0] for part in (*self.scope.ns, self.name))
        return f"{path}#{self.index}@{self.step}"

    def info(self) -> TaskInfo:
        """What a listener learns of it, with what earlier processes recorded."""
        known = self.records
        nests = self.node.graph() is not None
        if not known:
            return TaskInfo(self.id, self.name, self.index, self.triggers, nests=nests)
        outcome, asked, failed = (known.get(kind) or known.get(past) for kind, past in PAST.items())
        return TaskInfo(
            self.id,
            self.name,
            self.index,
            self.triggers,
            None if outcome is None else tuple((key, value) for key, value in outcome.payload[0]),
            () if asked is None else tuple(asked.payload),
            None if failed is None or outcome is not None else failed.payload,
            nests,
        )

    def interrupt_id(self, slot: int) -> str:
        """The id of this task's `slot`-th question (from 0), the same in every process."""
        text = "|".join(self.ns)
        if self.scope.keeper is not None:
            return self.scope.keeper.interrupt_id(text, slot)
        return interrupt_id(text, slot)

    def note(self) -> str:
        """What is added to an error that passes through: where it happened."""
        where = f" of subgraph {'/'.join(part.partition(':')[0] for part in self.scope.ns)}" if self.scope.ns else ""
        return f"During task with name '{self.name}' and id '{self.id}' (superstep {self.step}{where})"


PAST = {"outcome": "past outcome", "interrupt": "past interrupt", "error": "past error"}
"""Where a task that runs again, since the caller went back to it, has what is known of it and only shown."""


def id_base(origin: str, ns: str, step: int, name: str, sent: bool) -> tuple[str, int]:
    """What `Scope.id_base` keeps; `origin` is the id of the checkpoint that the tasks were planned from."""
    digits = blake2b(f"{origin}\0{ns}\0{step}\0{name}\0{PUSH if sent else PULL}".encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-", int(digits[20:], 16)


def _handler_id(failed: str) -> str:
    digits = blake2b(f"{failed}\0node_error_handler".encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def digest(content: bytes) -> str:
    """128 bits that stand for the content, in hexadecimal."""
    return blake2b(content, digest_size=16).hexdigest()


Interrupts = tuple[Interrupt, ...]


def call_of(caller: Task, node: Node, input: Any) -> Task:
    """The task of the next function that `caller`'s body calls: in the same superstep, known by its name and count."""
    count, caller.tasks_called = caller.tasks_called, caller.tasks_called + 1
    task = Task(node, caller.scope, caller.step, count, input)
    task.caller, task.index = caller, count
    task._path = (PUSH, caller.path, count, True)
    if caller.scope.keeper is not None:
        caller.scope.keeper.called(task)
        return task
    digits = blake2b(f"{caller.id}\0{node.name}\0{count}".encode(), digest_size=16).hexdigest()
    task._id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return task
