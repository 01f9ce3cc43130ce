"""Begins a v3 run of a compiled graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepgraph.core.types import Namespace
from stepgraph.run.v3.lifecycle import LifecycleTransformer, SubgraphTransformer
from stepgraph.run.v3.modes import MessagesTransformer, ValuesTransformer
from stepgraph.run.v3.mux import Factory, StreamMux
from stepgraph.run.v3.transformer import StreamTransformer

BUILTINS: tuple[Factory, ...] = (ValuesTransformer, MessagesTransformer, LifecycleTransformer, SubgraphTransformer)


def opened(scope: Namespace, transformers: Sequence[Any], *, is_async: bool) -> tuple[StreamMux, list[str]]:
    """The transformers of a run, and the modes that they need."""
    mux = StreamMux(factories=[*BUILTINS, *map(_factory, transformers)], is_async=is_async, scope=scope)
    return mux, sorted({mode for each in mux.transformers for mode in each.required_stream_modes})


def check_options(options: Mapping[str, Any]) -> None:
    """Raises TypeError for options that v3 sets itself."""
    given = [name for name in ("stream_mode", "subgraphs") if name in options]
    if given:
        raise TypeError(
            "stream_events(version='v3') / astream_events(version='v3') do not accept "
            f"{', '.join(given)}: the transformers say which modes they need, and subgraphs are always heard."
        )


def _factory(given: Any) -> Callable[[Namespace], StreamTransformer]:
    """A class or a function from a scope to a transformer: one is made for each subgraph too."""
    if isinstance(given, StreamTransformer) or not callable(given):
        kind = "a pre-built instance of " if isinstance(given, StreamTransformer) else ""
        raise TypeError(
            f"transformers must be scope-aware callables, got {kind}{type(given).__name__}: pass the class, or "
            "`lambda scope: MyTransformer(scope, ...)`."
        )
    return lambda scope: given(scope)
