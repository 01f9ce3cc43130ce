"""What a run is asked to do, and what it is given to do it with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepgraph.core.checkpoint import PLACES, Durability
from stepgraph.core.events import Emit, TaskPlanned, TaskReturned
from stepgraph.core.task import Task
from stepgraph.core.types import MISSING, Gate, Namespace, Probe

NONE: frozenset[Any] = frozenset()
ORDINARY: frozenset[type] = frozenset((TaskPlanned, TaskReturned))
"""What is not told to those who do not ask for it."""
NAMING = ("task_id", "run_id", "assistant_id", "graph_id")
"""The configurable keys that metadata repeats, but those of a place."""


class Request:
    """Made by whoever drives the engine. `new_id` gives time-ordered ids and `clock` seconds since the epoch.

    `input` None goes on with the thread, a Command answers or redirects it. `parent` is the task that runs a child.
    """

    run_id: str | None = None
    thread: str | None = None
    ns: Namespace = ()
    checkpointer: Any = None
    checkpoint: str | None = None
    """The checkpoint to start from; None for the thread's newest."""
    emit: Emit | None = None
    unheard: frozenset[type] = ORDINARY
    """The kinds of events that `emit` does not want: the big ones of each superstep are not made for nobody."""
    output_keys: Sequence[str] | str | None = None
    """The keys that the caller wants of the result; None for the graph's own."""
    gate: Gate | None = None
    probe: Probe | None = None
    interrupt_before: frozenset[str] = NONE
    interrupt_after: frozenset[str] = NONE
    durability: Durability = "async"
    metadata: Mapping[str, Any]
    store: Any = None
    cache: Any = None
    """Where results of nodes with a CachePolicy are kept."""
    step_timeout: float | None = None
    """Seconds that each superstep may take."""
    context: Any = None
    control: Any = None
    """A RunControl, with which the caller may ask the run to stop at a boundary."""
    lasting: bool = False
    """Whether the graph has a history of its own, across runs of the thread: its namespace has no task ids."""
    journey: dict[str, tuple[str, str]] | None = None
    """Where graphs inside go on instead: (namespace, checkpoint) by their namespace without task ids."""
    replayed: str | None = None
    """The older checkpoint that the outermost graph goes on from, once that is known."""
    visited: frozenset[str] = NONE
    """The graphs with a history of their own that have run since, by namespace."""
    overheard: frozenset[str] = NONE
    """What somebody listens to of the models and tools that nodes call: messages, tools."""
    relayed: frozenset[str] = NONE
    """The modes in which somebody listens to what graphs inside say, wherever these run."""
    around: Any = MISSING
    """The config that another library handed down where the run began; MISSING where nobody looked."""
    reading: bool = False
    """Whether nothing is to run: somebody looks at the thread."""
    blocking: bool = False
    """Whether sync code waits for the run. An event loop that runs around it must not be asked to do its work."""
    parent: Task | None = None

    _told: dict[str, Any] | None = None

    def __init__(
        self,
        input: Any,
        config: dict[str, Any],
        clock: Callable[[], float],
        new_id: Callable[[], str],
        recursion_limit: int = 10_007,
        **settings: Any,
    ) -> None:
        self.input = input
        self.config = config
        self.clock = clock
        self.new_id = new_id
        self.recursion_limit = recursion_limit
        self.metadata = {}
        for name, value in settings.items():  # `__dict__` would make each look at an attribute slower from here on
            setattr(self, name, value)

    @property
    def told(self) -> Mapping[str, Any]:
        """What listeners learn of the config with every task: its metadata and tags."""
        if self._told is None:
            metadata, tags = self.config.get("metadata") or {}, self.config.get("tags") or ()
            self._told = {key: value for key, value in metadata.items() if key not in PLACES}
            named = self.config.get("configurable") or {}
            self._told.update((key, named[key]) for key in NAMING if named.get(key) and key not in metadata)
            shown = [tag for tag in tags if not tag.startswith("seq:step")]
            if shown:
                self._told["tags"] = shown
        return self._told
