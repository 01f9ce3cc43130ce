"""The words a graph author writes with: Send, Command, Interrupt, Overwrite and the snapshots that come back.

Names and call forms are LangGraph's, so that a program moves by changing an import.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, fields
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, NamedTuple, Protocol, TypedDict, TypeVar

from stepgraph.core import registry
from stepgraph.core.deprecated import LangGraphDeprecatedSinceV10, LangGraphDeprecatedSinceV11

if TYPE_CHECKING:
    from datetime import timedelta

    from stepgraph.core.limits import TimeoutPolicy

START: Final = "__start__"
"""The name of the entry: `add_edge(START, "first")`."""
END: Final = "__end__"
"""The name of the exit: an edge to END goes nowhere."""
ROOT: Final = "__root__"
"""The one channel of a graph whose state is not a mapping."""
INTERRUPT: Final = "__interrupt__"
"""The key under which streams report a pause."""
PARENT: Final = "__parent__"
HIDDEN: Final = "langsmith:hidden"
"""The tag of what listeners are not told of."""
RETURN: Final = "__return__"
"""The key of what a called function of the functional API returned."""
PREVIOUS: Final = "__previous__"
"""The key in which the functional API keeps what its next run gets as `previous`."""


class RunnableConfig(TypedDict, total=False):
    """What a caller tells a run besides its input; langchain-core's class of this name is understood as well."""

    tags: list[str]
    metadata: dict[str, Any]
    callbacks: Any
    run_name: str
    max_concurrency: int | None
    recursion_limit: int
    configurable: dict[str, Any]
    run_id: Any


StreamWriter = Callable[[Any], None]
"""What puts a value on the `custom` stream."""
Config = Mapping[str, Any]
"""LangGraph's configuration dict: `{"configurable": {"thread_id": ...}, "recursion_limit": ..., ...}`."""
Namespace = tuple[str, ...]
"""Where a graph runs: () at the root, then one `"node:task_id"` a level."""
StreamMode = Literal["values", "updates", "custom", "messages", "tasks", "checkpoints", "debug", "tools"]
Place = Literal["plan", "before", "after", "edge", "step", "committed", "error", "interrupt"]
OutputT = TypeVar("OutputT")
N = TypeVar("N", bound=Hashable)
"""The names that a Command may go to: `Command[Literal["a", "b"]]`."""


