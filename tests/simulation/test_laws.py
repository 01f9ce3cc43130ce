"""Any finishing order, any split into runs, any crash and any failing effect lead to the same state and history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

from stepgraph.core.effects import Ask, Effect
from stepgraph.core.errors import GraphRecursionError
from stepgraph.core.types import Decision, Pause
from stepgraph.persist import MemoryCheckpointer
from tests.simulation.driver import Crash, Driver, Schedules
from tests.simulation.graphs import INPUTS, SMALL, calling, random_functions, random_graph, random_graph_with_policies
from tests.simulation.model import ModelCheckpointer
from tests.simulation.savers import LastingMemory, MortalSqlite
from tests.simulation.world import CONFIG, InjectedError, Policy, World, account

Make = Callable[[Any], Any]
POLICIES, FUNCTIONS = 100_000, 200_000
BREAKPOINTS = ["n0", "n1", "n2", "n3", "*"]


def first(count: int) -> int:
    return 0


def straight() -> Policy:
    """One process after the other, each to its end or to a question."""
    return Policy(Driver(first))


def world_of(make: Make, saver: Any = None) -> World:
    saver = ModelCheckpointer() if saver is None else saver
    return World(make(saver), saver)


def expected(make: Make) -> tuple[Any, list[Any], int]:
    """Result and history of the straight run, and how many effects its processes performed."""
    world, drivers = world_of(make), []

    def policy() -> Policy:
        drivers.append(Driver(first))
        return Policy(drivers[-1])

    result = world.live(INPUTS, policy)
    return result, account(world), sum(driver.effects for driver in drivers)


def of_seed(seed: int) -> Make:
    """Seeds from POLICIES on give graphs with failing nodes and policies, those from FUNCTIONS on called functions."""
    if seed < POLICIES:
        return lambda saver: random_graph(seed, saver)
    return lambda saver: (random_graph_with_policies if seed < FUNCTIONS else random_functions)(seed, saver)


def seeds(start: int, count: int) -> list[int]:
    """The next seeds from `start` on whose graphs come to an end: some loop for ever."""
    found: list[int] = []
    for seed in range(start, start + 20 * count):
        if len(found) < count and ends(seed):
            found.append(seed)
    return found


@cache
def ends(seed: int) -> bool:
    try:
        world_of(of_seed(seed)).live(INPUTS, straight)
    except GraphRecursionError:
        return False
    return True


def same(make: Make, next_policy: Callable[[], Policy], saver: Any = None) -> World:
    """Live another life and compare it with the straight one."""
    result, history, _ = expected(make)
    world = world_of(make, saver)
    assert world.live(INPUTS, next_policy) == result
    assert account(world) == history
    return world


@pytest.mark.parametrize("name", SMALL)
def test_every_order_of_bodies_and_routers_gives_the_same_history(name: str) -> None:
    make, schedules = SMALL[name], Schedules(1_500)
    result, history = _first_life(make)
    for choose in schedules:
        world = world_of(make)
        assert world.live(INPUTS[:1], lambda c=choose: Policy(Driver(c, only_user_code=True), listens=True)) == result
        assert account(world) == history
    assert schedules.complete


@pytest.mark.parametrize("name", SMALL)
def test_many_orders_of_all_effects_give_the_same_history(name: str) -> None:
    make, schedules = SMALL[name], Schedules(400)
    result, history = _first_life(make)
    for choose in schedules:
        world = world_of(make)
        assert world.live(INPUTS[:1], lambda c=choose: Policy(Driver(c))) == result
        assert account(world) == history


def _first_life(make: Make) -> tuple[Any, list[Any]]:
    world = world_of(make)
    return world.live(INPUTS[:1], straight), account(world)


@pytest.mark.parametrize(
    "first_seed", [*range(0, 600, 100), *range(POLICIES, POLICIES + 300, 100), FUNCTIONS, FUNCTIONS + 100]
)
def test_any_finishing_order_gives_the_same_history(first_seed: int) -> None:
    for seed in seeds(first_seed, 10):
        rng = Random(seed)
        for _ in range(3):
            same(of_seed(seed), lambda rng=rng: Policy(Driver(rng.randrange), listens=rng.random() < 0.5))


@pytest.mark.parametrize(
    "first_seed",
    [*range(1000, 1600, 100), *range(POLICIES + 1000, POLICIES + 1300, 100), FUNCTIONS + 1000, FUNCTIONS + 1100],
)
def test_any_split_into_runs_gives_the_same_history(first_seed: int) -> None:
    for seed in seeds(first_seed, 10):
        rng = Random(seed)

        def policy(rng: Random = rng) -> Policy:
            before = frozenset(rng.sample(BREAKPOINTS, rng.randint(0, 2)))
            after = frozenset(rng.sample(BREAKPOINTS, rng.randint(0, 2)))
            return Policy(
                Driver(rng.randrange), before, after, rng.choice((None, 1, 2)), None, rng.random() < 0.5,
                rng.choice(("sync", "async")),
            )  # fmt: skip

        same(of_seed(seed), policy)


@pytest.mark.parametrize("seed", [*seeds(2000, 12), *seeds(POLICIES + 2000, 8), *seeds(FUNCTIONS + 2000, 8)])
def test_a_crash_after_any_effect_loses_nothing_that_was_finished(seed: int) -> None:
    make = of_seed(seed)
    result, history, effects = expected(make)
    for number in _some(effects, seed):
        world = world_of(make)
        crashing = _CrashAt(number)
        assert world.live(INPUTS, crashing.policy) == result, f"crash after effect {number}"
        assert account(world) == history, f"crash after effect {number}"
        assert world.crashes == 1, f"no crash after effect {number} of {effects}"


@pytest.mark.parametrize("name", SMALL)
def test_a_crash_at_any_effect_in_any_order(name: str) -> None:
    make = SMALL[name]
    result, history, effects = expected(make)
    rng = Random(name)
    for number in range(1, effects + 1):
        for listens in (False, True):
            world = world_of(make)
            assert world.live(INPUTS, _CrashAt(number, rng, listens=listens).policy) == result
            assert account(world) == history


@pytest.mark.parametrize("first_seed", [*range(3000, 3400, 100), POLICIES + 3000, POLICIES + 3100, FUNCTIONS + 3000])
def test_many_crashes_with_any_durability_lead_to_the_same_state(first_seed: int) -> None:
    for seed in seeds(first_seed, 10):
        make, rng = of_seed(seed), Random(seed)
        result, history, _ = expected(make)
        world = world_of(make)

        def policy(rng: Random = rng, world: World = world) -> Policy:
            fatal = rng.randint(1, 40) if world.crashes < 6 else 0
            driver = Driver(rng.randrange, crash=lambda number: number == fatal)
            durability = rng.choice(("sync", "async")) if world.crashes < 6 else "sync"
            return Policy(driver, durability=durability, listens=rng.random() < 0.5)

        assert world.live(INPUTS, policy) == result
        assert account(world)[0] == history[0]


@pytest.mark.parametrize("seed", [*seeds(4000, 8), *seeds(POLICIES + 4000, 8), *seeds(FUNCTIONS + 4000, 8)])
@pytest.mark.parametrize("cancels", [False, True], ids=["siblings go on", "siblings are cancelled"])
def test_a_failure_of_any_effect_can_be_resumed(seed: int, cancels: bool) -> None:
    make = of_seed(seed)
    result, history, effects = expected(make)
    for number in _some(effects, seed):
        world, failing = world_of(make), _FailAt(number, cancels)
        assert world.live(INPUTS, failing.policy) == result, f"effect {number} failed"
        assert account(world) == history, f"effect {number} failed"
        assert failing.failed, f"effect {number} of {effects} was never reached"


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("cancels", [False, True], ids=["siblings go on", "siblings are cancelled"])
def test_every_effect_of_a_small_graph_may_fail(name: str, cancels: bool) -> None:
    make = SMALL[name]
    result, history, effects = expected(make)
    for number in range(1, effects + 1):
        world, failing = world_of(make), _FailAt(number, cancels)
        assert world.live(INPUTS, failing.policy) == result, f"effect {number} failed"
        assert account(world) == history, f"effect {number} failed"
        assert failing.failed, f"effect {number} of {effects} was never reached"


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("fails", [False, True], ids=["crash", "failure"])
def test_memory_loses_nothing_whatever_effect_the_run_ends_at(name: str, fails: bool) -> None:
    """The run is left, the process goes on: all that was handed over counts."""
    make = SMALL[name]
    result, history, effects = expected(make)
    for number in Random(name).sample(range(1, effects + 1), 20):
        world, ending = world_of(make, LastingMemory()), _FailAt(number, False) if fails else _CrashAt(number)
        assert world.live(INPUTS, ending.policy) == result, f"effect {number}"
        assert account(world) == history, f"effect {number}"


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("durability", ["sync", "async"])
def test_a_file_has_what_was_finished_wherever_the_process_dies(name: str, durability: str, tmp_path: Path) -> None:
    make = SMALL[name]
    result, history, effects = expected(make)
    for number in Random(name).sample(range(1, effects + 1), 8):
        folder = tmp_path / str(number)
        folder.mkdir()
        with closing(MortalSqlite(folder)) as saver:
            world = world_of(make, saver)
            assert world.live(INPUTS, _CrashAt(number, durability=durability).policy) == result, f"effect {number}"
            assert account(world)[0] == history[0], f"effect {number}"
            assert world.crashes == 1 or durability == "async", "it never died"


@pytest.mark.parametrize("name", SMALL)
def test_a_run_that_saves_at_its_exit_leaves_all_or_nothing(name: str) -> None:
    make, effects = SMALL[name], _AtExit(SMALL[name], 0).effects
    before, after = _AtExit(make, 1).state, _AtExit(make, 0).state
    assert before != after
    for number in range(1, effects + 1):
        assert _AtExit(make, number).state in (before, after), f"effect {number}"


class _AtExit:
    """A thread after a second run with durability "exit" whose process died after an effect; after none for 0."""

    def __init__(self, make: Make, fatal: int) -> None:
        world, driver = world_of(make), Driver(first, crash=lambda number: number == fatal)
        world.live(INPUTS[:1], straight)
        world.process(Policy(driver, durability="exit"), INPUTS[1])
        self.effects = driver.effects
        state = world.app.get_state(CONFIG)
        self.state = state.values, state.next, [each.value for each in state.interrupts], account(world)


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("saver", [ModelCheckpointer, LastingMemory])
def test_a_death_inside_a_called_graph_runs_that_body_again_alone(number: int, saver: Callable[[], Any]) -> None:
    """The run of a graph that node code calls is no effect of the driver's: here a body of it dies itself."""
    runs: Counter[str] = Counter()
    died: list[str] = []

    def running(name: str) -> None:
        runs[name] += 1
        if runs.total() == number and not died:
            died.append(name)
            raise Crash(f"in {name}")

    world = world_of(lambda saver: calling(running, saver), saver())
    result = world.live(INPUTS[:1], straight)
    assert result["log"] == ["in", "beside", "into", "x", "y", "z", "end"]
    assert runs == Counter({"beside": 1, "x": 1, "y": 1, "z": 1, "end": 1}) + Counter(died)
    assert world.crashes == 1


