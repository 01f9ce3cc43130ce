"""Programs that stop and go on: interrupts, breakpoints, edits of the state, time travel, failures."""

import functools
import operator
import warnings
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel
from typing_extensions import TypedDict

from tests.differential.lab import Lab
from tests.differential.registry import program


class Log(TypedDict):
    log: Annotated[list, operator.add]
    count: int


class Refund(TypedDict):
    amount: int
    approved: bool
    log: Annotated[list[str], operator.add]


def steps(lab: Lab, *names: str, schema: Any = Log) -> Any:
    """A graph whose nodes, one after the other, log their names."""
    g = lab.graph(schema)
    previous = lab.START
    for name in names:
        g.add_node(name, lambda s, name=name: {"log": [name]})
        g.add_edge(previous, name)
        previous = name
    return g


@program(needs_saver=True)
def approve_a_refund(lab: Lab) -> None:
    """One question, answered; then the same thread again with another answer."""

    def approve(s: Refund) -> dict[str, Any]:
        answer = lab.interrupt({"question": "refund?", "amount": s["amount"]})
        return {"approved": answer, "log": [f"answer {answer}"]}

    g = lab.graph(Refund)
    g.add_node("check", lambda s: {"log": ["check"]})
    g.add_node("approve", approve)
    g.add_node("pay", lambda s: {"log": ["pay"]})
    g.add_edge(lab.START, "check")
    g.add_edge("check", "approve")
    g.add_conditional_edges("approve", lambda s: "pay" if s["approved"] else lab.END, ["pay", lab.END])
    lab.compile(g)
    lab.run({"amount": 5})
    lab.resume(True)
    lab.run({"amount": 6})
    lab.run(None)
    lab.resume(False)
    lab.invoke({"amount": 7})
    lab.invoke(lab.Command(resume="yes"))


@program(needs_saver=True)
def several_questions_in_one_node(lab: Lab) -> None:
    """A node that asks three times; its code before each question runs again."""
    runs: list[int] = []

    def form(s: Log) -> dict[str, Any]:
        runs.append(1)
        answers = [lab.interrupt(f"q{i}") for i in range(3)]
        return {"log": answers}

    g = lab.graph(Log)
    g.add_node("form", form)
    g.add_edge(lab.START, "form")
    lab.compile(g)
    lab.run({"log": []})
    for answer in ("a", False, {"c": 1}):
        lab.resume(answer)
    lab.note("runs", len(runs))


@program(needs_saver=True)
def several_questions_in_one_step(lab: Lab) -> None:
    """Parallel nodes ask; a finished sibling does not run again; answers by id, some first, the rest later."""
    runs: list[str] = []

    def asker(name: str) -> Any:
        def ask(s: Log) -> dict[str, Any]:
            runs.append(name)
            return {"log": [f"{name}:{lab.interrupt(name)}"]}

        return ask

    g = lab.graph(Log)
    for name in ("a", "b", "c"):
        g.add_node(name, asker(name))
        g.add_edge(lab.START, name)
    g.add_node("quiet", lambda s: runs.append("quiet") or {"log": ["quiet"]})
    g.add_edge(lab.START, "quiet")
    g.add_node("end", lambda s: {"log": ["end"]})
    g.add_edge(["a", "b", "c", "quiet"], "end")
    lab.compile(g)
    lab.run({"log": []})
    lab.resume("which one?")
    lab.answer(lambda value: value * 2, 2)
    lab.answer(lambda value: value * 3)
    lab.note("runs", sorted(runs))


@program(needs_saver=True)
def questions_from_sends(lab: Lab) -> None:
    """Every Send asks its own question."""

    def ask(s: dict) -> dict[str, Any]:
        return {"log": [(s["n"], lab.interrupt(f"n={s['n']}"))]}

    g = lab.graph(Log)
    g.add_node("ask", ask)
    g.add_conditional_edges(lab.START, lambda s: [lab.Send("ask", {"n": n}) for n in range(3)], ["ask"])
    lab.compile(g)
    lab.run({"log": []})
    lab.answer(lambda value: f"<{value}>", 1)
    lab.answer(lambda value: f"[{value}]")