class _Missing:
    """The one value that means "nothing here"; None is an ordinary value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


class Send:
    """A task for `node` in the next superstep, with `arg` as its whole input (not the graph's state).

    `timeout` (seconds, a timedelta or a TimeoutPolicy) limits each attempt of that task and replaces the node's own; it
    is a TimeoutPolicy at once. Raises ValueError unless it is positive.
    """

    __slots__ = ("arg", "node", "timeout")
    __match_args__ = ("node", "arg")

    def __init__(self, /, node: str, arg: Any, *, timeout: float | timedelta | TimeoutPolicy | None = None) -> None:
        self.node = node
        self.arg = arg
        self.timeout: TimeoutPolicy | None = None if timeout is None else _limits(timeout)

    def __repr__(self) -> str:
        extra = "" if self.timeout is None else f", timeout={self.timeout!r}"
        return f"Send(node={self.node!r}, arg={self.arg!r}{extra})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Send)
            and self.node == other.node
            and self.arg == other.arg
            and self.timeout == other.timeout
        )

    def __hash__(self) -> int:
        return hash((self.node, self.arg, self.timeout))


def _limits(given: Any) -> Any:
    from stepgraph.core.limits import TimeoutPolicy  # loaded when a Send has limits

    return TimeoutPolicy.coerce(given)


Limit = float | tuple[float | None, float | None, str] | None
"""A Send's timeout as it is stored: seconds for all, or (run_timeout, idle_timeout, refresh_on)."""


def limit(send: Send) -> Limit:
    """A Send's timeout in plain values."""
    policy = send.timeout
    if policy is None:
        return None
    if policy.idle_timeout is None and policy.refresh_on == "auto":
        return policy.run_timeout  # type: ignore[return-value]  # a coerced policy is in seconds
    return policy.run_timeout, policy.idle_timeout, policy.refresh_on  # type: ignore[return-value]  # as above


def sent(node: str, arg: Any, stored: Any) -> Send:
    """A Send again, with the timeout that was stored of it: not checked, for older versions stored any number."""
    found = Send(node, arg)
    if stored is not None:
        from stepgraph.core.limits import TimeoutPolicy

        run, idle, refresh_on = stored if isinstance(stored, (tuple, list)) else (stored, None, "auto")
        found.timeout = TimeoutPolicy(run_timeout=run, idle_timeout=idle, refresh_on=refresh_on)
    return found


class Open:
    """What has room for attributes, as its subclasses have too: so another class can become a base of these later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Open, Generic[N]):
    """What a node returns to update the state *and* choose what runs next; also an input that answers an interrupt.

    `goto` adds to the node's declared edges, it does not replace them. `graph=Command.PARENT` addresses the
    graph around a subgraph. `resume` is one answer, or a mapping from interrupt id to answer.
    """

    graph: str | None = None
    update: Any = None
    resume: Any = None
    goto: Send | str | Sequence[Send | str] = ()

    PARENT: ClassVar[Literal["__parent__"]] = "__parent__"

    def _update_as_tuples(self) -> Sequence[tuple[str, Any]]:
        """The update as (key, value) pairs, under LangGraph's name."""
        found: Sequence[tuple[str, Any]] = registry.adapters.load("pairs")(self.update)
        return found

    def __repr__(self) -> str:
        try:
            values = asdict(self)  # as LangGraph shows objects in it
        except Exception:  # noqa: BLE001  it copies what it shows, which not every object allows
            values = {each.name: getattr(self, each.name) for each in fields(self)}
        return f"Command({', '.join(f'{name}={value!r}' for name, value in values.items() if value)})"


@dataclass(slots=True, init=False)
class Interrupt:
    """A question that node code asked with `interrupt(value)`; `id` addresses the answer."""

    value: Any
    id: str = "placeholder-id"
    response_schema: Any = None
    """JSON Schema of the answer that is expected, where the node gave a schema."""

    def __init__(
        self, value: Any, id: str = "placeholder-id", response_schema: Any = None, *, ns: Any = None, **old: Any
    ) -> None:
        """`ns`, `resumable` and `when` are what questions had before LangGraph 0.6; an id is made of `ns`.

        Raises TypeError for other names, except under the import hook, where they are passed over.
        """
        unknown = old.keys() - {"resumable", "when"}
        if unknown and "strangers" not in registry.adapters:
            raise TypeError(f"Interrupt() got an unexpected keyword argument {min(unknown)!r}.")
        old_id = ns is not None and not isinstance(ns, str) and id == "placeholder-id"
        self.value, self.response_schema = value, response_schema
        self.id = interrupt_id("|".join(ns)) if old_id else id

    def __class_getitem__(cls, schema: Any) -> Any:
        """Annotations may name the type of the answer: `Interrupt[Approval]`."""
        return GenericAlias(cls, schema)

    @classmethod
    def from_ns(cls, value: Any, ns: str, *, response_schema: Any = None) -> Interrupt:
        """The first question of the task that runs in a namespace."""
        return cls(value, interrupt_id(ns), response_schema)

    @property
    def interrupt_id(self) -> str:
        """Deprecated: `id`."""
        warnings.warn(
            "`interrupt_id` is deprecated. Use `id` instead.", LangGraphDeprecatedSinceV10, stacklevel=2
        )  # fmt: skip
        return self.id


def interrupt_id(ns: str, slot: int = 0) -> str:
    """The id of the `slot`-th question (from 0) of the task that runs in a namespace."""
    from hashlib import blake2b  # which loads OpenSSL

    text = f"{ns}|{slot}" if slot else ns
    return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(slots=True)
class Overwrite:
    """An update that replaces the value of a reduced key instead of being reduced into it."""

    value: Any
    type: Literal["__overwrite__"] = "__overwrite__"
    """What tells it apart in JSON."""


class TaskSnapshot(NamedTuple):
    """One planned task of a snapshot (LangGraph's `PregelTask`)."""

    id: str
    name: str
    path: tuple[Any, ...]
    error: str | BaseException | None = None
    interrupts: tuple[Interrupt, ...] = ()
    state: Any = None
    result: Any = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"PregelTask({shown})"  # LangGraph's name, which programs print


PregelTask = TaskSnapshot


class StateSnapshot(NamedTuple):
    """The state of a thread at one checkpoint, and what would run next."""

    values: Any
    next: tuple[str, ...]
    config: dict[str, Any]
    metadata: dict[str, Any] | None
    created_at: str | None
    parent_config: dict[str, Any] | None
    tasks: tuple[TaskSnapshot, ...]
    interrupts: tuple[Interrupt, ...]


class StateUpdate(NamedTuple):
    """One entry of `bulk_update_state`: `values` as if `as_node` had returned them."""

    values: Any
    as_node: str | None = None
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class GraphOutput(Generic[OutputT]):
    """What `invoke(version="v2")` returns: the result, an object of the output schema, and the open questions."""

    value: OutputT
    interrupts: tuple[Interrupt, ...] = ()

    def __getitem__(self, key: str) -> Any:
        """Deprecated: the call form of v1."""
        _warn_item("result[key]")
        if key == INTERRUPT:
            return self.interrupts
        if isinstance(self.value, Mapping):
            return self.value[key]
        try:
            return getattr(self.value, key)
        except AttributeError:
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        """Deprecated: the call form of v1."""
        _warn_item("key in result")
        if key == INTERRUPT:
            return bool(self.interrupts)
        if isinstance(self.value, Mapping):
            return key in self.value
        return isinstance(key, str) and hasattr(self.value, key)


def _warn_item(form: str) -> None:
    warnings.warn(
        f"Accessing GraphOutput via `{form}` is deprecated. Use `result.value` to access the output value directly, "
        "or `result.interrupts` for interrupts.",
        LangGraphDeprecatedSinceV11,
        stacklevel=3,
    )


Verb = Literal["approve", "edit", "reject", "respond", "skip", "redirect", "rerun", "suspend"]
Writes = tuple[tuple[str, Any], ...]
"""What a task wants to write: (key, value) pairs in the order written; one key may occur twice."""
Route = str | Send
"""Where a task goes next: a node's name, or a Send."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a pause.

    `value` is the edited thing for `edit`, the result for `respond`, targets for `redirect`. `then` says what a
    reject leads to: "stop" the run, "retry" the task with the reason, or "route" to the error handler.
    `seen` is the digest of what was shown; another digest means that the decision is stale. `scope` "run" decides what
    the same stop asks at the same place from now on in the same way, until the rule is revoked.
    """

    verb: Verb = "approve"
    value: Any = None
    reason: str | None = None
    by: str | None = None
    seen: str | None = None
    then: Literal["stop", "retry", "route"] = "stop"
    request: str | None = None
    scope: Literal["once", "run"] = "once"


APPROVE: Final = Decision()


@dataclass(slots=True)
class Pause:
    """What the engine asks a gate, complete enough to decide on.

    `state` is what the task read (whole state at plan, step and committed); do not change it. `writes` are the
    proposed (key, value) pairs, `result` what they would make of the written keys. `routes` are the chosen
    targets, `alternatives` the other possible ones, `reads` the keys that node or router read, None if unknown.
    """

    place: Place
    ns: Namespace
    step: int
    node: str | None = None
    task: str | None = None
    index: int = 0
    router: str | None = None
    state: Any = None
    values: Mapping[str, Any] = field(default_factory=dict)
    """The graph's own values, valid while the question is pending: what reducers would start from."""
    writes: Writes = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    alternatives: tuple[str, ...] = ()
    reads: frozenset[str] | None = None
    tasks: tuple[Any, ...] = ()
    error: BaseException | None = None
    unfit: Mapping[str, Exception] = field(default_factory=dict)
    """At `step`: the keys whose updates can't be put together, and what each of them raised; `result` lacks them."""
    interrupt: Interrupt | None = None
    response_schema: Any = None
    can_edit: bool = True
    again: bool = False
    """Whether this was asked, and not decided, before the run was left: at `committed` and `error`, on going on."""
    id: str = ""
    """Set by the gate that wants to be asked later; events name the request by it."""


class Gate(Protocol):
    """Decides at places inside a superstep. One object per run; compose several into one."""

    def wants(self, place: Place, node: str | None, ns: Namespace) -> bool:
        """Whether to ask at all. Called on the driver's thread at each place: keep it to a lookup."""

    def __call__(self, pause: Pause) -> Decision | Future[Decision]:
        """The decision now, or a future that any thread may resolve."""


class Probe(Protocol):
    """Watches user code as it runs: reads, prints, changes in place. Installed by a debugger only."""

    def enter(self, task: Any, router: str | None, value: Any) -> Any:
        """Called before a body (`router` is None) or router gets `value`; returns what it gets instead."""

    def leave(self, task: Any, router: str | None, value: Any) -> frozenset[str] | None:
        """Called after it, with what `enter` returned; the state keys that were read, None if unknown."""