def test_a_limit_that_is_passed_at_any_effect_changes_nothing() -> None:
    """Attempts are made again; a superstep that took too long ends the run, and the next process goes on."""
    expired = 0
    for seed in seeds(POLICIES + 9000, 10):
        make = of_seed(seed)
        result, history, effects = expected(make)
        for number in _some(effects, seed)[::2]:
            world, passing = world_of(make), _ExpireAt(number)
            assert world.live(INPUTS, passing.policy) == result, f"seed {seed}, effect {number}"
            assert account(world) == history, f"seed {seed}, effect {number}"
            expired += sum(driver.expired for driver in passing.drivers)
    assert expired > 30


def test_draining_and_cancelling_at_any_effect_loses_nothing() -> None:
    stops: Counter[str] = Counter()
    for seed in [*seeds(10_000, 12), *seeds(POLICIES + 10_000, 12), *seeds(FUNCTIONS + 10_000, 4)]:
        rng = Random(seed)

        def policy(rng: Random = rng) -> Policy:
            drains, cancels = rng.choice(((0, 0), (rng.randint(1, 15), 0), (0, rng.randint(1, 15))))
            durability = rng.choice(("sync", "async"))
            return Policy(Driver(rng.randrange), drains=drains, cancels=cancels, durability=durability)

        stops += same(of_seed(seed), policy).stops
    assert stops["GraphDrained"] > 10
    assert stops["Cancelled"] > 10


