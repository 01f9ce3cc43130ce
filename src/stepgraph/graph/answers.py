"""What a call gives its caller: chunks while the run goes on and the result, in the version that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from stepgraph.core.engine import Engine, Outcome
from stepgraph.core.types import INTERRUPT, GraphOutput
from stepgraph.graph.calls import CallOptions, printed_modes
from stepgraph.run.chunks import Mappers, printer, v1, v2
from stepgraph.run.streams import Streams
from stepgraph.run.tokens import listen_in
from stepgraph.schema.channels import is_keyed, mapper_of

if TYPE_CHECKING:
    from stepgraph.graph.compiled import CompiledStateGraph


def listen(
    graph: CompiledStateGraph, engine: Engine, modes: Any, put: Callable[[Any], None], options: CallOptions
) -> None:
    """Let a stream see the run; a graph inside another one goes on telling the outer's listeners too."""
    subgraphs = bool(options.get("subgraphs"))
    shape = v2(_mappers(graph)) if options.get("version") == "v2" else v1(modes, subgraphs)
    shown = (modes,) if isinstance(modes, str) else tuple(modes)
    printed = printed_modes(options, graph.debug)
    show = printer(subgraphs)

    def deliver(ns: Any, mode: str, payload: Any) -> None:
        if mode in printed:
            show(ns, mode, payload)
        if mode in shown:
            put(shape(ns, mode, payload))

    keys = options.get("output_keys")
    streams = Streams(
        graph.plan, {*shown, *printed}, deliver, subgraphs=subgraphs, root=engine.scope.ns,
        config=engine.request.config, keys=graph._lone_key() if keys is None else keys,
    )  # fmt: skip
    if subgraphs:
        engine.request.relayed = streams.modes
    listen_in(engine, streams.modes)
    outer = engine.request.emit
    taken = "custom" in streams.modes and engine.request.parent is not None
    unasked = engine.request.unheard

    def both(event: Any) -> None:
        streams(event)
        if outer is not None and type(event) not in unasked:
            outer(event._replace(kind="taken") if taken and getattr(event, "kind", None) == "custom" else event)

    if outer is None:
        engine.listen(streams, streams.unheard)
    else:
        engine.listen(both, unasked & streams.unheard)


def print_run(graph: CompiledStateGraph, engine: Engine, options: CallOptions) -> None:
    """Print what a call without chunks asks to be printed."""
    printed = printed_modes(options, graph.debug)
    if printed:
        listen(graph, engine, (), _nobody, options)


def plain_result(outcome: Outcome) -> Any:
    """What a call without options returns."""
    return _with_questions(outcome.values, outcome.interrupts)


def returned(graph: CompiledStateGraph, outcome: Outcome, options: CallOptions) -> Any:
    """What a call with options returns."""
    return versioned(graph, outcome.values, outcome.interrupts, options.get("version", "v1"))


def versioned(graph: CompiledStateGraph, values: Any, asked: Sequence[Any], version: str) -> Any:
    """Values and questions together, as the version has them."""
    if version == "v1":
        return _with_questions(values, asked)
    mapper = _mappers(graph).output
    return GraphOutput(mapper(values) if mapper is not None and isinstance(values, dict) else values, tuple(asked))


def _with_questions(values: Any, asked: Sequence[Any]) -> Any:
    """Values and questions as version 1 returns them together."""
    return {**(values if isinstance(values, dict) else {}), INTERRUPT: list(asked)} if asked else values


def _mappers(graph: CompiledStateGraph) -> Mappers:
    """What makes objects of values for version v2: of Pydantic and dataclass schemas only."""
    schemas = (getattr(graph.builder, name, None) for name in ("output_schema", "state_schema"))
    return Mappers(*(mapper_of(schema) if is_keyed(schema) else None for schema in schemas))


def _nobody(chunk: Any) -> None:
    """Takes chunks that nobody asked for."""
