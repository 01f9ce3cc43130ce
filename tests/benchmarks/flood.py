"""20,000 events a second for 10 s through the panel: every one is counted in the page, and none may be missing.

python tests/benchmarks/flood.py [--rate 20000] [--seconds 10]
"""

from __future__ import annotations

import argparse
import sys

from _page import notebook, verdict

CELLS = [
    """
    import threading, time
    from typing import TypedDict
    from stepgraph import END, START, StateGraph
    from stepgraph.debug import debug
    from stepgraph.core.events import TaskEmitted

    class Flood(TypedDict, total=False):
        n: int

    ready, wanted = threading.Event(), {}

    def pour(state):
        ready.wait()
        rate, seconds = wanted["rate"], wanted["seconds"]
        begin = time.perf_counter()
        for part in range(int(seconds * 100)):
            for number in range(rate // 100):
                run.hub.publish(TaskEmitted((), 1, time.time(), "t", "pour", "custom", number))
            rest = begin + (part + 1) / 100 - time.perf_counter()
            if rest > 0:
                time.sleep(rest)
        wanted["took"] = time.perf_counter() - begin
        return {"n": rate * seconds}

    graph = StateGraph(Flood)
    graph.add_node("pour", pour)
    graph.add_edge(START, "pour")
    graph.add_edge("pour", END)
    dbg = debug(graph.compile(name="flood"))
    run = dbg.start({"n": 0})
    run
    """,
    "",
]


def main() -> int:
    """Print what arrived; 1 if anything is missing or the rate was not reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    with notebook(CELLS) as book:
        book.run_cell(0)
        panel = book.panel().until_live()
        book.run_source(1, f"wanted.update(rate={given.rate}, seconds={given.seconds}); ready.set()")
        panel.until("done", timeout=given.seconds * 4_000 + 20_000)
        published = int(book.run_source(1, "print(run.hub.next)"))
        book.page.wait_for_function(
            "(wanted) => Number(document.querySelector('.sg-root').dataset.events) >= wanted",
            arg=published,
            timeout=60_000,
        )
        took = float(book.run_source(1, "print(wanted['took'])"))
        lost, left, gaps, messages = (int(panel.attribute(name)) for name in ("lost", "left", "gaps", "messages"))
        good = verdict(
            "events a second", given.rate * given.seconds / took, given.rate * 0.98, "a second", at_least=True
        )
        good &= verdict("events missing in the page", lost, 0, "events")
        good &= verdict("events not listed in the page", left, 0, "events")
        good &= verdict("messages missing in the page", gaps, 0, "messages")
        good &= verdict("messages a second", messages / took, 40, "a second")
        print(f"    {published:,} events in {messages} messages, {took:.1f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