@program(needs_saver=True)
def new_input_while_asked(lab: Lab) -> None:
    """New input on an interrupted thread drops the pending question."""

    def ask(s: Log) -> dict[str, Any]:
        return {"log": [lab.interrupt(len(s["log"]))]}

    g = lab.graph(Log)
    g.add_node("ask", ask)
    g.add_node("after", lambda s: {"log": ["after"]})
    g.add_edge(lab.START, "ask")
    g.add_edge("ask", "after")
    lab.compile(g)
    lab.run({"log": ["one"]})
    lab.run({"log": ["two"]})
    lab.resume("answer")


@program(needs_saver=True)
def resume_with_update_and_goto(lab: Lab) -> None:
    """A Command that answers, updates and goes somewhere at once."""

    def ask(s: Log) -> dict[str, Any]:
        return {"log": [("answer", lab.interrupt("?"), s.get("count"))]}

    g = lab.graph(Log)
    g.add_node("ask", ask)
    g.add_node("extra", lambda s: {"log": ["extra"]})
    g.add_edge(lab.START, "ask")
    lab.without_history = "goto from input"
    lab.compile(g)
    lab.run({"log": []})
    lab.run(lab.Command(resume="yes", update={"count": 4}, goto="extra"))


@program(needs_saver=True)
def breakpoints_before_and_after(lab: Lab) -> None:
    """Static breakpoints at single nodes, resumed with None until the end."""
    g = steps(lab, "a", "b", "c", "d")
    lab.compile(g, interrupt_before=["b"], interrupt_after=["c"])
    lab.run({"log": []})
    lab.run(None)
    lab.run(None)
    lab.run(None)
    lab.run({"log": ["again"]})
    lab.invoke(None)


@program(needs_saver=True)
def breakpoints_everywhere(lab: Lab) -> None:
    """interrupt_before="*" given per call, then interrupt_after="*"."""
    g = steps(lab, "a", "b", "c")
    lab.compile(g)
    lab.run({"log": []}, interrupt_before="*")
    for _ in range(3):
        lab.run(None, interrupt_before="*")
    lab.run({"log": ["again"]}, interrupt_after="*")
    for _ in range(3):
        lab.run(None, interrupt_after="*")


@program(needs_saver=True)
def breakpoint_in_a_loop(lab: Lab) -> None:
    """A breakpoint that is met once a round."""
    g = lab.graph(Log)
    g.add_node("work", lambda s: {"count": s["count"] + 1})
    g.add_node("check", lambda s: {"log": [s["count"]]})
    g.add_edge(lab.START, "work")
    g.add_edge("work", "check")
    g.add_conditional_edges("check", lambda s: "work" if s["count"] < 3 else lab.END)
    lab.compile(g, interrupt_before=["check"])
    lab.run({"count": 0})
    for _ in range(4):
        lab.run(None)