@pytest.mark.parametrize("first_seed", [11_000, POLICIES + 11_000, POLICIES + 11_100])
def test_errors_and_questions_may_be_decided_live_or_left(first_seed: int) -> None:
    """At `error` the handler is chosen, at `interrupt` the answer is given, or either is left to another process."""
    asked: set[str] = set()
    for seed in seeds(first_seed, 10):
        make, rng = of_seed(seed), Random(seed)
        result, _, _ = expected(make)
        gate = _Answering(rng)

        def policy(rng: Random = rng, gate: Any = gate) -> Policy:
            return Policy(Driver(rng.randrange, crash=lambda number: rng.random() < 0.01), gate=gate)

        assert world_of(make).live(INPUTS, policy) == result
        asked |= gate.asked
    assert asked >= ({"interrupt"} if first_seed < POLICIES else {"interrupt", "error"})


def test_every_kind_of_effect_is_met_in_these_lives() -> None:
    """None of the effects that a driver may be asked for is left out of these lives."""
    met: Counter[str] = Counter()

    def noted(number: int, effect: Any) -> None:
        met[type(effect).__name__] += 1

    for name, make in SMALL.items():
        gate = _Gate(Random(name), suspend=0.0)
        for chosen in (None, gate):
            world_of(make).live(INPUTS, lambda gate=chosen: Policy(Driver(first, fail=noted), gate=gate))
    for seed in seeds(POLICIES, 10):
        world_of(of_seed(seed)).live(INPUTS, lambda: Policy(Driver(first, fail=noted)))
    groups = {"Together", "Within", "Bodies"}  # of which each part is an effect, and each limit is passed
    assert met.keys() | groups == {kind.__name__ for kind in get_args(Effect)}


