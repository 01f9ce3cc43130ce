"""All benchmarks, one after the other: `make bench`. Each is a script of its own with `--help`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FIRST = ("engine", "semantics", "storage", "debug_overhead", "click_latency", "first_paint", "frames", "flood")


def main() -> int:
    """Run every script beside this one; returns how many failed."""
    found = {path.stem: path for path in HERE.glob("*.py") if not path.stem.startswith(("_", "test_"))}
    order = [name for name in FIRST if name in found] + sorted(set(found) - set(FIRST))
    failed = 0
    for name in order:
        print(f"== {name} ==", flush=True)
        failed += subprocess.run([sys.executable, str(found[name])], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
