"""Methods of all graphs replaced at once by assigning to `Pregel`, as tracing libraries and mocks do."""

from __future__ import annotations

from typing import Any

from stepgraph.core.types import INTERRUPT

SHARED = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in ("invoke", "stream", "get_state", "get_state_history", "update_state", "bulk_update_state")
)
"""The methods that can be replaced so."""
_THROUGH = {"stream": "invoke", "astream": "ainvoke"}
"""What calls which: whoever replaces `stream` hears of `invoke` too, as in LangGraph."""
_originals: dict[tuple[type, str], Any] = {}
"""What a class had itself in place of a replaced method; None where it inherited it."""


def replace(kind: type, name: str, value: Any) -> None:
    """Let graphs of this class have `value` as their method; their own, or that of its base, ends what was replaced."""
    own = _originals.setdefault((kind, name), vars(kind).get(name))
    if value is own or value is getattr(super(kind, kind), name):
        restore(kind, name)
        return
    setattr(kind, name, value)
    whole = _THROUGH.get(name)
    if whole is not None and (kind, whole) not in _originals:
        replace(kind, whole, _BY_STREAM[whole])


def restore(kind: type, name: str) -> None:
    """Give graphs their own method back."""
    if (kind, name) not in _originals:
        raise AttributeError(name)
    own = _originals.pop((kind, name))
    if own is not None:
        setattr(kind, name, own)
    elif name in vars(kind):
        delattr(kind, name)
    whole = _THROUGH.get(name)
    if whole is not None and vars(kind).get(whole) is _BY_STREAM[whole]:
        restore(kind, whole)


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
        not _is_own(kind) and not _RUNS.isdisjoint(vars(kind))
        for kind in type(graph).__mro__
        if kind.__module__.partition(".")[0] != "langchain_core"
    )


_RUNS = frozenset((*_THROUGH, *_THROUGH.values()))


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
        return graph._versioned(values, self._interrupts, version)
