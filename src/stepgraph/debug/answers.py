"""Answers to what node code asks, where its body is entered again to get them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepgraph.approve.requests import Request
    from stepgraph.core.types import Decision, Pause


class Answers:
    """Decisions made before a run was resumed, by the question's id, until the body asks again."""

    def __init__(self) -> None:
        self._given: dict[str, Decision] = {}
        self.entered = 0
        """How many bodies were entered again."""

    def give(self, interrupt: str, decision: Decision) -> None:
        """The decision on a question asked before the run was left; its body is entered again to get it."""
        self._given[interrupt] = decision
        self.entered += 1

    def knows(self, interrupt: str) -> bool:
        """Whether a question is decided, so that its body may be entered again."""
        return interrupt in self._given

    def take(self, pause: Pause) -> Decision | None:
        """What was decided about the question of this pause; once."""
        if pause.interrupt is None or not self._given:
            return None
        return self._given.pop(pause.interrupt.id, None)

    def once_more(self, request: Request) -> None:
        """A body that had asked, and got its answer, is entered once more because the run was left before its end."""
        if request.decided is not None and request.decided.verb in ("approve", "edit"):
            self.entered += 1
