"""Entrypoints made from a seed: random tasks and a random body as plain data, and a script that runs and answers."""

import asyncio
import concurrent.futures
import operator
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any

from typing_extensions import TypedDict

from tests.differential.lab import Lab

Steps = Generator[tuple[str, list[Any]], list[Any], Any]
"""What a body does: it yields how it waits, and the tasks that it waits for, and gets their results."""
EXPECTED = (ConnectionError, TimeoutError)


@dataclass
class TaskSpec:
    """`does` says what it does; `times`: how often it fails for one argument; `tried`: attempts that it has."""

    name: str
    does: str
    times: int = 0
    tried: int = 1
    cached: bool = False
    is_async: bool = False
    calls: tuple[str, ...] = ()


@dataclass
class FlowSpec:
    """An entrypoint as plain data: tasks, the statements of its body, and what it returns."""

    tasks: list[TaskSpec] = field(default_factory=list)
    body: list[tuple[Any, ...]] = field(default_factory=list)
    returns: str = "found"
    takes_previous: bool = True


class Log(TypedDict):
    log: Annotated[list[Any], operator.add]


KINDS = ("value", "value", "value", "nothing", "custom", "outer", "graph", "flow")
RETURNS = ("found", "found", "final", "final", "final none", "none", "count")
QUIET = ("value", "nothing")
"""Kinds of tasks that neither ask nor fail nor write: any number of them may run beside each other."""


def flow_spec(rng: Random, *, asks: bool, fails: bool, coroutines: bool, in_turn: bool) -> FlowSpec:
    """Two to five tasks and a body of up to five statements."""
    spec = FlowSpec(returns=rng.choice(RETURNS), takes_previous=rng.random() < 0.7)
    for position in range(rng.randint(2, 5)):
        kinds = list(KINDS) + (["ask", "ask", "ask twice", "asking graph", "asking flow"] if asks else [])
        kinds += ["fail", "fail"] if fails else []
        kinds += ["slow"] if fails and coroutines else []
        task = TaskSpec(f"t{position}", rng.choice(kinds), is_async=coroutines and rng.random() < 0.5)
        if task.does == "outer":
            task.calls = tuple(each.name for each in rng.sample(spec.tasks, min(position, rng.randint(1, 2))))
        if task.does in ("fail", "slow"):
            task.times = rng.randint(1, 3)
            task.tried = rng.choice((1, 1, 2, 4) if task.does == "fail" else (1, 2))
            task.is_async |= task.does == "slow"
        task.cached = task.does == "value" and not task.is_async and rng.random() < 0.2
        spec.tasks.append(task)
    may = {"ask": asks, "fail": fails, "ask in turn": in_turn}
    spec.body = [_statement(rng, spec, may, depth=1) for _ in range(rng.randint(1, 5))]
    return spec


def _statement(rng: Random, spec: FlowSpec, may: dict[str, bool], *, depth: int) -> tuple[Any, ...]:
    names = [task.name for task in spec.tasks]
    quiet = [task.name for task in spec.tasks if task.does in QUIET]
    kinds = ["call", "call", "call", "together", "together", "custom"]
    kinds += ["when", "loop"] if depth else []
    kinds += ["ask", "ask"] if may["ask"] else []
    kinds += ["completed", "waited"] if quiet else []
    failing = [task.name for task in spec.tasks if task.does in ("fail", "slow")]
    kinds += ["fail", "caught"] if may["fail"] else []
    kinds += ["settled"] if failing else []
    unseen = [task.name for task in spec.tasks if task.does in QUIET and not task.cached]
    kinds += ["unseen"] if unseen else []
    askers = [task.name for task in spec.tasks if "ask" in task.does]
    kinds += ["asked together"] * 2 if askers and may["ask in turn"] else []
    match rng.choice(kinds):
        case "call":
            return "call", rng.choice(names)
        case "together":
            several = [rng.choice(quiet) for _ in range(rng.randint(1, 3))] if quiet else []
            return "together", rng.sample([*several, rng.choice(names)], len(several) + 1)
        case "completed" | "waited" as kind:
            return kind, [rng.choice(quiet) for _ in range(rng.randint(1, 3))]
        case "settled":
            return "settled", [rng.choice(failing), *rng.sample(quiet, min(len(quiet), rng.randint(0, 2)))]
        case "asked together":
            several = [rng.choice(askers) for _ in range(rng.randint(2, 3))]
            return "together", [*several, rng.choice(quiet or askers)]
        case "when" | "loop" as kind:
            block = [_statement(rng, spec, may, depth=0) for _ in range(rng.randint(1, 2))]
            return kind, rng.randint(1, 3), block
        case "fail":
            return "fail", rng.randint(1, 2)
        case "caught":
            return "caught", rng.choice(names)
        case "unseen":
            return "unseen", rng.choice(unseen)
        case kind:
            return (kind,)


BESIDE = ("together", "unseen", "completed", "waited", "settled")


