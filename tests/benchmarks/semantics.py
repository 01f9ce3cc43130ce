"""What each rule costs a superstep: a chain of nodes, plain and with one thing more, on both engines.

    python tests/benchmarks/semantics.py [--quick] [--only stream,durability] [--rounds 5]

Measured as `engine.py` does, all variants of one engine in turn with the plain chain; the last column is what the thing
adds to the plain chain of the same kind (sync, or async where its name says so), in µs a superstep.
"""

from __future__ import annotations

import argparse
import asyncio
import operator
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Annotated, Any, TypedDict

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from pydantic import BaseModel

from tests.benchmarks.engine import aopened, in_turn, opened

LEFT = {"n": 1}
_numbers = count()


class Count(TypedDict, total=False):
    n: int


class Sum(TypedDict, total=False):
    n: Annotated[int, operator.add]


class Model(BaseModel):
    n: int


class Types:
    """The public names of an engine, wherever it has them."""

    def __init__(self, engine: str) -> None:
        own = ("stepgraph", "stepgraph.cache", "stepgraph.integrations.callbacks")
        theirs = ("langgraph.graph", "langgraph.types", "langgraph.runtime", "langgraph.cache.memory")
        self.modules = [import_module(name) for name in (own if engine == "stepgraph" else theirs)]

    def __getattr__(self, name: str) -> Any:
        return next(getattr(module, name) for module in self.modules if hasattr(module, name))


def plain(state: Any) -> Any:
    return LEFT


async def awaited(state: Any) -> Any:
    return LEFT


def untroubled(state: Any, error: Any = None) -> Any:
    return LEFT


@dataclass
class Variant:
    """A chain with one thing more than the plain one."""

    name: str
    node: Callable[..., Any] = plain
    schema: Any = Count
    options: Callable[[Types], dict[str, Any]] = lambda types: {}
    """Of `add_node`."""
    routed: bool = False
    jumps: bool = False
    nested: bool = False
    compiled: Callable[[Types], dict[str, Any]] = lambda types: {}
    """Options of `compile`."""
    called: dict[str, Any] = field(default_factory=dict)
    """Options of the call."""
    config: Callable[[], dict[str, Any]] = dict
    kind: str = "none"
    """Of checkpointer."""
    is_async: bool = False
    only_ours: bool = False

    def graph(self, types: Types, size: int) -> Any:
        """The compiled chain."""
        graph = types.StateGraph(self.schema)
        names = [f"n{position}" for position in range(size)]
        for name, following in zip(names, [*names[1:], types.END], strict=True):
            graph.add_node(name, self._action(types, following), **self.options(types))
            if self.routed:
                graph.add_conditional_edges(name, lambda state, to=following: to, [following])
            elif not self.jumps:
                graph.add_edge(name, following)
        graph.add_edge(types.START, names[0])
        return graph.compile(**self.compiled(types))

    def _action(self, types: Types, following: str) -> Any:
        if self.jumps:
            return lambda state: types.Command(goto=following, update=LEFT)
        if not self.nested:
            return self.node
        inner = types.StateGraph(self.schema).add_node("inner", self.node)
        return inner.add_edge(types.START, "inner").compile()

    def action(self, engine: str, size: int, folder: Path) -> Callable[[], float]:
        """What runs it once and gives CPU seconds."""
        graph = self.graph(Types(engine), size)

        def settings() -> dict[str, Any]:
            return {
                "recursion_limit": 2 * size + 10,
                "configurable": {"thread_id": f"s{next(_numbers)}"},
                **self.config(),
            }

        def run() -> float:
            with opened(engine, self.kind, folder) as graph.checkpointer:
                start = time.process_time()
                if "stream_mode" in self.called:
                    for _ in graph.stream({"n": 0}, settings(), **self.called):
                        pass
                else:
                    graph.invoke({"n": 0}, settings(), **self.called)
                if engine == "stepgraph" and graph.checkpointer is not None:
                    graph.checkpointer.flush()
                return time.process_time() - start

        async def arun() -> float:
            async with aopened(engine, self.kind, folder) as graph.checkpointer:
                start = time.process_time()
                await graph.ainvoke({"n": 0}, settings(), **self.called)
                return time.process_time() - start

        return (lambda: asyncio.run(arun())) if self.is_async else run


def handlers() -> dict[str, Any]:
    from langchain_core.callbacks import BaseCallbackHandler

    return {"callbacks": [BaseCallbackHandler()]}


VARIANTS = [
    Variant("plain"),
    Variant("plain, async", awaited, is_async=True),
    Variant("sync nodes under ainvoke, in helper threads", is_async=True),
    Variant("the same, declared inline", compiled=lambda types: {"inline": True}, is_async=True, only_ours=True),
    Variant("reducer", schema=Sum),
    Variant("Pydantic state", schema=Model),
    Variant("conditional edge", routed=True),
    Variant("Command(goto=)", jumps=True),
    Variant("config injected", lambda state, config: LEFT),
    Variant("runtime injected", lambda state, runtime: LEFT),
    Variant("retry policy", options=lambda types: {"retry_policy": types.RetryPolicy()}),
    Variant("error handler", options=lambda types: {"error_handler": untroubled}),
    Variant("timeout, async", awaited, options=lambda types: {"timeout": 60.0}, is_async=True),
    Variant(
        "cached, all hits",
        options=lambda types: {"cache_policy": types.CachePolicy(key_func=lambda state: b"one")},
        compiled=lambda types: {"cache": types.InMemoryCache()},
    ),
    Variant("subgraph in each node", nested=True),
    *(
        Variant(f"stream {mode}", called={"stream_mode": mode})
        for mode in ("updates", "values", "custom", "messages", "tasks", "debug")
    ),
    Variant("callback handler", config=handlers),
    *(
        Variant(f"{kind}, durability {when}", called={"durability": when}, kind=kind)
        for kind in ("memory", "sqlite")
        for when in ("async", "sync", "exit")
    ),
]


def measured(variants: list[Variant], engine: str, size: int, rounds: int) -> dict[str, float]:
    """Name -> median µs a superstep."""
    fit = [variant for variant in variants if engine == "stepgraph" or not variant.only_ours]
    with tempfile.TemporaryDirectory() as name:
        samples = in_turn([partial(variant.action(engine, size, Path(name))) for variant in fit], rounds)
    medians = [statistics.median(column) / size * 1e6 for column in zip(*samples, strict=True)]
    return {variant.name: value for variant, value in zip(fit, medians, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="3 rounds of a shorter chain")
    parser.add_argument("--only", default="", help="parts of the variants' names")
    options = parser.parse_args()
    rounds, size = (min(options.rounds, 3), 50) if options.quick else (options.rounds, 200)
    parts = options.only.split(",")
    wanted = [each for each in VARIANTS if each.name.startswith("plain") or any(part in each.name for part in parts)]
    warnings.simplefilter("ignore")
    theirs, ours = (measured(wanted, engine, size, rounds) for engine in ("langgraph", "stepgraph"))
    print(f"µs of CPU a superstep, chain of {size}")
    for variant in wanted:
        name, base = variant.name, ours["plain, async" if variant.is_async else "plain"]
        slow = theirs.get(name)
        compared = (
            "                           " if slow is None else f"LangGraph {slow:7.1f}  {slow / ours[name]:6.1f}×"
        )
        print(f"{name:45} {compared}  stepgraph {ours[name]:7.2f}  {ours[name] - base:+7.2f}")


if __name__ == "__main__":
    main()
