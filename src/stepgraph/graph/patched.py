"""Methods of all graphs replaced at once by assigning to `Pregel`, or of one, as tracing libraries and mocks do."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

from stepgraph.core.types import INTERRUPT
from stepgraph.graph.answers import versioned

SHARED = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in ("invoke", "stream", "get_state", "get_state_history", "update_state", "bulk_update_state")
)
"""The methods that can be replaced so."""
_THROUGH = {"stream": "invoke", "astream": "ainvoke"}
"""What calls which: whoever replaces `stream` hears of `invoke` too, as in LangGraph."""
RUNS = frozenset((*_THROUGH, *_THROUGH.values()))
"""The methods that run a graph. One with others than its own is called as a node, not driven."""
_originals: dict[tuple[type, str], Any] = {}
"""What a class had itself in place of a replaced method; None where it inherited it."""
_replaced: dict[tuple[type, str], list[Any]] = {}
"""What a method was replaced by before it was replaced by what it is now, when several libraries do so."""


def replace(kind: type, name: str, value: Any) -> None:
    """Let graphs of this class have `value` as their method; their own, or that of its base, ends what was replaced."""
    known = (kind, name) in _originals
    own = _originals.setdefault((kind, name), vars(kind).get(name))
    before = _replaced.setdefault((kind, name), [])
    if value is own or value is getattr(super(kind, kind), name, own):
        before.clear()
        restore(kind, name)
        return
    if before and value is before[-1]:
        before.pop()
    elif known:
        before.append(vars(kind)[name])
    setattr(kind, name, value)
    whole = _THROUGH.get(name)
    if whole is not None and (kind, whole) not in _originals:
        replace(kind, whole, _BY_STREAM[whole])
    elif name in RUNS:
        _renew()


def restore(kind: type, name: str) -> None:
    """Give graphs back what their method was replaced by before, or their own."""
    if (kind, name) not in _originals:
        raise AttributeError(name)
    before = _replaced[kind, name]
    if before:
        setattr(kind, name, before.pop())
        _renew()
        return
    own = _originals.pop((kind, name))
    if own is not None:
        setattr(kind, name, own)
    elif name in vars(kind):
        delattr(kind, name)
    whole = _THROUGH.get(name)
    if whole is not None and vars(kind).get(whole) is _BY_STREAM[whole]:
        restore(kind, whole)
    elif name in RUNS:
        _renew()


def replace_own(graph: Any, name: str) -> None:
    """A graph has been given a method of its own: `invoke` goes by its `stream`."""
    whole = _THROUGH.get(name)
    if whole is not None and whole not in vars(graph):
        vars(graph)[whole] = MethodType(_BY_STREAM[whole], graph)
    _renew(graph)


def restore_own(graph: Any, name: str) -> None:
    """It has lost it again."""
    whole = _THROUGH.get(name)
    if whole is not None and getattr(vars(graph).get(whole), "__func__", None) is _BY_STREAM[whole]:
        del vars(graph)[whole]
    _renew(graph)


class _Outer:
    """A graph that has others as nodes: it calls those whose methods were replaced, and drives them else."""

    __slots__ = ("_driven",)

    def __init__(self) -> None:
        self._driven: dict[str, Mapping[str, Any]] = {}
        """What nodes were before they called their graphs."""

    def renew(self, graph: Any) -> None:
        """Go by the methods that the graphs have now."""
        for name, node in graph.plan.nodes.items():
            driven = self._driven.get(name)
            if driven is not None and driven["source"] is not node.source:
                del self._driven[name]  # something else was put in the graph's place
            elif (driven is not None or node.child is not None) and _is_replaced(node.source):
                self._driven.setdefault(name, {field: getattr(node, field) for field in _DRIVING})
                node.bound = node.source
            elif driven is not None:
                for field, value in self._driven.pop(name).items():
                    setattr(node, field, value)
        graph.forget()


_DRIVING = ("body", "is_async", "twin", "inject", "child", "nests", "subgraph", "source")
_outer: WeakKeyDictionary[Any, _Outer] = WeakKeyDictionary()
_lock = RLock()
"""Held while `_outer` is looked through or grows: any thread may compile a graph or replace a method."""


def contains_graphs(graph: Any) -> None:
    """Tell of a graph that drives others as its nodes."""
    with _lock:
        _outer[graph] = _Outer()
        _outer[graph].renew(graph)


def is_copied(graph: Any, other: Any) -> None:
    """Tell of a copy, whose nodes are the graph's."""
    with _lock:
        if graph in _outer:
            _outer[other] = _outer[graph]


