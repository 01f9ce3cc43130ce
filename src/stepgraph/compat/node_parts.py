"""What LangGraph's nodes have and a plan's do not: Runnables that write, for code that runs a node by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile, zip_longest
from types import SimpleNamespace
from typing import Any

from langchain_core.runnables import RunnableConfig

from stepgraph.compat.format import BRANCH, TASKS
from stepgraph.compat.langgraph._internal._runnable import RunnableSeq
from stepgraph.compat.langgraph.pregel import _read
from stepgraph.core.errors import InvalidUpdateError
from stepgraph.core.inside import graphs_in
from stepgraph.core.plan import Node, Router
from stepgraph.core.routing import checked
from stepgraph.core.types import END, START, Route, Send
from stepgraph.core.writes import collect
from stepgraph.graph.pregel_node import PASSTHROUGH, ChannelWriteEntry, ChannelWriteTupleEntry, PregelNode, listed
from stepgraph.graph.specs import BranchSpec
from stepgraph.integrations.channel_steps import ChannelRead, ChannelWrite
from stepgraph.integrations.configs import merge_configs
from stepgraph.integrations.runnables import RunnableCallable, coerce_to_runnable


def part_of(node: Node | PregelNode, name: str) -> Any:
    """A node's attribute under LangGraph's name."""
    parts: Any = _BUILT if isinstance(node, PregelNode) else _PARTS
    return parts[name](node)


def _writers(node: Node) -> list[Any]:
    """What writes a result: its update and its gotos, then edges, then conditional edges."""
    if node.writer is not None:
        return [ChannelWrite([_of_result(node)])]
    edges: list[Any] = [ChannelWriteEntry(BRANCH + target, None) for target in node.successors]
    edges += [ChannelWriteEntry(key, node.name) for key in node.joins]
    first = ChannelWrite([_of_result(node)])
    return [first, *(ChannelWrite([edge]) for edge in edges), *(_branch(node, router) for router in node.routers)]


def _of_result(node: Node) -> ChannelWriteTupleEntry:
    def write(result: Any) -> Sequence[tuple[str, Any]]:
        writes, routes = collect(node, result)
        return [*writes, *map(_route, routes)]

    ends = [(_channel(end), None, node.end_labels.get(end)) for end in node.ends]
    return ChannelWriteTupleEntry(write, static=ends)


def _channel(target: str) -> str:
    return target if target == END else BRANCH + target


def _route(route: Route) -> tuple[str, Any]:
    return (BRANCH + route, None) if isinstance(route, str) else (TASKS, route)


def _branch(node: Node, router: Router) -> Any:
    """A conditional edge, which reads the state with the node's own writes."""
    choice = coerce_to_runnable(router.choose, name=router.name, trace=False)
    keys = list(router.reads if router.reads is not None else node.reads or sorted(node.writes))

    def view(returned: Any, config: RunnableConfig) -> Any:
        values = {**ChannelRead.do_read(config, select=[*keys, *dict(router.managed)], fresh=True)}
        if router.mapper is not None:
            return router.mapper(values)
        return {**returned, **values} if router.sees_more and isinstance(returned, dict) else values

    def send(chosen: Any, config: RunnableConfig) -> None:
        where: Any = SimpleNamespace(name=node.name, step=(config.get("metadata") or {}).get("langgraph_step"))
        config["configurable"]["__pregel_send"]([_route(each) for each in checked(where, router, chosen)])

    def route(input: Any, config: RunnableConfig) -> Any:
        send(choice.invoke(view(input, config), config), config)
        return input

    async def aroute(input: Any, config: RunnableConfig) -> Any:
        send(await choice.ainvoke(view(input, config), config), config)
        return input

    made = RunnableCallable(None if router.is_async else route, aroute, name=router.name, trace=False)
    known = router.path_map
    static = [(ChannelWriteEntry(_channel(end), None), str(key)) for key, end in known.items()] if known else None
    return ChannelWrite.register_writer(made, static)


def run_of(branch: BranchSpec, writer: Callable[[Any, bool], Any], reader: Callable[[Any], Any] | None) -> Any:
    """The writer of a conditional edge of a graph made by hand; `reader(config)` gives what it sees of the state."""

    def view(input: Any, config: RunnableConfig) -> Any:
        seen = input if reader is None else reader(config)
        both = branch.input_schema is None and isinstance(seen, dict) and isinstance(input, dict)
        return {**input, **seen} if both else seen

    def write(chosen: Any, input: Any, config: RunnableConfig) -> Any:
        answers = chosen if isinstance(chosen, (list, tuple)) else [chosen]
        known = branch.ends
        targets = [each if isinstance(each, Send) else known[each] for each in answers] if known else answers
        if any(each is None or each == START for each in targets):
            raise ValueError("Branch did not return a valid destination")
        if any(isinstance(each, Send) and each.node == END for each in targets):
            raise InvalidUpdateError("Cannot send a packet to the END node")
        entries = writer(targets, False)
        if any(isinstance(each, ChannelWriteEntry) and each.value is PASSTHROUGH for each in entries or ()):
            return ChannelWrite(entries)
        if entries:
            ChannelWrite.do_write(config, entries)
        return input

    def route(input: Any, config: RunnableConfig) -> Any:
        return write(branch.path.invoke(view(input, config), config), input, config)

    async def aroute(input: Any, config: RunnableConfig) -> Any:
        return write(await branch.path.ainvoke(view(input, config), config), input, config)

    made = RunnableCallable(route, aroute, trace=False)
    ends = branch.ends or {}
    static = [*zip_longest(writer([*ends.values()], True), map(str, ends))] if ends else None
    return ChannelWrite.register_writer(made, static)


def _flat_writers(node: Any) -> list[Any]:
    """The writers; the last ones that only write are one."""
    writers = list(node.writers)
    plain = [*takewhile(lambda each: isinstance(each, ChannelWrite), reversed(writers))][::-1]
    if len(plain) > 1:
        writers[-len(plain) :] = [ChannelWrite([entry for each in plain for entry in each.writes])]
    return writers


def _whole(node: Any) -> Any:
    """A Runnable that does what the node does and writes it with the config that it is given; None for nothing."""
    does = [] if node.bound is None or node.bound is _read.DEFAULT_BOUND else [node.bound]
    steps = [*does, *node.flat_writers]
    if not steps:
        return None
    return steps[0] if len(steps) == 1 else RunnableSeq(*steps)


_PARTS: dict[str, Callable[[Node], Any]] = {
    "writers": _writers,
    "flat_writers": _flat_writers,
    "node": _whole,
    "subgraphs": lambda node: [] if node.graph() is None else [node.graph()],
    "input_cache_key": lambda node: (node.mapper, tuple(listed(node.channels))),
}


def _bound(node: PregelNode) -> Any:
    """What a built node does, as one Runnable."""
    steps = [coerce_to_runnable(step, name=None, trace=True) for step in node.steps]
    if not steps:
        return _read.DEFAULT_BOUND
    return steps[0] if len(steps) == 1 else RunnableSeq(*steps)


_BUILT: dict[str, Callable[[PregelNode], Any]] = {
    "bound": _bound,
    "writers": lambda node: [ChannelWrite(node.entries)],
    "flat_writers": _flat_writers,
    "node": _whole,
    "subgraphs": lambda node: [found for step in node.steps for found in graphs_in(step)][:1],
    "input_cache_key": lambda node: (node.mapper, tuple(listed(node.channels))),
    "config": lambda node: partial(merge_configs, {"metadata": node.metadata, "tags": node.tags}),
}