class _FullDisk(MemoryCheckpointer):
    """Stores the input and nothing else."""

    flushes = 0

    def flush(self) -> None:
        self.flushes += 1
        if self.flushes > 1:
            raise InjectedError


def test_what_a_flush_failed_to_store_is_not_taken_for_durable() -> None:
    world = world_of(SMALL["fan and join"], _FullDisk())
    assert world.process(Policy(Driver(first)), INPUTS[0]) is None
    assert world._handed
    assert not world._safe()


@pytest.mark.parametrize("name", SMALL)
def test_a_question_that_cannot_be_asked_can_be_asked_later(name: str) -> None:
    make, gate = SMALL[name], _Gate(Random(name), suspend=0.0)
    result, history, _ = expected(make)
    for number in (1, 2, 3, 5, 8):
        world, failing = world_of(make), _FailAt(number, False, Ask, gate)
        assert world.live(INPUTS, failing.policy) == result, f"question {number}"
        assert account(world) == history, f"question {number}"
        assert failing.failed or number > 1


@pytest.mark.parametrize("first_seed", range(5000, 5400, 100))
def test_gates_that_approve_change_nothing(first_seed: int) -> None:
    for seed in seeds(first_seed, 10):
        rng = Random(seed)
        gate = _Gate(rng, suspend=0.0)
        same(of_seed(seed), lambda rng=rng, gate=gate: Policy(Driver(rng.randrange), gate=gate))
        assert gate.asked > 0