def beside(block: list[tuple[Any, ...]]) -> bool:
    """Whether tasks may run beside each other or beside the body."""
    return any(
        statement[0] in BESIDE or (statement[0] in ("when", "loop") and beside(statement[2])) for statement in block
    )


class Flow:
    """A spec with one engine's words; `calls` counts how often each function ran for an argument."""

    def __init__(self, lab: Lab, spec: FlowSpec, *, coroutines: bool) -> None:
        self.lab = lab
        self.spec = spec
        self.calls: dict[Any, int] = {}
        self.tasks: dict[str, Any] = {}
        for task in spec.tasks:
            self.tasks[task.name] = self._task(task)
        lab.app = self._entrypoint(coroutines)

    def _count(self, name: str, argument: Any) -> int:
        self.calls[name, argument] = self.calls.get((name, argument), 0) + 1
        return self.calls[name, argument]

    def _task(self, task: TaskSpec) -> Any:
        lab = self.lab
        policies: dict[str, Any] = {}
        if task.tried > 1:
            policies["retry_policy"] = lab.RetryPolicy(initial_interval=0.001, jitter=False, max_attempts=task.tried)
        if task.cached:
            policies["cache_policy"] = lab.CachePolicy()
        if task.does == "slow":
            policies["timeout"] = 0.02  # which it never keeps, and nothing else has one: the clock decides nothing
        steps = self._steps_of(task)
        if task.is_async:

            async def later(x: Any) -> Any:
                if task.does == "slow":
                    await asyncio.sleep(30)
                return await follow_later(steps(x))

            return lab.task(name=task.name, **policies)(later)
        return lab.task(name=task.name, **policies)(lambda x: follow(steps(x)))

    def _steps_of(self, task: TaskSpec) -> Callable[[Any], Steps]:
        lab, name = self.lab, task.name
        asks = task.does.startswith("asking")
        graph = self._graph(asks) if "graph" in task.does else None
        flow = self._flow(asks) if "flow" in task.does else None

        def steps(x: Any) -> Steps:
            count = self._count(name, x)
            match task.does:
                case "nothing":
                    return None
                case "custom":
                    lab.get_stream_writer()({name: x})
                case "ask":
                    return [name, lab.interrupt(f"{name} {x}?")]
                case "ask twice":
                    return [lab.interrupt(f"{name} {x} one"), lab.interrupt(f"{name} {x} two")]
                case "fail" if count <= task.times:
                    raise ConnectionError(f"{name} {x} is down")
                case "graph" | "asking graph":
                    return graph.invoke({"log": [x]})["log"]
                case "flow" | "asking flow":
                    return flow.invoke(x)
                case "outer":
                    found = []
                    for number, called in enumerate(task.calls):
                        found += yield "results", [self.tasks[called](f"{x}.{number}")]
                    return [name, found]
            yield "results", []
            return f"{name}({x})"

        return steps

    def _graph(self, asks: bool) -> Any:
        lab = self.lab
        g = lab.engine.StateGraph(Log)
        g.add_node("first", lambda s: {"log": [self._count("first", s["log"][0])]})
        g.add_node("second", lambda s: {"log": [lab.interrupt(f"graph {s['log']}?") if asks else len(s["log"])]})
        g.add_edge(lab.START, "first")
        g.add_edge("first", "second")
        return g.compile()

    def _flow(self, asks: bool) -> Any:
        lab = self.lab

        @lab.task
        def inner(x: Any) -> Any:
            return [self._count("inner", x), lab.interrupt(f"inner {x}?") if asks else None]

        @lab.entrypoint()
        def other(x: Any) -> Any:
            return [inner(x).result(), lab.interrupt(f"flow {x}?") if asks else None]

        return other

    def _entrypoint(self, coroutines: bool) -> Any:
        if coroutines and self.spec.takes_previous:

            async def work(x: Any, *, previous: Any = None) -> Any:
                return await follow_later(self._body(x, previous))

        elif coroutines:

            async def work(x: Any) -> Any:  # type: ignore[misc]  # the same without `previous`
                return await follow_later(self._body(x, None))

        elif self.spec.takes_previous:

            def work(x: Any, *, previous: Any = None) -> Any:  # type: ignore[misc]  # the same, called at once
                return follow(self._body(x, previous))

        else:

            def work(x: Any) -> Any:  # type: ignore[misc]  # the same
                return follow(self._body(x, None))

        cached = any(task.cached for task in self.spec.tasks)
        options = {"cache": self.lab.InMemoryCache()} if cached else {}
        return self.lab.entrypoint(checkpointer=self.lab.checkpointer, **options)(work)

    def _body(self, x: Any, previous: Any) -> Steps:
        found: list[Any] = []
        yield from self._block(self.spec.body, x, found)
        kept = len(previous) if isinstance(previous, list) else previous or 0
        final = self.lab.entrypoint.final
        match self.spec.returns:
            case "found":
                return [kept, *found]
            case "final":
                return final(value=[kept, *found], save=kept + 1)
            case "final none":
                return final(value=None, save=kept + 2)
            case "none":
                return None
            case _:
                return kept + len(found)

    def _block(self, block: list[tuple[Any, ...]], x: Any, found: list[Any]) -> Steps:
        lab = self.lab
        for statement in block:
            here = f"{x}{len(found)}"
            match statement:
                case ("call", name):
                    found += yield "results", [self.tasks[name](here)]
                case ("together" | "completed" | "waited" | "settled" as how, names):
                    found += yield how, [self.tasks[name](f"{here}-{number}") for number, name in enumerate(names)]
                case ("unseen", name):
                    self.tasks[name](f"{here} unseen")
                case ("when", number, inner):
                    if len(found) % 2 == number % 2:
                        yield from self._block(inner, x, found)
                case ("loop", number, inner):
                    for _ in range(number):
                        yield from self._block(inner, x, found)
                case ("ask",):
                    found.append(lab.interrupt(f"{here}?"))
                case ("custom",):
                    lab.get_stream_writer()(here)
                case ("fail", times):
                    if self._count("entrypoint", here) <= times:
                        raise ConnectionError(f"the entrypoint is down at {here}")
                    found.append("up")
                case ("caught", name):
                    try:
                        found += yield "results", [self.tasks[name](here)]
                    except EXPECTED as error:
                        found.append(str(error))
        return None


