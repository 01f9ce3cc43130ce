"""What a long text has in common with the one before it: pieces of the old one, and what is new between them.

A patch is a list of new texts and of pieces of the old one as (start, length).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

Patch = list[str | tuple[int, int]]
_PROBE: Final = 256
"""Characters that must agree for a text to be taken for one that lost its beginning."""
_PIECE: Final = 12
"""Characters that naming a piece takes."""


def difference(old: str, new: str) -> Patch:
    """Keeps the same beginning and end; or, of a list that lost its first items and got others, what stayed."""
    most = min(len(old), len(new))
    head = _common(old, new, most)
    tail = _common_end(old, new, most - head)
    found = _pieces((0, head), new[head : len(new) - tail], (len(old) - tail, tail))
    if 2 * (len(new) - tail - head) > len(new) > 2 * _PROBE:
        place = old.find(new[1 : _PROBE + 1], 1)
        if place > 0:
            length = _common(old[place:], new[1:], min(len(old) - place, len(new) - 1))
            found = _pieces(new[:1], (place, length), new[1 + length :])
    return found


def spliced(old: Sequence[str], new: Sequence[str]) -> Patch:
    """The patch from one list's text to another's, told from the texts of their items without joining them."""
    places = {text: place for place, text in reversed(list(enumerate(old)))}
    starts = _starts(old)
    found: Patch = ["["]
    place = 0
    while place < len(new):
        first = place
        start = places.get(new[place])
        if start is None:
            while place < len(new) and new[place] not in places:
                place += 1
            text = ",".join(new[first:place])
            found.append(f"{text}," if place < len(new) else text)
            continue
        while place < len(new) and start + place - first < len(old) and old[start + place - first] == new[place]:
            place += 1
        end = start + place - first
        if place < len(new) and end == len(old):  # the last item has no comma after it
            found += [(starts[start], starts[end] - 1 - starts[start]), ","]
        else:
            found.append((starts[start], starts[end] - starts[start] - (place == len(new))))
    return _joined([*found, "]"], starts)


def _starts(texts: Sequence[str]) -> list[int]:
    """Where each item begins in the text of the list, and where one more would."""
    starts = [1]
    for text in texts:
        starts.append(starts[-1] + len(text) + 1)
    return starts


def _joined(pieces: Patch, starts: list[int]) -> Patch:
    """Neighbouring texts as one; brackets of the old list that stand beside a piece of it go with the piece."""
    length = max(starts[-1], 2)
    found: Patch = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, str) and isinstance(last, str):
            found[-1] = last + piece
        elif last == "[" and isinstance(piece, tuple) and piece[0] == 1:
            found[-1] = (0, piece[1] + 1)
        elif piece == "]" and isinstance(last, tuple) and sum(last) == length - 1:
            found[-1] = (last[0], last[1] + 1)
        else:
            found.append(piece)
    if len(found) > 1 and isinstance(found[-1], str) and found[-1].endswith("]"):
        found[-1:] = [found[-1][:-1], (length - 1, 1)]
    return found


def patched(old: str, patch: Sequence[Any]) -> str:
    """The text after the patch, which may be as JSON gives it back."""
    return "".join(piece if isinstance(piece, str) else old[piece[0] : piece[0] + piece[1]] for piece in patch)


def new_in(patch: Patch) -> int:
    """Characters that the patch takes, about."""
    return sum(len(piece) if isinstance(piece, str) else _PIECE for piece in patch)


def appended(patch: Patch, length: int) -> str | None:
    """The text of the items that a list of `length` characters got at its end, if that is all that happened to it."""
    match patch:
        case [(0, kept), str(text), (start, 1)] if kept == start == length - 1 and text.startswith(","):
            return text[1:]
        case _:
            return None


def _pieces(*pieces: str | tuple[int, int]) -> Patch:
    """Without the empty ones."""
    return [piece for piece in pieces if (piece if isinstance(piece, str) else piece[1])]


def _common(old: str, new: str, most: int) -> int:
    """Length of the common beginning: halving compares each character about twice, at memcmp's speed."""
    low, high = 0, most
    while low < high:
        half = (low + high + 1) // 2
        if old[low:half] == new[low:half]:
            low = half
        else:
            high = half - 1
    return low


def _common_end(old: str, new: str, most: int) -> int:
    low, high = 0, most
    while low < high:
        half = (low + high + 1) // 2
        if old[len(old) - half : len(old) - low] == new[len(new) - half : len(new) - low]:
            low = half
        else:
            high = half - 1
    return low