@pytest.mark.parametrize("first_seed", [*range(6000, 6400, 100), POLICIES + 6000])
def test_suspending_anywhere_and_going_on_runs_no_finished_body_again(first_seed: int) -> None:
    processes = 0
    for seed in seeds(first_seed, 10):
        rng = Random(seed)
        gate = _Gate(rng, suspend=0.4)
        world = same(of_seed(seed), lambda rng=rng, gate=gate: Policy(Driver(rng.randrange), gate=gate))
        processes += world.processes
    assert processes > 4 * len(INPUTS) * 10


@pytest.mark.parametrize("first_seed", range(8000, 8400, 100))
def test_decisions_outlive_suspends_and_crashes(first_seed: int) -> None:
    lives = 0
    for seed in seeds(first_seed, 12):
        make, rng = of_seed(seed), Random(seed)
        once = world_of(make)
        try:
            result = once.live(INPUTS, lambda rng=rng, seed=seed: Policy(Driver(first), gate=_Decider(seed)))
        except GraphRecursionError:
            continue  # decided into a circle
        for _ in range(3):
            world = world_of(make)

            def policy(rng: Random = rng, world: World = world, seed: int = seed) -> Policy:
                fatal = rng.randint(1, 60) if world.crashes < 3 else 0
                driver = Driver(rng.randrange, crash=lambda number: number == fatal)
                return Policy(driver, gate=_Decider(seed, rng if world.processes < 30 else None))

            assert world.live(INPUTS, policy) == result
            assert account(world)[0] == account(once)[0]
            lives += world.processes
    assert lives > 100


@pytest.mark.parametrize("first_seed", range(7000, 7300, 100))
def test_the_real_memory_checkpointer_keeps_the_same_history(first_seed: int) -> None:
    for seed in seeds(first_seed, 10):
        rng = Random(seed)
        same(of_seed(seed), lambda rng=rng: Policy(Driver(rng.randrange), answers=1), MemoryCheckpointer())


class _Forgetful(ModelCheckpointer):
    def load(self, thread: str, ns: str, checkpoint_id: str | None = None) -> Any:
        stored = super().load(thread, ns, checkpoint_id)
        return stored if stored is None else replace(stored, records=())


def test_the_laws_notice_a_checkpointer_that_forgets_outcomes() -> None:
    world = world_of(SMALL["fan and join"], _Forgetful())
    with pytest.raises(AssertionError, match="runs again though it had finished"):
        world.live(INPUTS, _CrashAt(12).policy)


def test_the_laws_notice_a_checkpointer_that_forgets_handled_failures() -> None:
    """Wherever the process dies between the record of the failure and the end of the superstep."""
    noticed = 0
    for number in range(1, 40):
        world = world_of(SMALL["failing and cached"], _Forgetful())
        try:
            world.live(INPUTS[:1], _CrashAt(number).policy)
        except AssertionError as error:
            noticed += "broken" in str(error) and "runs again though it had finished" in str(error)
    assert noticed


