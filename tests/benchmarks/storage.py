"""Storage as ratios: LangGraph's savers and ours store and read the same steps in turn, in one process.

    python tests/benchmarks/storage.py [--rounds 3] [--quick] [--only append,wide]

Each saver gets what its own engine hands to it: LangGraph's the whole checkpoint and the new versions of its channels,
ours what changed. CPU time of the whole process (all threads, the committing one too), garbage collected before each;
a ratio is taken inside one round, the median over the rounds is printed. Bytes are those of the closed file, or of the
stored texts in memory.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepgraph.core.checkpoint import Checkpoint, Control, Extend
from stepgraph.persist import MemoryCheckpointer, SqliteCheckpointer

RUN = "1f0c8d2e-77a0-6b1c-8a2b-"


@dataclass(frozen=True, slots=True)
class Shape:
    """A run of so many steps; `changes` is what step n writes."""

    name: str
    steps: int
    changes: Callable[[int], Mapping[str, Any]]


def message(n: int) -> dict[str, str]:
    return {"role": "user", "content": f"{n:0121}"}


def fresh() -> list[dict[str, str]]:
    """300 messages of 5.8 KB."""
    return [{"role": "user", "content": f"{i:05800}"} for i in range(300)]


def shapes(quick: bool) -> list[Shape]:
    """Counting; appending; one key of 1,000 a step; 300 messages of 5.8 KB a step: the same objects, or new ones."""
    long = 500 if quick else 3000
    kept = fresh()
    return [
        Shape("count", long, lambda n: {"n": n}),
        Shape("append", long // 3, lambda n: {"m": Extend((message(n),)) if n else [message(n)]}),
        Shape("wide", long // 10, lambda n: {f"k{n}": n} if n else {f"k{i}": i for i in range(1000)}),
        Shape("rebuild", 50, lambda n: {"m": [*kept[n:], *kept[:n]], "n": n}),
        Shape("rewrite", 25, lambda n: {"m": [{**each} for each in fresh()], "n": n}),
    ]


def bytes_of(checkpointer: MemoryCheckpointer) -> int:
    """Bytes of what is kept encoded, each blob once."""
    logs = checkpointer._logs.values()
    blobs = {number: blob for log in logs for number, blob in log.blobs.items()}
    return sum(len(line) for log in logs for line in log.lines) + sum(len(blob.data) for blob in blobs.values())


class Ours:
    """Our checkpointers, memory or SQLite."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.path = folder / "ours.db"
        self.saver: Any = MemoryCheckpointer() if kind == "memory" else SqliteCheckpointer(self.path)

    def prepared(self, shape: Shape) -> list[Checkpoint]:
        ids = [f"{RUN}{n:012x}" for n in range(shape.steps)]
        return [
            Checkpoint(
                ids[n],
                ids[n - 1] if n else None,
                n - 1,
                "loop",
                1.7e9 + n,
                n + 1,
                shape.changes(n),
                Control(("node",)),
                ("node",),
                {"run_id": "r"},
            )
            for n in range(shape.steps)
        ]

    def save(self, steps: list[Checkpoint]) -> None:
        for step in steps:
            self.saver.save("t", "", step)
        self.saver.flush()

    def newest(self) -> Any:
        return self.saver.load("t", "")

    def history(self) -> int:
        return sum(1 for _ in self.saver.history("t", ""))

    def size(self) -> int:
        if isinstance(self.saver, MemoryCheckpointer):
            return bytes_of(self.saver)
        self.saver.close()
        return self.path.stat().st_size


