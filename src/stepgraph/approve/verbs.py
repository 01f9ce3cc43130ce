"""Which decisions a place has: the table of places and verbs, and policies that narrow it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, get_args

from stepgraph.core.errors import DecisionError
from stepgraph.core.types import Place, Verb

PLACES: Final[tuple[Place, ...]] = get_args(Place)
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)

TABLE: Final[Mapping[Place, tuple[Verb, ...]]] = MappingProxyType(
    {
        "plan": ("approve", "edit", "reject", "redirect", "suspend"),
        "before": ("approve", "edit", "reject", "respond", "skip", "redirect", "suspend"),
        "after": ("approve", "edit", "reject", "skip", "redirect", "suspend"),
        "edge": ("approve", "reject", "skip", "redirect", "suspend"),
        "step": ("approve", "edit", "reject", "skip", "redirect", "suspend"),
        "committed": ("approve", "edit", "reject", "redirect", "suspend"),
        "error": ("rerun", "edit", "respond", "skip", "redirect", "reject", "suspend"),
        "interrupt": ("respond", "reject", "suspend"),
    }
)
"""What a person may decide at each place, in the order in which it is offered."""

_WHY_NOT: Final[Mapping[tuple[Place, Verb], str]] = MappingProxyType(
    {
        ("after", "respond"): "the node has answered already; use `edit`",
        ("edge", "edit"): "targets are changed with `redirect`",
        ("edge", "respond"): "the node has answered already; choose targets with `redirect`",
        ("step", "respond"): "all nodes of the superstep have answered already; use `edit`",
        ("plan", "respond"): "nothing has run yet; use `edit` for the state or stop at `before:NODE`",
        ("committed", "respond"): "nothing runs here; use `edit` for the state",
        ("plan", "skip"): "several tasks are planned; stop at `before:NODE` to skip one, or use `redirect`",
        ("committed", "skip"): "the superstep is over; use `redirect` to choose what runs next",
        ("interrupt", "approve"): "node code asked a question; answer it with `respond`",
        ("interrupt", "edit"): "node code asked a question; answer it with `respond`",
        ("interrupt", "skip"): "node code waits for an answer; use `respond` or `reject`",
        ("interrupt", "redirect"): "node code waits for an answer; use `respond`, and redirect at `edge:NODE`",
        ("error", "approve"): "a failure can't be approved; use `rerun`, `respond` or `skip`, or `reject` to raise it",
    }
)


def allowed(place: Place, policy: Iterable[Verb] = ()) -> tuple[Verb, ...]:
    """The verbs of `place` that `policy` lets through; an empty policy lets all through.

    `suspend` decides nothing and is never narrowed away.
    """
    wanted = frozenset(policy)
    return tuple(verb for verb in TABLE[place] if not wanted or verb in wanted or verb == "suspend")


def refused(place: Place, policy: Iterable[Verb] = ()) -> dict[Verb, str]:
    """Why each other verb is not offered at `place`."""
    offered = allowed(place, policy)
    return {verb: _reason(place, verb) for verb in VERBS if verb not in offered}


def parse_allow(text: str | Iterable[str], place: Place) -> tuple[Verb, ...]:
    """The verbs of a policy such as `"approve edit reject"`, in the order of the table.

    Raises ValueError for a word that is no verb or that `place` does not have, TypeError for what is no word.
    """
    if not isinstance(text, Iterable):
        raise TypeError(
            f"allow={text!r}: verbs are wanted as text or as a list, for example 'approve edit'. "
            f"There: {' '.join(TABLE[place])}."
        )
    words = text.replace(",", " ").split() if isinstance(text, str) else list(text)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"allow={text!r}: {word!r} is no verb but of type {type(word).__name__}.")
        if word not in VERBS:
            raise ValueError(f"allow={text!r}: {word!r} is no verb{closest(word, VERBS)}. Verbs: {' '.join(VERBS)}.")
        if word not in TABLE[place]:
            why = _reason(place, word)
            raise ValueError(
                f"allow={text!r}: `{word}` does not exist at {place!r}: {why}. There: {' '.join(TABLE[place])}."
            )
    if not words:
        raise ValueError(f"allow={text!r} allows nothing. Name some of: {' '.join(TABLE[place])}.")
    return tuple(verb for verb in TABLE[place] if verb in words)


def check_verb(verb: str, allow: tuple[Verb, ...], refused: Mapping[Verb, str], name: str) -> None:
    """Raises DecisionError, naming the allowed verbs, if `verb` may not be used on the request called `name`."""
    if verb in allow:
        return
    if verb not in VERBS:
        raise DecisionError(f"{name}: {verb!r} is no verb{closest(verb, VERBS)}. Allowed here: {' '.join(allow)}.")
    why = refused[verb]
    raise DecisionError(f"{name}: `{verb}` is not allowed here: {why}. Allowed: {' '.join(allow)}.")


def closest(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for an error message, or nothing."""
    found = get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""


def _reason(place: Place, verb: Verb) -> str:
    if verb in TABLE[place]:
        return "the gate's policy does not allow it"
    return _WHY_NOT.get((place, verb), f"there is nothing to {verb} at {place!r}")
