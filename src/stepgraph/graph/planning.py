"""From the nodes and edges of a StateGraph to its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from stepgraph.core.channels import Channel, NamedBarrierValue
from stepgraph.core.errors import sync_timeout_unsupported
from stepgraph.core.plan import WHOLE, Barrier, Node, Plan, Router
from stepgraph.core.policies import as_retries
from stepgraph.core.types import END, MISSING, ROOT, START
from stepgraph.graph.policies import cache_namespace
from stepgraph.graph.specs import BranchSpec, Policies, StateNodeSpec, handler_spec
from stepgraph.graph.stamping import stamp_of
from stepgraph.schema.channels import mapper_of

if TYPE_CHECKING:
    from stepgraph.graph.builder import StateGraph

DEFAULT_HANDLER = "__default_error_handler__"


class Input(NamedTuple):
    """What nodes of one input schema read: keys (None for all of the state's), managed values, and its constructor."""

    keys: tuple[str, ...] | None
    managed: tuple[tuple[str, Any], ...]
    mapper: Callable[[Any], Any] | None


def plan_of(builder: StateGraph, name: str, before: frozenset[str], after: frozenset[str], inline: bool) -> Plan:
    """The plan of a graph that is valid; `before` and `after` are the nodes at which it is interrupted."""
    barriers = {
        barrier.key: barrier
        for sources, target in sorted(builder.waiting_edges)
        if target != END
        for barrier in (_barrier(sources, target),)
    }
    nodes = {START: _start_node(builder)}
    veils = {key: rule for key, rule in builder.channels.items() if type(rule).read is not Channel.read}
    inputs: dict[Any, Input] = {}
    writes = _written(builder.channels)
    for key, spec in _specs(builder).items():
        read = inputs.get(spec.input_schema)
        if read is None:
            read = Input(*_reads(builder, spec.input_schema), _veiled(veils, mapper_of(spec.input_schema)))
            inputs[spec.input_schema] = read
        nodes[key] = _node(key, spec, inline, read, writes)
    _connect(builder, nodes)
    for barrier in barriers.values():
        for source in barrier.sources:
            nodes[source].joins += (barrier.key,)
    for key, branches in builder.branches.items():
        nodes[key].routers = tuple(_router(builder, key, name, branch, veils) for name, branch in branches.items())
    stamp = stamp_of(builder.channels)
    if stamp is not None:
        for node in nodes.values():
            node.stamp = stamp
    keys = tuple(builder.channels)
    outputs = tuple(key for key in builder.schemas[builder.output_schema] if key in builder.channels)
    schemas = tuple(builder.schemas)
    if builder.context_schema is not None:
        schemas += (builder.context_schema,)
    return Plan(
        name=name,
        channels=builder.channels,
        nodes=nodes,
        barriers=barriers,
        input_keys=tuple(key for key in builder.schemas[builder.input_schema] if key in builder.channels),
        output_keys=ROOT if outputs == (ROOT,) else outputs,
        state_keys=keys,
        interrupt_before=before,
        interrupt_after=after,
        schemas=schemas,
    )


def _veiled(veils: Mapping[str, Channel], mapper: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    """What shows readers the values of channels that keep more than these, and hides those that are not there yet."""
    if not veils:
        return mapper

    def read(values: Mapping[str, Any]) -> Any:
        found = {key: veils[key].read(value) if key in veils else value for key, value in values.items()}
        found = {key: value for key, value in found.items() if value is not MISSING}
        return found if mapper is None else mapper(found)

    return read


def _connect(builder: StateGraph, nodes: Mapping[str, Node]) -> None:
    """Tell nodes where their edges end."""
    several: dict[str, list[str]] = {}
    for start, end in builder.edges:
        node = nodes[start]
        if end == END:
            node.to_end = True
        elif not node.successors:
            node.successors = (end,)
        else:
            several.setdefault(start, [*node.successors]).append(end)
    for name, ends in several.items():
        nodes[name].successors = tuple(sorted(ends))


def _specs(builder: StateGraph) -> dict[str, StateNodeSpec]:
    """The nodes with the graph's defaults for what they don't say themselves, and the default error handler."""
    defaults, handler = builder.defaults, None
    specs = dict(builder.nodes)
    if defaults.handler is not None:
        handler = DEFAULT_HANDLER
        if handler in specs:
            raise ValueError(f"Auto-generated default error handler node `{handler}` already exists.")
        specs[handler] = handler_spec(handler, defaults.handler, builder.state_schema)
    if defaults == Policies():
        return specs
    return {name: spec.with_defaults(defaults, handler) for name, spec in specs.items()}


def _start_node(builder: StateGraph) -> Node:
    keys = _written(key for key in builder.schemas[builder.input_schema] if key in builder.channels)
    return Node(START, None, reads=(), writes=keys)


def _written(keys: Iterable[str]) -> frozenset[str]:
    found = frozenset(keys)
    return WHOLE if found == WHOLE else found


_NOTHING: Mapping[str, Any] = {}


def _node(name: str, spec: StateNodeSpec, inline: bool, input: Input, writes: frozenset[str]) -> Node:
    how, metadata, ends = spec.how, spec.metadata or _NOTHING, spec.ends
    labels = ends if ends and isinstance(ends, Mapping) else _NOTHING
    # Set one by one: passing two dozen keywords takes three times as long, which compiling large graphs shows.
    if how is None:
        graph = spec.action
        node = Node(name, graph.invoke, metadata=metadata, end_labels=labels)
        node.child, node.child_checkpointer = graph.plan, getattr(graph, "saver", None)
    else:
        node = Node(name, how.body, how.is_async, how.twin, metadata=metadata, end_labels=labels)
        node.inject = how.inject
    node.inline = inline or spec.inline
    node.reads = input.keys
    node.managed = input.managed
    if spec.is_error_handler:
        node.is_error_handler = True
    else:
        node.mapper = input.mapper
    node.writes = writes
    node.defer = spec.defer
    if ends:
        node.ends = tuple(ends)
    node.trace_policy = spec.trace_policy
    node.source = spec.action
    node.handler = spec.error_handler_node
    if spec.retry_policy is not None:
        node.retries = as_retries(spec.retry_policy)
    if spec.timeout is not None:
        if how is not None and not (how.is_async or how.twin):
            raise sync_timeout_unsupported(name)
        node.timeout = spec.timeout
    if spec.cache_policy is not None:
        node.cache, node.cache_ns = spec.cache_policy, cache_namespace(spec.action, name)
    return node


def _reads(builder: StateGraph, schema: Any) -> tuple[tuple[str, ...] | None, tuple[tuple[str, Any], ...]]:
    """The keys that a schema's reader sees (None for all of the state's), and its managed values."""
    names = builder.schemas[schema]
    managed = tuple((key, builder.managed[key]) for key in names if key in builder.managed)
    keys = tuple(key for key in names if key in builder.channels)
    if not managed and set(keys) == set(builder.channels) and keys != (ROOT,):
        return None, ()
    return keys, managed


def _router(builder: StateGraph, source: str, name: str, branch: BranchSpec, veils: Mapping[str, Channel]) -> Router:
    schema = branch.input_schema
    if schema is None:
        schema = builder.state_schema if source == START else builder.nodes[source].input_schema
    keys, managed = _reads(builder, schema)
    known = branch.ends
    targets = tuple(dict.fromkeys(known.values())) if known is not None else (*builder.nodes, END)
    how = branch.how
    return Router(
        name,
        how.body,
        path_map=known,
        is_async=how.is_async,
        twin=how.twin,
        reads=keys if keys is not None else tuple(builder.channels),
        all_keys=keys is None,
        sees_more=branch.input_schema is None,
        managed=managed,
        mapper=_veiled(veils, mapper_of(schema)),
        inject=how.inject,
        targets=targets,
        labels={target: str(key) for key, target in (known or {}).items() if key != target},
    )


def _barrier(sources: Sequence[str], target: str) -> Barrier:
    key = f"join:{'+'.join(sources)}:{target}"
    return Barrier(key, NamedBarrierValue(str, names=sources, key=key), target, tuple(dict.fromkeys(sources)))