class Theirs:
    """LangGraph's savers."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.path = folder / "theirs.db"
        self.config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        if kind == "memory":
            from langgraph.checkpoint.memory import InMemorySaver

            self.saver: Any = InMemorySaver()
        else:
            import sqlite3

            from langgraph.checkpoint.sqlite import SqliteSaver

            self.connection = sqlite3.connect(self.path, check_same_thread=False)
            self.saver = SqliteSaver(self.connection)

    def prepared(self, shape: Shape) -> list[Any]:
        values: dict[str, Any] = {}
        versions: dict[str, Any] = {}
        made = []
        for n in range(shape.steps):
            changes = shape.changes(n)
            for key, change in changes.items():
                values[key] = [*values[key], *change.items] if isinstance(change, Extend) else change
                versions[key] = f"{n + 1:032}.0000000000000000"
            checkpoint = {
                "v": 4,
                "id": f"{RUN}{n:012x}",
                "ts": "2024-01-01T00:00:00+00:00",
                "channel_values": dict(values),
                "channel_versions": dict(versions),
                "versions_seen": {"node": {"branch:to:node": versions[next(iter(changes))]}},
                "updated_channels": list(changes),
            }
            made.append(
                (checkpoint, {"source": "loop", "step": n - 1, "parents": {}}, {key: versions[key] for key in changes})
            )
        return made

    def save(self, steps: list[Any]) -> None:
        config = self.config
        for checkpoint, metadata, new in steps:
            config = self.saver.put(config, checkpoint, metadata, new)

    def newest(self) -> Any:
        return self.saver.get_tuple(self.config)

    def history(self) -> int:
        return sum(1 for _ in self.saver.list(self.config))

    def size(self) -> int:
        if hasattr(self, "connection"):
            self.connection.close()
            return self.path.stat().st_size
        blobs = sum(len(blob[1]) for blob in self.saver.blobs.values())
        rows = (row for by_ns in self.saver.storage.values() for by_id in by_ns.values() for row in by_id.values())
        return blobs + sum(len(row[0][1]) + len(row[1][1]) for row in rows)


def seconds(call: Callable[[], Any]) -> float:
    gc.collect()
    begun = time.process_time()
    call()
    return time.process_time() - begun


def measured(side: type[Ours] | type[Theirs], kind: str, shape: Shape) -> dict[str, float]:
    """Seconds to save, to load the newest, to list all; bytes."""
    with tempfile.TemporaryDirectory() as folder:
        saver = side(kind, Path(folder))
        steps = saver.prepared(shape)
        found = {
            "save": seconds(lambda: saver.save(steps)),
            "load": seconds(saver.newest),
            "history": seconds(saver.history),
        }
        found["bytes"] = saver.size()
        return found


def compare(shape: Shape, kind: str, rounds: int) -> str:
    pairs = [(measured(Theirs, kind, shape), measured(Ours, kind, shape)) for _ in range(rounds)]
    theirs, ours = (
        {key: statistics.median(pair[side][key] for pair in pairs) for key in pairs[0][0]} for side in (0, 1)
    )
    ratio = {key: statistics.median(pair[0][key] / pair[1][key] for pair in pairs) for key in theirs}
    return "  ".join(
        (
            f"{shape.name:8} {kind:7} {shape.steps:5}",
            f"save {theirs['save'] / shape.steps * 1e6:7.1f} {ours['save'] / shape.steps * 1e6:6.1f} µs "
            f"{ratio['save']:5.1f}×",
            f"load {theirs['load'] * 1e3:6.2f} {ours['load'] * 1e3:6.2f} ms {ratio['load']:5.1f}×",
            f"history {theirs['history'] * 1e3:7.1f} {ours['history'] * 1e3:6.1f} ms {ratio['history']:5.1f}×",
            f"bytes {theirs['bytes'] / 1e6:6.2f} {ours['bytes'] / 1e6:5.2f} MB {ratio['bytes']:6.1f}×",
        )
    )


WATCHER = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1])
print("ready", flush=True)
last = None
while last != int(sys.argv[2]):
    row = other.execute("SELECT data FROM block ORDER BY key DESC LIMIT 1").fetchone()
    n = int(row[0].decode().rsplit("mark", 1)[1][:8]) if row else None
    if n != last:
        last = n
        print(n, time.monotonic(), flush=True)
    time.sleep(0.0002)
"""


def busy_commit(times: int) -> list[float]:
    """Milliseconds from handing over to being seen by another process, while this one computes and never pauses."""
    with tempfile.TemporaryDirectory() as folder, closing(SqliteCheckpointer(Path(folder) / "a.db")) as saver:
        command = [sys.executable, "-c", WATCHER, saver.path, str(times - 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
            assert watcher.stdout is not None
            watcher.stdout.readline()
            handed, parent = [], None
            for n in range(times):
                name = f"{RUN}{n:012x}"
                handed.append(time.monotonic())
                saver.save(
                    "t", "", Checkpoint(name, parent, n, "loop", 0.0, n, {"n": f"mark{n:08}"}, Control(), (), {})
                )
                parent = name
                while time.monotonic() - handed[-1] < 0.05:  # a node that computes in pure Python
                    pass
            seen = {int(n): float(when) for n, when in map(str.split, watcher.stdout)}
    return sorted((seen[n] - handed[n]) * 1e3 for n in seen)


def synchronous(times: int) -> float:
    """Microseconds of CPU a step with a commit a step."""
    with tempfile.TemporaryDirectory() as folder, closing(SqliteCheckpointer(Path(folder) / "a.db")) as saver:
        ids = [f"{RUN}{n:012x}" for n in range(times)]

        def run() -> None:
            for n in range(times):
                parent = ids[n - 1] if n else None
                saver.save(
                    "t", "", Checkpoint(ids[n], parent, n, "loop", 0.0, n, {"n": n}, Control(("a",)), ("a",), {})
                )
                saver.flush()

        return seconds(run) / times * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    parser.add_argument("--only", default="", help="names of shapes, separated by commas")
    options = parser.parse_args()
    wanted = set(filter(None, options.only.split(",")))
    print("           LangGraph's time or bytes, ours, and the ratio (greater than 1: ours is less)")
    for shape, kind in itertools.product(shapes(options.quick), ("memory", "sqlite")):
        if not wanted or shape.name in wanted:
            print(compare(shape, kind, options.rounds), flush=True)
    if not wanted:
        print(f"a commit a step: {synchronous(2000):.1f} µs of CPU")
        waits = busy_commit(100)
        middle, most, last = waits[len(waits) // 2], waits[len(waits) * 95 // 100], waits[-1]
        print(
            f"commit while a node computes: median {middle:.1f} ms, 95 of 100 within {most:.1f} ms, last {last:.1f} ms"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
