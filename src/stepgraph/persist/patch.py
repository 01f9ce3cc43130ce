"""What a long text shares with the one before it: the same beginning and the same end, and what stands between."""

from __future__ import annotations

from typing import NamedTuple


class Patch(NamedTuple):
    """Keep the first `head` and the last `tail` characters; `middle` replaces what was between them."""

    head: int
    tail: int
    middle: str


def difference(old: str, new: str) -> Patch:
    """The patch from `old` to `new` with the longest head, and then the longest tail."""
    most = min(len(old), len(new))
    head = _common(old, new, most)
    tail = _common_end(old, new, most - head)
    return Patch(head, tail, new[head : len(new) - tail])


def patched(old: str, patch: tuple[int, int, str]) -> str:
    """The text after the patch."""
    head, tail, middle = patch
    return old[:head] + middle + (old[-tail:] if tail else "")


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
