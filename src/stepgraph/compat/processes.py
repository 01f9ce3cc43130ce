"""The hook in processes that a program starts through `multiprocessing`, which begin with a new interpreter."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

DATA = "get_preparation_data"
SPAWN, SERVER = "multiprocessing.spawn", "multiprocessing.forkserver"


class Preparation:
    """What is told to a new process before it loads the program: besides all else, to install the hook."""

    def __init__(self, told: Callable[[str], dict[str, Any]], install: Callable[[], str]) -> None:
        self._told = told
        self._install = install

    def __call__(self, name: str) -> dict[str, Any]:
        told = self._told(name)
        line = self._install()
        # The process unpickles this before it takes over the path on which stepgraph may be.
        return {**told, "langgraph": _Run(f"import sys\nsys.path[:] = {told['sys_path']!r}\n{line}")} if line else told


class _Run:
    """Code that runs where this is unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> Any:
        return exec, (self.code, {})


def prepare(spawn: ModuleType, install: Callable[[], str]) -> None:
    """Let new processes run the line that `install` gives, unless that is empty; again is no harm."""
    told = getattr(spawn, DATA)
    if not isinstance(told, Preparation):
        setattr(spawn, DATA, Preparation(told, install))


def preload(server: ModuleType) -> None:
    """Let the server that forks new processes have the hook; it would load the program before that otherwise."""
    server.set_forkserver_preload(["stepgraph.compat.install"])
