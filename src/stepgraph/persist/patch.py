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
    """Keeps the same beginning and end; or, of a text that lost its beginning and got another end, what stayed."""
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


def patched(old: str, patch: Sequence[Any]) -> str:
    """The text after the patch, which may be as JSON gives it back."""
    return "".join(piece if isinstance(piece, str) else old[piece[0] : piece[0] + piece[1]] for piece in patch)


def size_of(patch: Patch) -> int:
    """Characters that the patch takes, about."""
    return sum(len(piece) if isinstance(piece, str) else _PIECE for piece in patch)


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
