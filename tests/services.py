"""Finds the programs that tests drive, and starts servers that end by their pid and nothing else.

A program is looked for in this order: the path that the environment names, the names on PATH, the usual places.
A test that misses one is skipped with a reason that says what to install.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
ARTEFACTS = ROOT / "artefacts"
LOST = ARTEFACTS / "browser" / "lost-messages.txt"
"""What was seen where a kernel sat idle while its page waited for it."""


@dataclass(frozen=True, slots=True)
class Program:
    """Where a program may be, and what to say when it is nowhere."""

    variable: str
    """Environment variable that may hold its path."""
    names: tuple[str, ...]
    """What it is called on PATH, the most wanted first."""
    places: tuple[str, ...]
    """Paths to try after PATH."""
    mend: str
    """What to do to have it."""


PROGRAMS = {
    "chromium": Program(
        "STEPGRAPH_CHROMIUM",
        ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"),
        (
            "/snap/bin/chromium",
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        ),
        "install it (Debian: `apt-get install chromium`) or set STEPGRAPH_CHROMIUM to its path",
    ),
    "dot": Program(
        "STEPGRAPH_DOT",
        ("dot",),
        ("/opt/homebrew/bin/dot", "/usr/local/bin/dot"),
        "install Graphviz (Debian: `apt-get install graphviz`) or set STEPGRAPH_DOT to its path",
    ),
    "postgres": Program(
        "STEPGRAPH_POSTGRES",
        ("postgres",),
        (
            *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")), reverse=True),
            *sorted(map(str, Path("/opt/homebrew/opt").glob("postgresql*/bin/postgres")), reverse=True),
        ),
        "install PostgreSQL (Debian: `apt-get install postgresql`) or set STEPGRAPH_POSTGRES to the path of `postgres`",
    ),
}


def find(name: str) -> Path | None:
    """Path of a program of `PROGRAMS`, or None. A variable that leads nowhere is an error, not a miss."""
    program = PROGRAMS[name]
    named = os.environ.get(program.variable)
    if named:
        if shutil.which(named) is None:
            raise FileNotFoundError(f"{program.variable} is {named!r}, and no program can be run there")
        return Path(named)
    found = next((path for each in (*program.names, *program.places) if (path := shutil.which(each))), None)
    return Path(found) if found else None


def require(name: str) -> Path:
    """Path of a program of `PROGRAMS`; skips the calling test, with what to install, when there is none."""
    found = find(name)
    if found is None:
        pytest.skip(f"{name} was not found: {PROGRAMS[name].mend}")
    return found


def free_port() -> int:
    """A loopback TCP port that nobody listens on now. Another process may take it: start what needs it at once."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A process with its output in a file; ended by its pid, with the processes that it started."""

    def __init__(
        self, command: Sequence[str | Path], *, folder: Path, name: str, env: Mapping[str, str] | None = None
    ) -> None:
        """Starts `command` in `folder`, which also gets `name`.log and `name`.pid. `env` adds to the environment."""
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        (folder / f"{name}.pid").write_text(str(self.process.pid))

    def wait_for(self, url: str, seconds: float = 60) -> None:
        """Returns when `url` answers, with whatever status; fails with the end of the log when it ends or is late."""
        self.wait_until(lambda: answers(url), url, seconds)

    def wait_until(self, ready: Callable[[], bool], where: str, seconds: float = 60) -> None:
        """As `wait_for`, for a server that speaks another language: `ready` says whether it answers."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.tail()}")
            if ready():
                return
            time.sleep(0.05)  # a poll of another process: nothing announces that it listens
        raise TimeoutError(f"{self.name} did not answer at {where} within {seconds:g} s:\n{self.tail()}")

    def tail(self, characters: int = 3000) -> str:
        """The end of what the server printed."""
        return self.log.read_text(errors="replace")[-characters:]

    def stop(self, seconds: float = 10) -> None:
        """Asks it to end; kills what is left of it and its children after `seconds`. Harmless when it has ended."""
        family = descendants(self.process.pid)
        self.process.terminate()
        _, left = psutil.wait_procs(family, timeout=seconds)
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()


def descendants(pid: int) -> list[psutil.Process]:
    """The process with this pid and all that it started, directly or not; nothing when it has ended."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def answers(url: str) -> bool:
    """Whether an HTTP server answers at `url`, with whatever status."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except (OSError, urllib.error.URLError):
        return False


@contextmanager
def server(
    command: Sequence[str | Path], *, folder: Path, name: str, url: str, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server that answers at `url`, ended when the block is left."""
    started = Server(command, folder=folder, name=name, env=env)
    try:
        started.wait_for(url)
        yield started
    finally:
        started.stop()


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python environment of its own, with nothing of the one that runs the tests."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def variables(self) -> dict[str, str]:
        """The environment variables of somebody who works in it: its programs first, none of ours."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER"))}
        return kept | {"PATH": f"{self.folder / 'bin'}{os.pathsep}{kept['PATH']}", "VIRTUAL_ENV": str(self.folder)}

    def install(self, *arguments: str | Path) -> None:
        """`uv pip install` with these arguments, e.g. package names or `--requirements`, a file."""
        run([*UV, "pip", "install", "--quiet", "--python", self.python, *arguments])

    def run(self, command: Sequence[str | Path], *, cwd: Path, seconds: float = 600) -> str:
        """Output of a command run inside the environment; fails with that output when the command does."""
        return run(command, cwd=cwd, env=self.variables(), seconds=seconds)


UV = (sys.executable, "-m", "uv")


def make_environment(folder: Path, *, python: str = sys.executable, seed: bool = False) -> Environment:
    """An empty environment in `folder`, of a Python named as uv does (a path or `3.12`), with pip only if `seed`."""
    run([*UV, "venv", "--quiet", "--python", python, "--no-python-downloads", *(["--seed"] if seed else []), folder])
    return Environment(folder)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    seconds: float = 600,
) -> str:
    """Output (both streams) of a command that must succeed; its output is in the error when it doesn't."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-6000:]}")
    return done.stdout