def follow(steps: Steps) -> Any:
    """Run a body, waiting for its tasks by their results."""
    try:
        how, waited = next(steps)
        while True:
            try:
                found = results(how, waited)
            except Exception as error:  # the body sees what its task raised
                how, waited = steps.throw(error)
            else:
                how, waited = steps.send(found)
    except StopIteration as ended:
        return ended.value


def results(how: str, waited: list[Any]) -> list[Any]:
    match how:
        case "completed":
            return sorted((each.result() for each in concurrent.futures.as_completed(waited)), key=repr)
        case "waited":
            done, left = concurrent.futures.wait(waited)
            return [len(done), len(left), *(each.result() for each in waited)]
        case "settled":
            found = []
            for each in waited:
                try:
                    found.append(each.result())
                except EXPECTED as error:
                    found.append(str(error))
            return found
        case _:
            return [each.result() for each in waited]


async def follow_later(steps: Steps) -> Any:
    """Run a body, awaiting its tasks at once."""
    try:
        how, waited = next(steps)
        while True:
            try:
                found = await awaited(how, waited)
            except Exception as error:  # the body sees what its task raised
                how, waited = steps.throw(error)
            else:
                how, waited = steps.send(found)
    except StopIteration as ended:
        return ended.value


async def awaited(how: str, waited: list[Any]) -> list[Any]:
    match how:
        case "completed":
            return sorted([await each for each in asyncio.as_completed(waited)], key=repr)
        case "waited":
            done, left = await asyncio.wait(waited)
            return [len(done), len(left), *[await each for each in waited]]
        case "settled":
            found = await asyncio.gather(*waited, return_exceptions=True)
            unexpected = [each for each in found if isinstance(each, BaseException) and not isinstance(each, EXPECTED)]
            if unexpected:
                raise unexpected[0]
            return [str(each) if isinstance(each, EXPECTED) else each for each in found]
        case _:
            return await asyncio.gather(*waited)


def play(lab: Lab, seed: int) -> None:
    """The whole program of a seed."""
    rng = Random(seed)
    saved = lab.saved
    asks, fails = saved and rng.random() < 0.6, rng.random() < 0.4
    in_words = not fails and rng.random() < 0.4  # see DEVIATIONS["answer used twice"]
    coroutines = lab.calls == "async nodes"
    spec = flow_spec(rng, asks=asks, fails=fails, coroutines=coroutines, in_turn=lab.calls == "sync" and not in_words)
    flow = Flow(lab, spec, coroutines=coroutines)
    lab.only_results = fails and beside(spec.body)
    lab.run("a")
    if not _finish(lab, rng, in_words):
        return None if lab.only_results else lab.note("calls", sorted(flow.calls.items()))
    lab.run("b")
    if saved and _finish(lab, rng, in_words):
        match rng.choice((0, 2) if in_words else (0, 1, 2)):
            case 0:
                lab.update(5)
                lab.run("c")
            case 1:
                steps = sorted({shown.metadata["step"] for shown in lab.states() if shown.next})
                lab.run(None, lab.at(rng.choice(steps)) if steps else None)
            case _:
                lab.run("c", durability="exit")
        _finish(lab, rng, in_words)
    return None if lab.only_results else lab.note("calls", sorted(flow.calls.items()))


def _finish(lab: Lab, rng: Random, in_words: bool) -> bool:
    """Answer by ids, or one after the other, until the run is over; false if it is not over after a while."""
    for _ in range(12):
        if not lab.saved:
            return lab.error is None
        if lab.error is not None:
            lab.run(None)
        elif lab.pending and not in_words and rng.random() < 0.1:
            lab.run("instead")
        elif lab.pending and in_words:
            lab.resume(f"[{lab.pending[0].value}]")
        elif lab.pending:
            lab.answer(lambda value: f"<{value}>")
        else:
            return True
    return False
