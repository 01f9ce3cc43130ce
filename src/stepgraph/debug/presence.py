"""Whether a person can be there at all, and what decides when nobody is."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from threading import Thread, Timer
from time import sleep
from typing import TYPE_CHECKING, Any

from stepgraph.approve.judge import judge_of
from stepgraph.approve.requests import Request
from stepgraph.approve.verbs import closest
from stepgraph.core.registry import checkpointers, displays
from stepgraph.core.types import Decision, Verb
from stepgraph.debug.waiting import Reach

if TYPE_CHECKING:
    from stepgraph.debug.run import Run

Policy = str | Callable[[Request], Decision | str | None]
ANSWER_SECONDS = 3.0
"""How long a front end has to answer the panel's first ping."""
EDITOR_SECONDS = 30.0
"""The same where an editor sent the cell: somebody is there, but its ping may wait behind many cells or a slow line."""
FORM_SECONDS = 1.0
"""How long the judge of edited values is put off: importing Pydantic takes longer than all that the first paint needs,
and no form is open before it."""
BY = "unattended policy"
ALONE: tuple[Verb, ...] = ("approve", "reject", "skip", "rerun", "suspend")
"""Verbs that need no value."""


def kernel_reach() -> Reach:
    """When a click can arrive in this kernel: it depends on how ipykernel handles messages while a cell runs."""
    module = sys.modules.get("ipykernel")
    version = getattr(module, "version_info", (0,))
    if version[0] < 7:
        return "idle"
    return "block" if tuple(version[:2]) < (7, 4) else "await"


def may_appear() -> bool:
    """Whether a front end could be there: without a kernel or the panel's packages none can."""
    return hasattr(_shell(), "kernel") and find_spec("anywidget") is not None


def warm() -> None:
    """Load what a panel needs, where one may appear, while the rest of the cell runs: it is on the screen sooner.

    Only the first call does anything. What can't be loaded is told when a run is shown, which loads it again.
    """
    global _warm
    if _warm or not may_appear():
        return
    _warm = True
    with suppress(RuntimeError):  # a host without threads: it is loaded when it is needed
        Thread(target=_load, name="stepgraph warms up", daemon=True).start()


def _load() -> None:
    with suppress(Exception):
        checkpointers.load("memory")
        displays.load("run")
        sleep(FORM_SECONDS)
        judge_of({})


_warm = False


def from_editor() -> bool:
    """Whether an editor sent the cell that runs now: it names its cells, programs that run notebooks do not."""
    get_parent = getattr(_shell(), "get_parent", None)
    parent = get_parent() if get_parent is not None else None
    return "cellId" in ((parent or {}).get("metadata") or {})


def _shell() -> Any:
    """IPython's shell if the code runs in one."""
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)  # not there yet while `warm` imports it
    return None if find is None else find()


_nobody = False
"""Set when a first run waited in vain: further ones in this kernel do not wait again."""


def _checked(policy: Policy) -> Policy:
    """The policy. Raises ValueError for a word that can't be one, before anything waits for it."""
    if isinstance(policy, str) and policy not in ALONE:
        raise ValueError(
            f"unattended({policy!r}): {policy!r} is no verb that can decide by itself{closest(policy, ALONE)}. "
            f"Verbs: {', '.join(ALONE)}; or give a function of the request."
        )
    if not isinstance(policy, str) and not callable(policy):
        raise TypeError(f"unattended({policy!r}): a verb or a function of the request is wanted.")
    return policy


class Unattended:
    """Decides a run's requests by policy, from three seconds after the start on, unless a front end has answered."""

    def __init__(self, run: Run, policy: Policy) -> None:
        self._run = run
        self._policy = _checked(policy)
        self._editor = from_editor()
        self._left: set[str] = set()
        """Requests that the policy left to a person."""
        self._leave: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """Decide at once where no front end can appear."""
        self._leave = self._run.attend(BY, "block")
        if not may_appear() or (_nobody and not self._editor):
            self._decide_all()
            return
        seconds = EDITOR_SECONDS if self._editor else ANSWER_SECONDS
        if self._run.here:
            asyncio.get_running_loop().call_later(seconds, self._decide_all)
            return
        timer = Timer(seconds, self._decide_all)
        timer.daemon = True
        timer.start()

    def will_decide(self, request: Request) -> bool:
        """Whether the policy decides it presently, and nobody is expected to come before."""
        return not (self._run.attended or self._editor or request.id in self._left)

    def _decide_all(self) -> None:
        global _nobody
        if self._run.attended:
            self._leave()
            return
        _nobody, self._editor = True, False
        self._run.inbox.watch(self._decide)
        for request in self._run.pending():
            self._decide(request)

    def _decide(self, request: Request) -> None:
        if not request.pending or self._run.attended:
            return
        found: Any = self._policy if isinstance(self._policy, str) else self._policy(request)
        decided = request.decided is not None or request.closed is not None  # the policy may have done it itself
        if decided:
            return
        if found is None:
            self._left.add(request.id)
            self._run._tell()
            return
        decision = found if isinstance(found, Decision) else Decision(found)
        request.decide(decision if decision.by else replace(decision, by=BY))