def _is_replaced(graph: Any) -> bool:
    """Whether it, or what replaced methods of all graphs, runs it in a way of its own."""
    kinds = type(graph).__mro__
    return not RUNS.isdisjoint(vars(graph)) or any((kind, name) in _originals for kind in kinds for name in RUNS)


def _renew(inner: Any = None) -> None:
    """Go by the methods that graphs have now: all of them, or one that others have as a node."""
    with _lock:
        for graph, outer in list(_outer.items()):
            if inner is None or any(node.source is inner for node in graph.plan.nodes.values()):
                outer.renew(graph)


def through(kind: type) -> None:
    """Let `invoke` go by `stream` where a user's subclass has one of its own, and no `invoke`."""
    for name, whole in _THROUGH.items():
        if _is_own(kind) or name not in vars(kind):
            continue
        if _is_own(next(each for each in kind.__mro__ if whole in vars(each))):
            setattr(kind, whole, _BY_STREAM[whole])


def overrides(graph: Any) -> bool:
    """Whether its class, a user's, runs it in a way of its own: as a node it is then called, not driven."""
    return any(
        not _is_own(kind) and not RUNS.isdisjoint(vars(kind))
        for kind in type(graph).__mro__
        if kind.__module__.partition(".")[0] != "langchain_core"
    )


def _is_own(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "stepgraph"


def _invoke(self: Any, input: Any, config: Any = None, **options: Any) -> Any:
    version, modes = options.pop("version", "v1"), options.pop("stream_mode", "values")
    found = _Collected(modes)
    for chunk in self.stream(input, config, stream_mode=found.asked, **self._of_output(options)):
        found.take(chunk)
    return found.result(self, version)


async def _ainvoke(self: Any, input: Any, config: Any = None, **options: Any) -> Any:
    version, modes = options.pop("version", "v1"), options.pop("stream_mode", "values")
    found = _Collected(modes)
    async for chunk in self.astream(input, config, stream_mode=found.asked, **self._of_output(options)):
        found.take(chunk)
    return found.result(self, version)


_BY_STREAM: dict[str, Any] = {"invoke": _invoke, "ainvoke": _ainvoke}


class _Collected:
    """What `invoke` returns, out of a stream's chunks."""

    def __init__(self, modes: Any) -> None:
        self.asked = ["updates", "values"] if modes == "values" else modes
        self._chunks: list[Any] | None = None if modes == "values" else []
        self._latest: Any = None
        self._interrupts: list[Any] = []

    def take(self, chunk: Any) -> None:
        """The next chunk; of subgraphs, too, where these are asked for."""
        if self._chunks is not None:
            self._chunks.append(chunk)
            return
        mode, payload = chunk[-2:]
        if mode == "values":
            self._latest = payload
        elif isinstance(payload, dict):
            self._interrupts += payload.get(INTERRUPT, ())

    def result(self, graph: Any, version: str) -> Any:
        """The last values with the questions, or all chunks."""
        if self._chunks is not None:
            return self._chunks
        values = self._latest
        if self._interrupts and isinstance(values, dict):
            values = {key: value for key, value in values.items() if key != INTERRUPT}
        return versioned(graph, values, self._interrupts, version)
