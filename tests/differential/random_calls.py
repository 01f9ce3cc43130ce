"""Call scripts made from a seed: a random graph, and random public calls on one thread of it, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.differential.lab import Lab
from tests.differential.plain import snapshot
from tests.differential.random_programs import GraphSpec, NodeSpec, add_policies, build, graph_spec

LIMIT = {"recursion_limit": 25}
SHOWN = ["values", "updates", "custom", "debug", "tasks", "checkpoints"]
CALLS = (
    "input", "input", "none", "none", "none", "resume", "resume", "resume", "answers", "answers", "answer and more",
    "goto", "send", "command", "breakpoints", "exit", "short", "result", "one key", "chunks", "chunks",
    "edit", "edit", "edit", "edit as the last", "edit as the last", "edit as input", "edit with a command",
    "bulk", "bulk", "clear", "copy", "copy with edits", "edit inside",
    "travel", "travel", "travel", "input in the past", "command in the past", "answer in the past",
    "edit in the past", "edit in the past", "state of the past", "history", "whole state", "state inside",
    "other thread", "delete",
)  # fmt: skip
"""What a script may do next: methods of Script, the likelier the more often they are listed."""
LASTING = (
    "input", "answers", "result", "travel", "input in the past", "state of the past", "history", "whole state",
    "edit inside", "state inside", "delete",
)  # fmt: skip
"""What it may do if a graph inside has a history of its own: see DEVIATIONS["lasting subgraph skipped"]."""


def line_spec(rng: Random) -> GraphSpec:
    """A graph in which one task runs at a time, so that nodes may fail: nothing else is going on then."""
    spec = GraphSpec()
    names = [f"n{i}" for i in range(rng.randint(3, 6))]
    rng.shuffle(names)
    for name in names:
        does = rng.choice(("log", "log", "count", "tags", "none", "plain", "fail", "fail", "ask", "ask twice"))
        spec.nodes.append(NodeSpec(name, does, times=rng.randint(1, 2)))
    spec.edges = list(zip(["START", *names], names, strict=False))
    if rng.random() < 0.3:
        spec.before = (rng.choice(names),)
    if rng.random() < 0.3:
        spec.after = (rng.choice(names),)
    return spec


def random_spec(rng: Random) -> GraphSpec:
    """A graph of random_programs, whose graphs inside have any kind of checkpointer that can be compared."""
    spec = graph_spec(rng, depth=rng.choice((0, 0, 1)), asks=rng.random() < 0.6, fails=False, plain=False)
    outcomes = [each for router in spec.routers for outcome in router.outcomes for each in outcome]
    kinds: list[bool | None] = [None, None]
    if all(isinstance(each, str) for each in outcomes):
        kinds.append(True)  # else parallel calls of a graph with a history of its own come in any order
    if not spec.joins:
        kinds.append(False)  # else durability "sync" is needed (see Lab), and LangGraph's fails without a checkpointer
    for node in spec.nodes:
        if node.child is not None:
            node.saver = rng.choice(kinds)
            if node.saver:
                spec.before = spec.after = ()
    return spec


class Script:
    """One seed's script on one engine: the seed and what the thread shows choose the calls; each is written down."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self.lab = lab
        self.rng = rng = Random(seed)
        self.in_line = rng.random() < 0.2
        self.spec = line_spec(rng) if self.in_line else random_spec(rng)
        self.names = [node.name for node in self.spec.nodes]
        children = [node for node in self.spec.nodes if node.child is not None]
        self.nested = bool(children)
        self.calls = LASTING if any(node.saver for node in children) else CALLS
        self.durable = {"durability": "async"} if any(node.saver is False for node in children) else {}
        asking = [node.does for node in self.spec.nodes if "ask" in node.does]
        self.by_id = self.nested or len(asking) > 1 or "ask twice" in asking
        """Which of two questions gets a value depends on threads; see also DEVIATIONS["answer used twice"]."""
        self.commanded: set[str] = set()
        """Checkpoints that keep what a Command did: see DEVIATIONS["updates of a Command"], ["goto from input"]."""
        self.results_only = False
        """Whether history may show other tasks: see there, and DEVIATIONS["results at exit"]."""
        self.over = False
        self.given = 0
        breakpoints = {"interrupt_before": self.spec.before, "interrupt_after": self.spec.after}
        lab.racy = ("GraphRecursionError",) if self.nested else ()
        if not self.in_line and Random(seed + 30_000).random() < 0.4:
            inside = [node.does for child in children if child.child for node in child.child.nodes]
            handles = not any("ask" in does for does in (*asking, *inside))  # see DEVIATIONS["handler again"]
            add_policies(Random(seed + 20_000), self.spec, handles=handles, waits=False)
        stops = {key: list(value) for key, value in breakpoints.items() if value}
        self.deltas = Random(seed + 40_000).random() < 0.2
        schemas = {"schema": lab.delta_state(3), "inner": lab.delta_state(3, inner=True)} if self.deltas else {}
        lab.compile(build(lab, self.spec, **schemas), cache=lab.InMemoryCache(), **stops)

    def play(self) -> None:
        self.input()
        for _ in range(self.rng.randint(4, 9)):
            if self.over:
                break
            call = self.rng.choice(self.calls)
            self.lab.note("call", call)
            getattr(self, call.replace(" ", "_"))()
        self.close()

    # What to give

    def values(self) -> Any:
        self.given += 1
        return self.rng.choice(({"log": [f"w{self.given}"]}, {"log": [f"w{self.given}"]}, {"count": 2}, None))

    def node(self) -> str:
        return self.rng.choice(self.names)

    def past(self) -> dict[str, Any] | None:
        """A random checkpoint of the thread."""
        shown = self.lab.states()
        return dict(self.rng.choice(shown).config) if shown else None

    def run(self, input: Any, config: Any = None, **options: Any) -> None:
        """Run, and find out whether the script can go on."""
        self.lab.run(input, {**LIMIT, **(config or {})}, **{**self.durable, **options})
        error = type(self.lab.error).__name__
        if error == "InvalidUpdateError" or (error in self.lab.racy):
            self.over = True

    def result_of(self, input: Any, config: Any = None, **options: Any) -> Any:
        """Run for the result alone."""
        found = self.lab.invoke(input, {**LIMIT, **(config or {})}, **{**self.durable, **options})
        self.over = type(self.lab.error).__name__ in ("InvalidUpdateError", *self.lab.racy)
        return found

    # Calls

    def input(self) -> None:
        self.run({"log": [f"in{self.given}"], "count": self.rng.randint(0, 3)})

    def none(self) -> None:
        self.run(None)

    def resume(self) -> None:
        if self.by_id:  # see DEVIATIONS["answer used twice"]
            self.answers()
        else:
            self.run(self.lab.Command(resume=f"[{self.given}]"))

    def answer_and_more(self) -> None:
        """An answer and an update in one Command."""
        pending = sorted(self.lab.pending, key=lambda each: repr(each.value))
        if pending:
            self.results_only = True
            self.commanded.add(self.base())
            answers = {each.id: f"<{each.value}>" for each in pending}
            self.run(self.lab.Command(resume=answers, update={"log": ["beside"]}))

    def edit_with_a_command(self) -> None:
        if self.editable():
            goto = self.rng.choice(([], [self.node()], [self.node(), self.node()]))
            self.lab.update(self.lab.Command(update=self.values() or {}, goto=goto), self.node())

    def send(self) -> None:
        """A Send as the caller's goto: see DEVIATIONS["Sends from input"] and DEVIATIONS["deferred beside Sends"]."""
        if any(node.defer for node in self.spec.nodes) or self.lab._call("get_state", self.lab.config).next:
            return
        self.goto(lambda name: self.lab.Send(name, {"log": [], "count": 7}))

    def chunks(self) -> None:
        """Every chunk in its order, where one task runs at a time."""
        if self.in_line:
            modes = self.rng.sample(SHOWN, self.rng.randint(1, 3))
            mode: Any = modes[0] if len(modes) == 1 else modes
            version = self.rng.choice(("v1", "v2"))
            self.lab.chunks(self.rng.choice((None, {"log": ["chunks"]})), LIMIT, stream_mode=mode, version=version)
            self.lab.state()

    def one_key(self) -> None:
        """A result of one key, or of two."""
        keys: Any = self.rng.choice(("log", ["log"], ["count", "tags"], "x"))
        self.result_of(self.rng.choice((None, {"log": ["key"]})), output_keys=keys)
        self.lab.state()

    def other_thread(self) -> None:
        self.lab.thread = "u" if self.lab.thread == "t" else "t"
        self.lab.error = None
        self.lab.state()

    def answers(self) -> None:
        pending = sorted(self.lab.pending, key=lambda each: repr(each.value))
        if not pending:
            self.run(self.lab.Command(resume={"0" * 32: "nobody"}))
            return
        distinct = len({repr(each.value) for each in pending}) == len(pending)
        count = self.rng.randint(1, len(pending)) if distinct else len(pending)
        self.run(self.lab.Command(resume={each.id: f"<{each.value}>" for each in pending[:count]}))

    def goto(self, target: Callable[[str], Any] = str) -> None:
        self.results_only = True
        names = [node.name for node in self.spec.nodes if not node.defer]  # see DEVIATIONS["goto a deferred node"]
        if not names or self.spec.before:
            return
        self.commanded.add(self.base())
        result = self.result_of(self.lab.Command(goto=target(self.rng.choice(names))))
        if self.lab.error is not None or "__interrupt__" in (result or ()):
            self.over = True  # see DEVIATIONS["goto from input"]
            return
        self.lab.state()

    def command(self, place: Any = None) -> None:
        if self.deltas and not self.base(place):
            return  # see DEVIATIONS["Command begins a thread"]
        self.results_only = True
        self.commanded.add(self.base(place))
        self.run(self.lab.Command(update={"log": ["commanded"], "count": 1}), place)

    def base(self, place: Any = None) -> str:
        """The id of the checkpoint that a call begins at."""
        shown = self.lab._call("get_state", place or self.lab.config)
        return shown.config["configurable"].get("checkpoint_id", "")

    def editable(self, place: Any = None) -> bool:
        return self.base(place) not in self.commanded

    def edit(self) -> None:
        if self.editable():
            self.lab.update(self.values(), self.node())

    def edit_as_the_last(self) -> None:
        if self.editable():
            self.lab.update(self.values())

    def clear(self) -> None:
        if self.editable():
            self.lab.update(None, self.lab.END)

    def copy(self) -> None:
        if self.editable():
            self.lab.update(None, "__copy__")

    def copy_with_edits(self) -> None:
        if self.editable():
            self.lab.update([(self.values(), self.node()) for _ in range(self.rng.randint(1, 2))], "__copy__")

    def edit_as_input(self) -> None:
        if self.editable():
            self.lab.update(self.values(), "__input__")

    def bulk(self) -> None:
        if self.editable():
            steps = range(self.rng.randint(1, 2))
            self.lab.bulk([[(self.values(), self.node()) for _ in range(self.rng.randint(1, 2))] for _ in steps])

    def travel(self) -> None:
        place = self.past()
        if place is None or self.base() not in self.commanded or self.base(place) != self.base():
            self.run(None, place)  # else see DEVIATIONS["run again in place"]

    def input_in_the_past(self) -> None:
        self.run({"log": ["past"]}, self.past())

    def command_in_the_past(self) -> None:
        self.command(self.past())

    def answer_in_the_past(self) -> None:
        """See DEVIATIONS["answer at an answered question"]: only where nothing was asked."""
        found = [each for each in self.lab.states() if not each.interrupts]
        if found:
            self.results_only = True
            self.result_of(self.lab.Command(resume="late"), self.rng.choice(found).config)
            self.lab.state()

    def edit_in_the_past(self) -> None:
        place = self.past()
        if place and self.editable(place):
            made = self.lab.update(self.values(), self.rng.choice([self.node(), self.node(), None]), place)
            if made and self.rng.random() < 0.3:
                self.run(None, made)

    def state_of_the_past(self) -> None:
        place = self.past()
        if place and not self.results_only:
            self.lab.state(place, subgraphs=self.rng.random() < 0.5)

    def history(self) -> None:
        options: list[dict[str, Any]] = [{"limit": 2}, {"limit": 0}]
        options += [{"filter": {"source": "update"}}, {"filter": {"step": 1}}]
        place = self.past()
        if place:
            options += [{"before": place}, {"before": place, "limit": 1}]
        found = self.lab.states(**self.rng.choice(options))
        self.lab.note("listed", [[each.metadata["source"], each.metadata["step"]] for each in found])

    def whole_state(self) -> None:
        self.lab.state(subgraphs=True)

    def inside(self) -> dict[str, Any] | None:
        shown = self.lab._call("get_state", self.lab.config)
        found = [task.state for task in shown.tasks if task.state]
        return self.rng.choice(found) if found else None

    def edit_inside(self) -> None:
        place = None if not self.editable() or type(self.lab.error).__name__ in self.lab.racy else self.inside()
        if place:
            self.lab.update({"log": ["inside"]}, self.rng.choice((None, "n0", "n1")), place)

    def state_inside(self) -> None:
        place = self.inside()
        if place:
            self.lab.note("inside", snapshot(self.lab._call("get_state", place), self.lab.labels))

    def breakpoints(self) -> None:
        where = self.rng.choice(("interrupt_before", "interrupt_after"))
        nodes = self.rng.choice(([self.node()], [self.node(), self.node()], "*"))
        self.run(self.rng.choice((None, None, {"log": ["stop"]})), **{where: nodes})

    def exit(self) -> None:
        self.results_only = True
        self.run(self.rng.choice((None, {"log": ["exit"]})), durability="exit")

    def result(self) -> None:
        self.result_of(self.rng.choice((None, {"log": ["result"]})))
        self.lab.state()

    def short(self) -> None:
        if not self.nested:
            self.run(self.rng.choice((None, {"log": ["short"]})), {"recursion_limit": self.rng.randint(1, 3)})

    def delete(self) -> None:
        saver = self.lab.checkpointer
        if hasattr(saver, "conn") and self.lab.calls != "sync":  # its loop does not run now
            self.lab.wait(saver.adelete_thread(self.lab.thread))
        else:
            (getattr(saver, "delete_thread", None) or saver.delete)(self.lab.thread)
        self.lab.error = None
        self.lab.state()

    def close(self) -> None:
        lab = self.lab
        if self.over:
            return
        found = [snapshot(shown, lab.labels) for shown in reversed(lab.states())]
        if self.results_only:
            found = [{key: each[key] for key in ("values", "metadata", "config", "parent")} for each in found]
        lab.record.append(("history", found))


def play(lab: Lab, seed: int) -> None:
    """The whole script of a seed."""
    Script(lab, seed).play()
