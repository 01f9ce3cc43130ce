"""What a compiled graph tells of itself: its nodes and keys, its schemas, its picture."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from stepgraph.core.plan import Plan
from stepgraph.core.types import ROOT, START
from stepgraph.graph.patched import is_copied
from stepgraph.run.config import merged

if TYPE_CHECKING:
    from stepgraph.graph.compiled import CompiledStateGraph


class Described:
    """The part of a compiled graph that runs nothing."""

    builder: Any
    plan: Plan
    config: dict[str, Any]
    context_schema: Any
    transformers: tuple[Any, ...]

    @property
    def has_async(self) -> bool:
        return self.plan.has_async

    @property
    def name(self) -> str:
        """What it is called in traces, drawings and messages; may be set."""
        return self.plan.name

    @name.setter
    def name(self, name: str) -> None:
        self._replan(name=name)

    @property
    def nodes(self) -> Mapping[str, Any]:
        return self.plan.nodes

    # Under LangGraph's names: what its low-level graphs set for all of their nodes.
    retry_policy: Any = ()
    cache_policy: Any = None
    stream_eager = False

    def __repr__(self) -> str:
        nodes = ", ".join(name for name in self.plan.nodes if name != "__start__")
        return f"CompiledStateGraph({self.name!r}: {nodes})"

    def with_config(self, config: Mapping[str, Any] | None = None, **more: Any) -> Self:
        """The same graph with a config that every call starts from. Empty values, and a limit of 0, say nothing."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        given = {**(config or {}), **more}
        other.config = merged(self.config, {key: value for key, value in given.items() if value})
        is_copied(self, other)
        return other

    @property
    def channels(self) -> Mapping[str, Any]:
        """The rules of the state's keys, managed values, and what leads from node to node, by LangGraph's names."""
        from stepgraph.graph.edge_channels import edge_channels  # few look at them
        from stepgraph.schema.managed import kind_of

        managed = {key: kind_of(compute) for key, compute in getattr(self.builder, "managed", {}).items()}
        return {**self.plan.channels, **managed, **edge_channels(self.plan, self.InputType)}

    @property
    def input_channels(self) -> str:
        return START

    @property
    def output_channels(self) -> str | list[str]:
        """The keys of the result."""
        keys = self.plan.output_keys
        return keys if isinstance(keys, str) else list(keys)

    @property
    def stream_channels(self) -> str | Sequence[str]:
        """The same as `stream_channels_asis`."""
        return self.stream_channels_asis

    @property
    def trigger_to_nodes(self) -> Mapping[str, Sequence[str]]:
        """The nodes that each channel makes ready, by LangGraph's names of channels."""
        found: dict[str, list[str]] = {}
        for name, node in self.plan.nodes.items():
            for key in node.triggers:
                found.setdefault(key, []).append(name)
        return found

    @property
    def stream_channels_list(self) -> list[str]:
        """The keys that streams and snapshots show."""
        return [str(self.plan.output_keys)] if self._shows_one_key else list(self.plan.channels)

    @property
    def stream_channels_asis(self) -> str | Sequence[str]:
        """The keys that streams and snapshots show; a single name for a state that is not a mapping."""
        return self.output_channels if self._shows_one_key else self.stream_channels_list

    @property
    def _shows_one_key(self) -> bool:
        """Not where nodes have keys of their own beside a state that is one value."""
        keys = self.plan.output_keys
        return isinstance(keys, str) and (keys != ROOT or len(self.plan.channels) == 1)

    @property
    def stream_transformers(self) -> tuple[Any, ...]:
        """What makes streams of its own of every v3 run."""
        return self.transformers

    @property
    def interrupt_before_nodes(self) -> str | list[str]:
        """The nodes before which runs stop; may be set."""
        return _listed(self.plan.interrupt_before)

    @interrupt_before_nodes.setter
    def interrupt_before_nodes(self, names: str | Sequence[str]) -> None:
        self._replan(interrupt_before=_stops(names))

    @property
    def interrupt_after_nodes(self) -> str | list[str]:
        """The nodes after which runs stop; may be set."""
        return _listed(self.plan.interrupt_after)

    @interrupt_after_nodes.setter
    def interrupt_after_nodes(self, names: str | Sequence[str]) -> None:
        self._replan(interrupt_after=_stops(names))

    def _replan(self, **changes: Any) -> None:
        """Change what later calls of this very object are given: other graphs share its plan."""
        self.plan = replace(self.plan, **changes)

    def get_input_jsonschema(self, config: Any = None) -> dict[str, Any]:
        """JSON Schema of the input. Needs Pydantic, as the other schemas do."""
        return self._schema("input")

    def get_output_jsonschema(self, config: Any = None) -> dict[str, Any]:
        """JSON Schema of the result."""
        return self._schema("output")

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """JSON Schema of the context; None if the graph has none."""
        from stepgraph.schema.described import described

        return described(self.context_schema)

    def _schema(self, which: str) -> dict[str, Any]:
        from stepgraph.schema.described import schema_of, types_of

        if not hasattr(self.builder, "schemas"):  # made of a function
            found: dict[str, Any] = getattr(self, f"get_{which}_schema")().model_json_schema()
            return found
        schema = getattr(self.builder, f"{which}_schema")
        keys = [key for key in self.builder.schemas[schema] if key in self.plan.channels]
        types = types_of(self.builder.schemas, self.plan.channels, keys, "UpdateType")
        return schema_of(schema, types, self.get_name(which))

    @property
    def InputType(self) -> Any:  # noqa: N802  langchain-core's name
        """The type of the input."""
        return getattr(self.builder, "input_schema", Any)

    @property
    def OutputType(self) -> Any:  # noqa: N802  langchain-core's name
        """The type of the result; None for the keys of a state."""
        return getattr(self.builder, "output_schema", None) if isinstance(self.plan.output_keys, str) else None

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """The graph's name, with a suffix as langchain-core adds it."""
        found = name or self.name
        return found if suffix is None else found + (f"_{suffix.lower()}" if found[0].islower() else suffix.title())

    def get_input_schema(self, config: Any = None) -> Any:
        """A Pydantic model of the input."""
        from stepgraph.schema.described import root_model

        return root_model(self.get_name("input"), self.InputType)

    def get_output_schema(self, config: Any = None) -> Any:
        """A Pydantic model of the result."""
        from stepgraph.schema.described import model_of_types, root_model, types_of

        if isinstance(self.plan.output_keys, str):
            return root_model(self.get_name("output"), self.OutputType)
        types = types_of(self.builder.schemas, self.plan.channels, self.plan.output_keys, "ValueType")
        return model_of_types(self.get_name("output"), types)

    def copy(self, update: Mapping[str, Any] | None = None) -> Self:
        """Another graph on the same plan; `update` sets attributes of it, e.g. its checkpointer or its name."""
        changes = dict(update or {})
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        if "name" in changes:
            other._replan(name=changes.pop("name"))
        other.__dict__.update(changes)
        is_copied(self, other)
        return other

    def __copy__(self) -> Self:
        return self.copy()

    def validate(self) -> Self:
        """The graph itself: it was checked when it was compiled."""
        return self

    def get_graph(self, config: Any = None, *, xray: bool | int = False) -> Any:
        """The graph as nodes and edges that can be drawn: `draw_mermaid()`, `draw_svg()`, `draw_ascii()`, `to_json()`.

        `xray` opens subgraphs: True all of them, a number so many levels.
        """
        from stepgraph.graph.outline import picture

        return picture(self, xray)

    async def aget_graph(self, config: Any = None, *, xray: bool | int = False) -> Any:
        """As `get_graph`."""
        return self.get_graph(config, xray=xray)

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, CompiledStateGraph]]:
        """The graphs that nodes are, or that their functions call, as (name, graph).

        With `recurse` theirs too, as `outer|inner`. `namespace` asks for one of them; for one deeper inside, `recurse`.
        """
        for name, node in self.plan.nodes.items():
            if namespace is not None and not f"{namespace}|".startswith(f"{name}|"):
                continue
            graph: CompiledStateGraph | None = node.graph()
            if graph is None:
                continue
            if namespace is None or namespace == name:
                yield name, graph
            if recurse and namespace != name:
                within = None if namespace is None else namespace[len(name) + 1 :]
                yield from ((f"{name}|{inner}", g) for inner, g in graph.get_subgraphs(namespace=within, recurse=True))

    async def aget_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> AsyncIterator[tuple[str, CompiledStateGraph]]:
        """As `get_subgraphs`."""
        for found in self.get_subgraphs(namespace=namespace, recurse=recurse):
            yield found

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from stepgraph.graph.drawing import mimebundle

        return mimebundle(self)


def _listed(names: frozenset[str]) -> str | list[str]:
    return "*" if "*" in names else sorted(names)


def _stops(names: str | Sequence[str]) -> frozenset[str]:
    return frozenset((names,) if isinstance(names, str) else names)
