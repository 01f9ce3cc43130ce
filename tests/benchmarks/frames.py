"""300 nodes restyled while a graph runs at full speed: frames a second of the page, and that nothing is laid out again.

python tests/benchmarks/frames.py [--seconds 5]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from itertools import pairwise

from _page import notebook, verdict

CELLS = [
    """
    from typing import TypedDict
    from stepgraph import END, START, StateGraph
    from stepgraph.debug import debug

    class Count(TypedDict, total=False):
        n: int

    def step(state):
        return {"n": state["n"] + 1} if "n" in state else None

    graph = StateGraph(Count)
    names = [f"node_{i}" for i in range(300)]
    for name in names:
        graph.add_node(name, lambda state: {"n": state["n"] + 1})
    graph.add_edge(START, names[0])
    for above, below in zip(names, names[1:]):
        graph.add_edge(above, below)
    graph.add_conditional_edges(names[-1], lambda state: names[0] if state["n"] < 10_000_000 else END, [names[0], END])
    dbg = debug(graph.compile(name="three_hundred"))
    run = dbg.start({"n": 0}, config={"recursion_limit": 1_000_000_000})
    run
    """,
    "",
]
COUNT = """(seconds) => new Promise((resolve) => {
  const svg = document.querySelector(".sg-pane svg");
  const times = [];
  let changed = 0;
  const watch = new MutationObserver((records) => { changed += records.length; });
  watch.observe(svg, { attributes: true, childList: true, subtree: true });
  const frame = (time) => {
    times.push(time);
    if (time - times[0] < seconds * 1000) requestAnimationFrame(frame);
    else resolve({ times, changed, same: svg === document.querySelector(".sg-pane svg") });
  };
  requestAnimationFrame(frame);
})"""


def main() -> int:
    """Print the figures; 1 if one is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    seconds = parser.parse_args().seconds
    with notebook(CELLS) as book:
        book.run_cell(0)
        panel = book.panel().until_live()
        panel.root.locator(".sg-node").nth(299).wait_for(state="attached", timeout=30_000)
        before = int(panel.attribute("events"))
        found = book.page.evaluate(COUNT, seconds)
        after = int(panel.attribute("events"))
        times = found["times"]
        gaps = [b - a for a, b in pairwise(times)]
        rate = len(gaps) * 1000 / (times[-1] - times[0])
        good = verdict("frames a second, 300 nodes", rate, 25, "a second", at_least=True)
        good &= verdict("95 % of frames within", sorted(gaps)[int(len(gaps) * 0.95)], 100, "ms")
        good &= verdict("the graph was laid out again", 0 if found["same"] else 1, 0, "times")
        good &= verdict(
            "marks of nodes and edges changed", found["changed"] / seconds, 1_000, "a second", at_least=True
        )
        print(f"    {(after - before) / seconds:,.0f} events a second; median frame {statistics.median(gaps):.1f} ms")
        book.run_source(1, "run.cancel(); print(run.status)")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