@program(needs_saver=True)
def breakpoint_on_parallel_nodes(lab: Lab) -> None:
    """One of two parallel nodes has a breakpoint: the whole superstep waits."""
    g = lab.graph(Log)
    for name in ("split", "left", "right", "join"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_edge(lab.START, "split")
    g.add_edge("split", "left")
    g.add_edge("split", "right")
    g.add_edge(["left", "right"], "join")
    lab.compile(g, interrupt_before=["right"], interrupt_after=["left"])
    lab.run({"log": []})
    lab.run(None)
    lab.run(None)


@program(needs_saver=True)
def edit_the_state_at_a_breakpoint(lab: Lab) -> None:
    """update_state: as the last node, as a given node, with reducers, and on an empty thread."""
    g = steps(lab, "a", "b", "c")
    lab.compile(g, interrupt_before=["b", "c"])
    lab.run({"log": [], "count": 1})
    lab.update({"count": 2, "log": ["by hand"]})
    lab.run(None)
    lab.update({"log": ["as b"]}, as_node="b")
    lab.run(None)
    lab.run(None)
    lab.thread = "empty"
    lab.update({"count": 5})
    lab.run(None)
    lab.history()


@program(needs_saver=True)
def edits_do_not_count_as_runs(lab: Lab) -> None:
    """Without as_node an edit comes from the last node that ran, whatever edits, copies and clearings came after it."""
    lab.compile(steps(lab, "a", "b", "c"), interrupt_before=["c"])
    lab.run({"log": [], "count": 1})
    lab.update({"log": ["as a"]}, "a")
    lab.update({"log": ["as b"]})
    lab.run(None)
    lab.update({"log": ["as b"]})
    lab.update(None, lab.END)
    lab.update({"log": ["as c, which was dropped"]})
    lab.update([({"log": ["as a"]}, "a")], "__copy__")
    lab.update({"log": ["as c"]})
    lab.bulk([[({"log": ["as a"]}, "a")], [({"log": ["as c"]}, None)]])
    lab.run({"log": ["in"]})
    lab.update({"log": ["as b"]})
    lab.run({"log": ["instead"]})
    lab.update({"log": ["in"]}, "__input__")
    lab.update({"log": ["as b"]})
    lab.thread = "empty"
    lab.update({"log": ["as a"]}, "a")
    lab.update({"log": ["as the input"]})
    lab.run(None)


@program(needs_saver=True)
def edits_after_sends_and_gotos(lab: Lab) -> None:
    """The last node that ran is one to which edges led, not a Send; a Command's goto counts before what waited."""
    lab.without_history = "goto from input"
    g = steps(lab, "a", "b")
    g.add_node("work", lambda s: {"log": [("work", s["count"])]})
    g.add_conditional_edges("b", lambda s: [lab.Send("work", {"count": n}) for n in range(2)], ["work"])
    lab.compile(g, interrupt_before=["b"])
    lab.run({"log": [], "count": 1})
    lab.run(None)
    lab.update({"log": ["as b"]})
    lab.run(None)
    lab.run({"log": ["again"]})
    lab.invoke(lab.Command(goto="a"))
    lab.update({"log": ["as a"]})


@program(needs_saver=True)
def edits_with_routes(lab: Lab) -> None:
    """update_state runs the node's routers; END clears; ambiguous and unknown nodes are refused."""
    g = lab.graph(Log)
    for name in ("a", "high", "low", "x", "y"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_edge(lab.START, "a")
    g.add_conditional_edges("a", lambda s: "high" if s["count"] > 5 else "low", ["high", "low"])
    g.add_edge("low", "x")
    g.add_edge("low", "y")
    lab.compile(g, interrupt_before=["high", "low"])
    lab.run({"count": 1})
    lab.update({"count": 9}, as_node="a")
    lab.run(None)
    lab.thread = "two"
    lab.run({"count": 1})
    lab.run(None)
    lab.update({"count": 3})
    lab.update({"count": 3}, as_node="nobody")
    lab.update(None, as_node="__end__")
    lab.run({"count": 8})
    lab.update(None, as_node="__end__")
    lab.run(None)
    lab.history()


@program(needs_saver=True)
def time_travel(lab: Lab) -> None:
    """Replay from an older checkpoint, fork with an edit, and go on from the fork."""
    ran: list[str] = []

    def node(name: str) -> Any:
        def run(s: Log) -> dict[str, Any]:
            ran.append(name)
            return {"log": [f"{name}{s.get('count', 0)}"]}

        return run

    g = lab.graph(Log)
    for name in ("a", "b", "c"):
        g.add_node(name, node(name))
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_edge("b", "c")
    lab.compile(g)
    lab.run({"log": [], "count": 1})
    lab.run(None, lab.at(1))
    forked = lab.update({"count": 7}, config=lab.at(1, "loop"))
    lab.run(None, forked)
    lab.state(lab.at(2))
    lab.run({"log": ["new"]})
    lab.note("ran", ran)


@program(needs_saver=True)
def time_travel_to_a_question(lab: Lab) -> None:
    """Replaying the checkpoint of an answered question asks again."""

    def ask(s: Log) -> dict[str, Any]:
        return {"log": [lab.interrupt("again?")]}

    g = steps(lab, "a")
    g.add_node("ask", ask)
    g.add_node("z", lambda s: {"log": ["z"]})
    g.add_edge("a", "ask")
    g.add_edge("ask", "z")
    lab.compile(g)
    lab.run({"log": []})
    lab.resume("first")
    lab.run(None, lab.at(1, "loop"))
    lab.resume("second")


@program(needs_saver=True)
def history_by_filter_and_limit(lab: Lab) -> None:
    """History with metadata filter, limit, before, and the record of one checkpoint."""
    g = steps(lab, "a", "b")
    lab.compile(g)
    lab.run({"log": []}, {"metadata": {"user": "ana", "n": 3}})
    lab.run({"log": ["2"]}, {"metadata": {"user": "bo"}})
    lab.history(filter={"user": "ana"})
    lab.history(filter={"source": "input"})
    lab.history(limit=2)
    lab.history(before=lab.at(1), limit=2)
    lab.history(lab.at(1))
    lab.state(lab.at(4))


@program(needs_saver=True)
def failing_node_and_resume(lab: Lab) -> None:
    """A node fails; its finished siblings are kept; resuming runs only what failed."""
    ran: list[str] = []

    def flaky(s: Log) -> dict[str, Any]:
        ran.append("flaky")
        if ran.count("flaky") < 2:
            raise ConnectionError("no line")
        return {"log": ["flaky"]}

    g = lab.graph(Log)
    g.add_node("start", lambda s: {"log": ["start"]})
    g.add_node("flaky", flaky)
    g.add_node("after", lambda s: {"log": ["after"]})
    g.add_edge(lab.START, "start")
    g.add_edge("start", "flaky")
    g.add_edge("flaky", "after")
    lab.compile(g)
    lab.run({"log": []})
    lab.run(None)
    lab.note("ran", ran)


@program(needs_saver=True)
def failing_node_then_new_input(lab: Lab) -> None:
    """A failed run is left behind by new input."""

    def maybe(s: Log) -> dict[str, Any]:
        if s["count"] == 1:
            raise ValueError("one is bad")
        return {"log": [s["count"]]}

    g = lab.graph(Log)
    g.add_node("maybe", maybe)
    g.add_edge(lab.START, "maybe")
    lab.compile(g)
    lab.run({"count": 1})
    lab.run({"count": 2})
    lab.run({"count": 1})


@program
def errors_of_nodes_and_updates(lab: Lab) -> None:
    """What a caller gets: the node's own error, conflicting writers, bad returns, bad routes, no input."""

    def broken(how: str) -> Any:
        def run(s: Log) -> Any:
            match how:
                case "raises":
                    raise KeyError("mine")
                case "returns a number":
                    return 5
                case _:
                    return {"count": 1}

        return run

    for how in ("raises", "returns a number"):
        g = lab.graph(Log)
        g.add_node("a", broken(how))
        g.add_edge(lab.START, "a")
        lab.compile(g)
        lab.thread = how
        lab.invoke({"log": []})

    g = lab.graph(Log)
    for name in ("a", "b"):
        g.add_node(name, broken("writes"))
        g.add_edge(lab.START, name)
    lab.compile(g)
    lab.thread = "conflict"
    lab.invoke({"log": []})

    for answer in (None, "nowhere"):
        g = lab.graph(Log)
        g.add_node("a", broken("writes"))
        g.add_edge(lab.START, "a")
        g.add_conditional_edges("a", lambda s, answer=answer: answer)
        lab.compile(g)
        lab.thread = f"route {answer}"
        lab.invoke({"log": []})

    g = lab.graph(Log)
    g.add_node("a", broken("writes"))
    g.add_edge(lab.START, "a")
    g.add_conditional_edges("a", lambda s: "unmapped", {"mapped": lab.END})
    lab.compile(g)
    lab.thread = "unmapped"
    lab.invoke({"log": []})

    g = lab.graph(Log)
    g.add_node("a", broken("writes"))
    g.add_edge(lab.START, "a")
    g.add_conditional_edges("a", lambda s: lab.Send(lab.END, 1))
    lab.compile(g)
    lab.thread = "send to end"
    lab.invoke({"log": []})

    lab.thread = "no input"
    lab.invoke(None)
    lab.invoke({})
    lab.invoke({"unknown": 1})
    lab.thread = "end"
    lab.without_history = "defects"


@program
def overwrite(lab: Lab) -> None:
    """Overwrite replaces a reduced value, alone and beside ordinary updates; two in a step are refused."""

    g = lab.graph(Log)
    g.add_node("a", lambda s: {"log": ["a"]})
    g.add_node("b", lambda s: {"log": lab.Overwrite(["b"])})
    g.add_node("c", lambda s: {"log": ["c"]})
    g.add_node("json", lambda s: {"log": {"__overwrite__": ["json"]}})
    g.add_edge(lab.START, "a")
    for name in ("b", "c"):
        g.add_edge("a", name)
    g.add_edge(["b", "c"], "json")
    g.add_conditional_edges("json", lambda s: ["b", lab.Send("b", s)] if s.get("count") else lab.END)
    lab.compile(g)
    lab.run({"log": ["in"]})
    lab.run({"log": lab.Overwrite(["fresh"])})
    lab.thread = "two in one step"
    lab.invoke({"log": ["x"], "count": 1})
    lab.thread = "t"


@program
def other_channels(lab: Lab) -> None:
    """Topic, EphemeralValue, UntrackedValue, AnyValue and a set reducer."""

    def union(a: set[int], b: set[int]) -> set[int]:
        return a | b

    class Many(TypedDict):
        topic: Annotated[list[str], lab.Topic(str)]
        total: Annotated[list[str], lab.Topic(str, accumulate=True)]
        flash: Annotated[str, lab.EphemeralValue(str)]
        secret: Annotated[str, lab.UntrackedValue(str)]
        any: Annotated[int, lab.AnyValue(int)]
        tags: Annotated[set[int], union]
        seen: Annotated[list, operator.add]

    def look(s: Many) -> dict[str, Any]:
        return {"seen": [{key: value for key, value in s.items() if key != "seen"}]}

    g = lab.graph(Many)
    g.add_node("a", lambda s: {"topic": "a", "total": ["a1", "a2"], "flash": "f", "secret": "s", "tags": {1}})
    g.add_node("b", lambda s: {"topic": ["b1", "b2"], "total": "b", "any": 1, "tags": {2}})
    for name in ("look1", "look2", "look3"):
        g.add_node(name, look)
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "b")
    g.add_edge("a", "look1")
    g.add_edge("look1", "look2")
    g.add_edge("look2", "look3")
    lab.compile(g)
    lab.run({"seen": []})
    lab.run({"any": 7, "flash": "in"})


@program(needs_saver=True)
def untracked_is_gone_after_a_pause(lab: Lab) -> None:
    """An untracked value is there within a run and lost when the thread is resumed."""

    class Secret(TypedDict):
        secret: Annotated[str, lab.UntrackedValue(str)]
        log: Annotated[list, operator.add]

    g = lab.graph(Secret)
    g.add_node("a", lambda s: {"secret": "open sesame", "log": ["a"]})
    for name in ("b", "c"):
        g.add_node(name, lambda s: {"log": [s.get("secret")]})
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_edge("b", "c")
    lab.compile(g, interrupt_before=["c"])
    lab.run({"log": []})
    lab.run(None)


@program(needs_saver=True)
def durability_at_exit(lab: Lab) -> None:
    """With durability "exit" the whole run is one checkpoint; a pause is kept too."""
    lab.without_history = "results at exit"

    def ask(s: Log) -> dict[str, Any]:
        return {"log": [lab.interrupt("?")]}

    g = steps(lab, "a", "b")
    g.add_node("ask", ask)
    g.add_edge("b", "ask")
    lab.compile(g)
    lab.run({"log": []}, durability="exit")
    lab.run(lab.Command(resume="yes"), durability="exit")
    lab.run({"log": ["more"]}, durability="sync")
    lab.resume("no")


@program(needs_saver=True)
def deferred_across_a_pause(lab: Lab) -> None:
    """A deferred node waits through a breakpoint; a half-filled join does too."""

    g = lab.graph(Log)
    for name in ("a", "b", "b2", "meet"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_node("late", lambda s: {"log": ["late"]}, defer=True)
    g.add_edge(lab.START, "a")
    g.add_edge(lab.START, "b")
    g.add_edge("b", "b2")
    g.add_edge("a", "late")
    g.add_edge(["a", "b2"], "meet")
    lab.compile(g, interrupt_before=["b2"])
    lab.run({"log": []})
    lab.run(None)
    lab.run({"log": ["again"]})
    lab.run(None)


@program(needs_saver=True)
def copies_and_bulk_updates(lab: Lab) -> None:
    """A checkpoint copied by as_node="__copy__", input given by "__input__", and several supersteps at once."""
    g = steps(lab, "a", "b", "c")
    lab.compile(g, interrupt_before=["c"])
    lab.run({"log": [], "count": 1})
    lab.update(None, as_node="__copy__")
    lab.run(None)
    lab.thread = "given"
    lab.update({"log": ["given"], "count": 4}, as_node="__input__")
    lab.run(None)
    lab.history()


@program(needs_saver=True)
def edits_of_a_loop_and_a_join(lab: Lab) -> None:
    """update_state as one source of a join, then as the other; and as a node that sends."""
    g = lab.graph(Log)
    for name in ("left", "right", "both"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_node("work", lambda s: {"log": [("work", s["count"])]})
    g.add_conditional_edges(lab.START, lambda s: "left" if s["count"] else "right")
    g.add_edge(["left", "right"], "both")
    g.add_conditional_edges("both", lambda s: [lab.Send("work", {"count": n}) for n in range(2)], ["work"])
    lab.compile(g)
    lab.run({"count": 1})
    lab.update({"log": ["hand"]}, as_node="right")
    lab.run(None)
    lab.update({"log": ["again"]}, as_node="both")
    lab.run(None)


@program(needs_saver=True)
def edits_beside_deferred_nodes(lab: Lab) -> None:
    """Deferred nodes keep their turn through edits, come again when led to again, and are next when all is cleared."""
    g = lab.graph(Log)
    for name in ("a", "b", "c"):
        g.add_node(name, lambda s, name=name: {"log": [name]})
    g.add_node("late", lambda s: {"log": ["late"]}, defer=True)
    g.add_node("later", lambda s: {"log": ["later"]}, defer=True)
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_edge("b", "c")
    g.add_edge("a", "later")
    g.add_edge("b", "late")
    g.add_edge(["a", "b"], "late")
    lab.compile(g, interrupt_before=["late", "c"])
    lab.run({"log": [], "count": 1})
    lab.update(None, lab.END)
    lab.update({"log": ["as b"]}, "b")
    lab.run(None)
    lab.run(None)
    lab.run({"log": ["again"]})
    lab.run(None)
    lab.update({"log": ["as b"]}, "b")
    lab.update({"log": ["as c"]}, "c")
    lab.update({"log": ["as a"]}, "a")
    lab.update({"log": ["as late"]}, "late")
    for _ in range(4):
        lab.run(None)


@program(needs_saver=True)
def edit_of_a_finished_task(lab: Lab) -> None:
    """History goes on to show what the task itself had returned, beside a question."""
    g = lab.graph(Log)
    g.add_node("done", lambda s: {"log": ["done"]})
    g.add_node("ask", lambda s: {"log": [lab.interrupt("?")]})
    g.add_edge(lab.START, "done")
    g.add_edge(lab.START, "ask")
    lab.compile(g)
    lab.run({"log": []})
    lab.update({"log": ["by hand"]}, "done")
    lab.history()


@program(needs_saver=True)
def answers_one_after_the_other(lab: Lab) -> None:
    """Questions in a chain and beside a finished sibling, answered by plain values across several runs."""

    def ask(name: str) -> Any:
        return lambda s: {"log": [(name, lab.interrupt(name))]}

    g = lab.graph(Log)
    g.add_node("one", ask("one"))
    g.add_node("two", ask("two"))
    g.add_node("side", lambda s: {"log": ["side"]})
    g.add_edge(lab.START, "one")
    g.add_edge(lab.START, "side")
    g.add_edge("one", "two")
    lab.compile(g)
    lab.run({"log": []})
    lab.resume("1")
    lab.resume("2")


@program(needs_saver=True)
def answers_in_strict_mode(lab: Lab) -> None:
    """What does not fit the pending questions is refused before anything is written."""

    def ask(s: Log, *, name: str) -> Any:
        return {"log": [lab.interrupt(name), lab.interrupt(f"{name} again")]}

    g = lab.graph(Log)
    for name in ("a", "b"):
        g.add_node(name, functools.partial(ask, name=name))
        g.add_edge(lab.START, name)
    lab.compile(g)
    lab.run({"log": []})
    strict = {"configurable": {"thread_id": "t", "__pregel_strict_resume": True}}
    first = sorted(lab.pending, key=lambda each: repr(each.value))
    for resume in ("one", {}, {"0" * 32: 1}, {first[0].id: 1, "f" * 32: 2}):
        lab.invoke(lab.Command(resume=resume), strict)
        error = lab.error
        if error is not None:
            lab.note("refused", (error.reason, len(error.interrupt_ids), len(error.pending_ids)))
    lab.state()
    lab.answer(lambda value: f"{value}!", config=strict)
    lab.invoke(lab.Command(resume={first[0].id: "late"}), strict)
    lab.answer(lambda value: f"{value}!", config=strict)
    lab.invoke(lab.Command(resume="nobody asked"), strict)


@program(needs_saver=True)
def an_answer_that_does_not_fit(lab: Lab) -> None:
    """It is refused, the question stays, what is beside it ends."""

    class Answer(BaseModel):
        age: int

    def ask(s: Log) -> Any:
        return {"log": [lab.interrupt("age?", response_schema=Answer).age]}

    g = lab.graph(Log)
    g.add_node("ask", ask)
    g.add_node("beside", lambda s: {"log": [lab.interrupt("beside?")]})
    g.add_edge(lab.START, "ask")
    g.add_edge(lab.START, "beside")
    lab.compile(g)
    lab.run({"log": []})
    lab.answer(lambda value: {"age": "unknown"} if value == "age?" else "fine")
    lab.state()
    lab.resume({"age": 7})


@program(needs_saver=True)
def answers_are_checked_as_they_were_given(lab: Lab) -> None:
    """A schema that changes what it checks gets the answer itself each time that the node runs again."""
    schema = Annotated[int, AfterValidator(lambda value: value + 1)]
    g = lab.graph(Log)
    g.add_node("ask", lambda s: {"log": [lab.interrupt(name, response_schema=schema) for name in ("a?", "b?", "c?")]})
    g.add_edge(lab.START, "ask")
    lab.compile(g)
    lab.run({"log": []})
    for answer in (10, 20, 30):
        lab.resume(answer)
        lab.state()


@program(needs_saver=True)
def node_code_raises_an_interrupt(lab: Lab) -> None:
    asked: list[int] = []

    def ask(s: Log) -> Any:
        asked.append(1)
        if len(asked) < 2:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                raise lab.NodeInterrupt("stop here")
        return {"log": ["went on"]}

    g = lab.graph(Log)
    g.add_node("ask", ask)
    g.add_edge(lab.START, "ask")
    lab.compile(g)
    lab.run({"log": []})
    lab.run(None)


@program(needs_saver=True)
def breakpoints_of_one_call(lab: Lab) -> None:
    """They replace those of compile for that call; an empty list does not."""
    lab.compile(steps(lab, "a", "b", "c"), interrupt_before=["b"])
    lab.run({"log": []}, interrupt_before=[])
    lab.run(None, interrupt_before=["c"])
    lab.run(None)
    lab.run({"log": []}, interrupt_after="*")
    lab.run(None, interrupt_after="*")
    lab.run(None, interrupt_after=["c"])
    lab.run(None)


@program(needs_saver=True)
def the_same_run_goes_on(lab: Lab) -> None:
    """A caller that names the run which stopped, by its id in the metadata, goes on with it: new input is not taken."""
    g = lab.graph(Log)
    g.add_node("ask", lambda s: {"log": [lab.interrupt("sure?")]})
    g.add_node("after", lambda s: {"log": ["after"]})
    g.add_edge(lab.START, "ask")
    g.add_edge("ask", "after")
    lab.compile(g)
    same = {"metadata": {"run_id": "first"}}
    lab.run({"log": ["in"]}, same)
    lab.run({"log": ["not taken"]}, same)
    lab.run({"log": ["new"]}, {"metadata": {"run_id": "second"}})
    lab.resume("yes")


@program(needs_saver=True)
def updates_before_deferred_nodes(lab: Lab) -> None:
    """A deferred node that is about to run still is after an update, also beside what the update leads to."""
    g = lab.graph(Log)
    for name in "abcdef":
        g.add_node(name, lambda s, name=name: {"log": [name], "count": 1}, defer=name in "de")
    g.add_edge(lab.START, "a")
    g.add_edge("a", "b")
    g.add_edge("a", "d")
    g.add_edge("b", "c")
    g.add_edge(["b", "c"], "e")
    g.add_edge("c", "f")
    lab.compile(g, interrupt_before=["d"])
    for update in ("f", "d", "b", "a", "c", None):
        lab.thread = str(update)
        lab.run({"log": ["in"]})
        lab.update({"log": ["by hand"]}, as_node=update)
        lab.update({"log": ["again"]}, as_node="f")
        lab.run(None)
        lab.run(None)
        lab.history()
