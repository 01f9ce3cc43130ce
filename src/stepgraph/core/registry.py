"""Names that stand for things loaded on use: checkpointer URLs, how a type is stored, which modules a store may import.

A row holds a `"module:name"` string; registering one imports nothing, so no layer has to import a higher one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Any


class Registry:
    """One kind of name: `kind` says in messages what the names are, rows hold objects or `"module:name"` strings."""

    def __init__(self, kind: str, rows: dict[str, Any] | None = None) -> None:
        self.kind = kind
        self._rows: dict[str, Any] = dict(rows or {})

    def register(self, name: str, target: Any) -> None:
        """Make `name` stand for `target`; a name registered before is replaced, so cells may run again."""
        self._rows[name] = target

    def remove(self, name: str) -> None:
        """Let `name` stand for nothing."""
        self._rows.pop(name, None)

    def load(self, name: str) -> Any:
        """The object that `name` stands for, imported now when the row is a string."""
        try:
            target = self._rows[name]
        except KeyError:
            raise KeyError(f"Unknown {self.kind} {name!r}. Known: {', '.join(sorted(self._rows))}.") from None
        return load_object(target) if isinstance(target, str) else target

    def __contains__(self, name: str) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._rows))


def load_object(target: str) -> Any:
    """Import what a `"module:name"` string names."""
    module, _, name = target.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


checkpointers = Registry(
    "checkpointer URL scheme",
    {"memory": "stepgraph.persist.memory:from_url", "sqlite": "stepgraph.persist.sqlite:from_url"},
)
"""URL scheme -> function from the whole URL to a checkpointer."""


def open_checkpointer(url: str) -> Any:
    """The checkpointer behind a URL such as `"sqlite:///runs.db"` or `"memory://"`.

    Raises ValueError for an unknown scheme.
    """
    scheme = url.partition(":")[0]
    if scheme not in checkpointers:
        raise ValueError(
            f'Unknown checkpointer URL {url!r}. The schemes are {", ".join(checkpointers)}; e.g. "sqlite:///runs.db".'
        )
    return checkpointers.load(scheme)(url)


def translated(given: Any) -> Any:
    """`given` as the engine uses it: a checkpointer of LangGraph's is wrapped, all else comes back as it is."""
    if hasattr(given, "get_next_version") and hasattr(given, "put_writes"):
        return load_object("stepgraph.compat.savers:from_langgraph_saver")(given)
    return given


validators = Registry(
    "validator",
    {"answer": "stepgraph.schema.validate:coerce", "json schema": "stepgraph.schema.validate:json_schema"},
)
"""What is checked -> function from (schema, value) to the value as the schema makes it, or of a schema alone."""

taps = Registry(
    "tap",
    {
        "langchain": "stepgraph.integrations.langchain_streams:install",
        "langchain progress": "stepgraph.integrations.langchain_progress:install",
    },
)
"""What is heard -> function that lets runs hear what a library's models and tools say or do in node code."""

stores = Registry(
    "store URL scheme", {"memory": "stepgraph.store.memory:from_url", "sqlite": "stepgraph.store.sqlite:from_url"}
)
"""URL scheme -> function from the whole URL to a store."""


def open_store(url: str) -> Any:
    """The store behind a URL such as `"sqlite:///memories.db"` or `"memory://"`. Raises ValueError."""
    scheme = url.partition(":")[0]
    if scheme not in stores:
        raise ValueError(f'Unknown store URL {url!r}. The schemes are {", ".join(stores)}; e.g. "sqlite:///m.db".')
    return stores.load(scheme)(url)


adapters = Registry(
    "adapter",
    {
        "called": "stepgraph.integrations.tracing:called",
        "box": "stepgraph.compat.channels:Box",
        "channel": "stepgraph.compat.channels:rule_of",
        "held": "stepgraph.compat.channels:held_by",
        "keeping": "stepgraph.compat.channels:keep",
        "kin": "stepgraph.compat.kin:introduce",
        "graph": "stepgraph.integrations.runnable_graph:RunnableGraph",
        "parallel": "stepgraph.integrations.langchain:parallel",
        "returned": "stepgraph.graph.actions:returned",
        "runnable": "stepgraph.integrations.runnables:coerce_to_runnable",
        "bound": "stepgraph.integrations.runnables:bound_of",
        "action": "stepgraph.graph.actions:action_of",
        "node part": "stepgraph.compat.node_parts:part_of",
        "pairs": "stepgraph.core.writes:pairs_of",
        "branch run": "stepgraph.compat.node_parts:run_of",
    },
)
"""What makes an object of another library run here -> function from it."""


def kin(module: str) -> Set[type]:
    """The classes of this module of LangGraph's of which ours are a kind; none before somebody has loaded it."""
    if module not in sys.modules:
        return frozenset()
    found: Set[type] = adapters.load("kin")(module)
    return found


cache_words = Registry("module of caches", {"langgraph.cache.base": "stepgraph.compat.caches:Theirs"})
"""Module of a cache's base class -> class of the words (`core.caching.Words`) in which such caches are used."""

message_streams = Registry(
    "library of messages", {"langchain": "stepgraph.integrations.langchain_messages:MessageStreams"}
)
"""Library -> class that makes streams of its messages, for runs that are read message by message."""

displays = Registry("display", {"run": "stepgraph.panels.run_panel:display"})
"""What is shown -> function that shows it in a front end; missing packages mean: show text."""


@dataclass(slots=True)
class TypeCodec:
    """How objects of one class are stored.

    `encode` gives a value that is storable itself, `decode` makes the object of it. Both may be `"module:name"`
    strings. `name` is what stands in stored files, so keep it when the class moves.
    """

    name: str
    encode: Callable[[Any], Any] | str
    decode: Callable[[Any], Any] | str

    def encoder(self) -> Callable[[Any], Any]:
        """`encode`, imported if need be."""
        if isinstance(self.encode, str):
            self.encode = load_object(self.encode)
        return self.encode  # type: ignore[return-value]  # a string was replaced in the line before

    def decoder(self) -> Callable[[Any], Any]:
        """`decode`, imported if need be."""
        if isinstance(self.decode, str):
            self.decode = load_object(self.decode)
        return self.decode  # type: ignore[return-value]  # a string was replaced in the line before


type_codecs: dict[str, TypeCodec] = {
    "sent call": TypeCodec("sent call", "stepgraph.prebuilt.sent_calls:encode", "stepgraph.prebuilt.sent_calls:decode")
}
"""By name as stored."""
codec_names: dict[str, str] = {"stepgraph.prebuilt.sent_calls:SentCall": "sent call"}
"""`"module:Class"` -> name in `type_codecs`."""


def register_type(
    cls: type | str,
    encode: Callable[[Any], Any] | str,
    decode: Callable[[Any], Any] | str,
    *,
    name: str | None = None,
) -> None:
    """Tell checkpointers how to store objects of exactly this class (a class, or `"module:Class"` to import nothing).

    register_type(Point, lambda p: [p.x, p.y], lambda v: Point(*v))
    """
    key = cls if isinstance(cls, str) else f"{cls.__module__}:{cls.__qualname__}"
    chosen = name or key
    type_codecs[chosen] = TypeCodec(chosen, encode, decode)
    codec_names[key] = chosen


allowed_modules: set[str] = {"langchain_core.documents", "langchain_core.messages", "stepgraph.core.types"}
"""Modules, with all below them, that reading a checkpoint may import."""


def allow_modules(*names: str) -> None:
    """Let checkpointers import these modules, and all below them, when a stored value names a class in them."""
    allowed_modules.update(names)
