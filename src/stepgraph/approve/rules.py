"""Decisions for the rest of a run: what a stop asks once more at the same place is decided like the first time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from stepgraph.core.errors import DecisionError
from stepgraph.core.types import Decision, Verb

if TYPE_CHECKING:
    from stepgraph.approve.requests import Request

RULED: Final[tuple[Verb, ...]] = ("approve", "reject", "skip", "redirect", "rerun")
"""The verbs that mean the same whatever is shown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One of them. It belongs to the run in this process; a run that is reopened elsewhere asks again."""

    id: str
    title: str
    """`after:draft`: where it decides."""
    stop: Any
    """The stop or gate whose questions it decides."""
    decision: Decision

    @property
    def text(self) -> str:
        """`rule 1: after:draft → approve (by ana)`."""
        by = f" (by {self.decision.by})" if self.decision.by else ""
        return f"{self.id}: {self.title} → {self.decision.verb}{by}"

    def __repr__(self) -> str:
        return f"<Rule {self.text}>"

    def fits(self, request: Request) -> bool:
        """Whether it decides the request."""
        return request.stop is self.stop and request.title == self.title

    def applied(self) -> Decision:
        """The decision as it is made once more."""
        decision = self.decision
        first = f"{self.id}, made with request {decision.request}"
        reason = f"{first}: {decision.reason}" if decision.reason else first
        return replace(decision, scope="once", reason=reason, seen=None, request=None)


class Rules:
    """Those of one run, in the order in which they were made."""

    def __init__(self) -> None:
        self.all: tuple[Rule, ...] = ()
        self._made = 0

    def make(self, request: Request) -> None:
        """Take a rule from a request that is decided, if its decision is one."""
        decision = request.decided
        if decision is not None and decision.scope == "run":
            self._made += 1
            self.all = (*self.all, Rule(f"rule {self._made}", request.title, request.stop, decision))

    def decide(self, request: Request) -> bool:
        """Whether one of them has decided the request."""
        for rule in self.all:
            if rule.fits(request):
                try:
                    request.decide(rule.applied())
                except DecisionError:  # it does not fit what is shown now: a person is asked
                    return False
                return True
        return False

    def revoke(self, rule: Rule | str, run: str) -> None:
        """Forget a rule, named by itself or its id. Raises ValueError, in which `run` stands for the run."""
        found = [each for each in self.all if rule in (each, each.id)]
        if not found:
            known = ", ".join(each.id for each in self.all)
            raise ValueError(f"{run} has no rule {rule!r}. Rules: {known or 'none'}.")
        self.all = tuple(each for each in self.all if each not in found)


def check_scope(request: Request, decision: Decision) -> None:
    """Raises DecisionError if the decision can't be made for the rest of the run."""
    if decision.scope == "once":
        return
    if decision.scope != "run":
        raise DecisionError(f"{request.name}: scope={decision.scope!r} is unknown. Use 'once' or 'run'.")
    if decision.verb not in RULED:
        raise DecisionError(
            f"{request.name}: `{decision.verb}` is about what is shown now and can't be a rule for the run. "
            f"With scope='run': {' '.join(verb for verb in RULED if verb in request.allow)}."
        )
    if request.stop is None:
        raise DecisionError(
            f"{request.name}: scope='run' decides what a stop or gate asks, and none asked here ({request.why}). "
            "Decide this one alone."
        )
