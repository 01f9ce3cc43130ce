"""`python -m stepgraph.compat run app.py`: runs a program written for LangGraph on this engine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from stepgraph.compat.hook import install
from stepgraph.compat.program import run_code, run_file, run_module

USAGE = """usage: python -m stepgraph.compat run app.py [argument ...]
       python -m stepgraph.compat run -m module [argument ...]
       python -m stepgraph.compat run -c code [argument ...]

Runs a Python program as `python` would, except that `import langgraph` gives stepgraph's engine.
`run --own-prebuilt …` gives stepgraph's agents and tool nodes too, though langgraph-prebuilt is installed."""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; returns the exit status where the program itself does not end."""
    own = list(arguments[:2]) == ["run", "--own-prebuilt"]
    if own:
        arguments = ["run", *arguments[2:]]
    match list(arguments):
        case ["run", "-m", module, *rest]:
            install(own_prebuilt=own)
            run_module(module, rest)
        case ["run", "-c", code, *rest]:
            install(own_prebuilt=own)
            run_code(code, rest)
        case ["run", program, *rest] if not program.startswith("-"):
            if not Path(program).exists():
                print(f"There is no file {program!r}.", file=sys.stderr)
                return 2
            install(own_prebuilt=own)
            run_file(program, rest)
        case ["-h" | "--help"] | ["run", "-h" | "--help"]:
            print(USAGE)
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    # The interpreter put the current folder here; each form of `run` decides itself what belongs there.
    if sys.path and sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]
    sys.exit(main(sys.argv[1:]))