class _Decider:
    """Decides by what is asked, so that two lives are decided alike; with `rng` it suspends first now and then."""

    def __init__(self, seed: int, rng: Random | None = None) -> None:
        self.seed = seed
        self.rng = rng

    def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
        return place not in ("interrupt", "error", "plan", "committed")

    def __call__(self, pause: Pause) -> Decision:
        if self.rng is not None and self.rng.random() < 0.15:
            return Decision("suspend")
        depth = len(pause.ns)
        rng = Random(f"{self.seed} {pause.place} {pause.node} {pause.index} {pause.step} {depth}")
        other: list[str] = rng.sample(["n0", "n1", "n2"], rng.randint(0, 2))
        choices = {
            "before": [Decision("respond", {"log": ["answered"]}), Decision("skip"), Decision("redirect", other)],
            "after": [Decision("edit", {"log": ["edited"], "count": 2}), Decision("skip"), Decision("redirect", other)],
            "edge": [Decision("redirect", other), Decision("skip")],
            "step": [Decision("edit", {"count": pause.step}), Decision("redirect", other)],
        }[pause.place]
        return rng.choice(choices) if rng.random() < 0.35 else Decision("approve")


def _some(effects: int, seed: int) -> list[int]:
    """All effect numbers of a short life, forty of a long one."""
    numbers = range(1, effects + 1)
    return list(numbers) if effects <= 40 else sorted(Random(seed).sample(numbers, 40))


class _CrashAt:
    """Policies whose processes die once, after the given effect counted over all of them."""

    def __init__(
        self, number: int, rng: Random | None = None, *, listens: bool = False, durability: str = "sync"
    ) -> None:
        self.left = number
        self.rng = rng
        self.listens = listens
        self.durability = durability

    def policy(self) -> Policy:
        choose = first if self.rng is None else self.rng.randrange
        return Policy(Driver(choose, crash=self._fatal), listens=self.listens, durability=self.durability)

    def _fatal(self, number: int) -> bool:
        self.left -= 1
        return self.left == 0


class _FailAt:
    """Policies in which one effect, of one kind if that is given, fails instead of being performed.

    It is counted over all processes.
    """

    def __init__(self, number: int, cancels: bool, kind: type[Any] = object, gate: Any = None) -> None:
        self.left = number
        self.cancels = cancels
        self.kind = kind
        self.gate = gate
        self.failed = False

    def policy(self) -> Policy:
        return Policy(Driver(first, fail=self._error, cancels=self.cancels), gate=self.gate)

    def _error(self, number: int, effect: Any) -> BaseException | None:
        self.left -= isinstance(effect, self.kind)
        if self.left != 0 or self.failed:
            return None
        self.failed = True
        return InjectedError(f"effect {number}")


class _ExpireAt:
    """Policies in which the limit around one effect, counted over all processes, is passed after it."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.drivers: list[Driver] = []

    def policy(self) -> Policy:
        self.drivers.append(Driver(first, expire=self._late))
        return Policy(self.drivers[-1])

    def _late(self, number: int) -> bool:
        self.left -= 1
        return self.left == 0


class _Answering:
    """Sends failed tasks to their handlers and answers questions, or leaves them now and then."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.patience = 25
        self.asked: set[str] = set()

    def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
        return place in ("error", "interrupt")

    def __call__(self, pause: Pause) -> Decision:
        self.asked.add(pause.place)
        if self.patience and self.rng.random() < 0.3:
            self.patience -= 1
            return Decision("suspend")
        if pause.interrupt is not None:
            return Decision("respond", f"<{pause.interrupt.value}>")
        return Decision("reject", then="route")


class _Gate:
    """Asks everywhere; approves, or suspends with a probability that ends with its patience."""

    def __init__(self, rng: Random, *, suspend: float) -> None:
        self.rng = rng
        self.suspend = suspend
        self.patience = 25
        self.asked = 0

        places = ("plan", "before", "after", "edge", "step", "committed")
        self.places = set(rng.sample(places, rng.randint(2, 6)))

    def wants(self, place: str, node: str | None, ns: tuple[str, ...]) -> bool:
        return place in self.places

    def __call__(self, pause: Pause) -> Decision:
        self.asked += 1
        if self.patience and self.rng.random() < self.suspend:
            self.patience -= 1
            return Decision("suspend")
        return Decision("approve")
