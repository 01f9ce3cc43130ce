"""Runs on which every kind of decision was taken: `python -m tests.debug.decided DB` prints their audits as JSON."""

from __future__ import annotations

import json
import operator
import sys
from typing import Annotated, Any, TypedDict

from stepgraph.core.types import END, START
from stepgraph.debug import debug
from stepgraph.graph.builder import StateGraph
from stepgraph.run.context import interrupt
from tests.debug.support import finished, held


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    n: int


def session(db: str) -> Any:
    failed: list[str] = []

    def first(state: State) -> State:
        return {"log": ["first"]}

    def asks(state: State) -> State:
        return {"log": [interrupt({"why": "who?"})]}

    def fails(state: State) -> State:
        if not failed:
            failed.append("once")
            raise ValueError("not now")
        return {"log": ["failed once"], "n": 1}

    inner = StateGraph(State).add_node("x", lambda state: {"log": ["x"]}).add_edge(START, "x").compile()
    builder = StateGraph(State).add_node(first).add_node(asks).add_node(fails).add_node("sub", inner)
    builder.add_node("last", lambda state: {"log": ["last"]}).add_edge(START, "first").add_edge("first", "asks")
    builder.add_edge("first", "fails").add_edge(["asks", "fails"], "sub")
    builder.add_conditional_edges("sub", lambda state: "last", ["last", END])
    return debug(builder.compile(checkpointer=f"sqlite:///{db}", name="decided"))


def decide(run: Any, *wanted: tuple[str, str, tuple[Any, ...], str]) -> None:
    """(title, verb, arguments, by) in turn."""
    for title, verb, values, by in wanted:
        while True:
            found = [request for request in held(run) if request.title == title]
            if found:
                break
            run.inbox.wait(len(run.inbox.all()), 0.05)
        getattr(found[0], verb)(*values, by=by, reason=f"because of {title}")


def main(db: str) -> None:
    dbg = session(db)
    for stop in ("before:first", "after:first", "committed", "error", "after:sub/x", "step", "edge:sub", "plan"):
        dbg.stop(stop)
    run = dbg.start({"log": []}, thread="long")
    decide(
        run,
        ("plan", "edit", ({"n": 7},), "ana"),
        ("plan", "approve", (), "ana"),
        ("before:first", "edit", ({"n": 8},), "bo"),
        ("after:first", "edit", ({"log": ["edited"]},), "cy"),
        ("step", "edit", ({"n": 9},), "ana"),
        ("committed", "edit", ({"log": ["amended"]},), "bo"),
        ("plan", "approve", (), "bo"),
        ("error:fails", "rerun", (), "ana"),
        ("interrupt:asks", "respond", ("ana",), "bo"),
        ("step", "skip", (["asks"],), "cy"),
        ("committed", "approve", (), "cy"),
        ("plan", "approve", (), "cy"),
        ("after:sub/x", "skip", (), "ana"),
        ("edge:sub", "redirect", ([END],), "bo"),
        ("step", "approve", (), "ana"),
        ("committed", "approve", (), "ana"),
    )
    finished(run)
    refused = dbg.start({"log": []}, thread="refused")
    decide(refused, ("plan", "suspend", (), "ana"))
    finished(refused).go()
    decide(refused, ("plan", "approve", (), "bo"), ("before:first", "reject", (), "cy"))
    finished(refused)
    print(json.dumps([rows_of(run), rows_of(refused)]))


def rows_of(run: Any) -> list[dict[str, Any]]:
    """The audit as JSON has it."""
    found: list[dict[str, Any]] = json.loads(run.audit().to_json(orient="records", date_format="iso"))
    return found


if __name__ == "__main__":
    main(sys.argv[1])
