"""Before → after of one key, in the form in which a person sees it best: words, lines, rows of a table, or paths.

The result is JSON: `{"kind": "text" | "rows" | "paths" | "value", ...}`, bounded in size whatever the values are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from stepgraph.core.types import MISSING
from stepgraph.panels.values import children, count, is_frame, is_record, one_line

Segment = tuple[str, str]
"""("=", "-" or "+", text)."""

_ROWS = 200
_PATHS = 200
_TEXT = 40_000
_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


def difference(old: Any, new: Any) -> dict[str, Any]:
    """What changed. `old` may be MISSING (the key had no value yet)."""
    old_rows, new_rows = _rows(old), _rows(new)
    if new_rows is not None and (old_rows is not None or old is MISSING or old is None) and (old_rows or new_rows):
        return _table(old_rows or [], new_rows)
    if isinstance(old, str) and isinstance(new, str):
        return {"kind": "text", "segments": text(old, new)}
    if count(old) and count(new) and _same_family(old, new):
        paths, more = _paths(old, new)
        return {"kind": "paths", "paths": paths, "more": more}
    return {"kind": "value", "old": None if old is MISSING else _shown(old), "new": _shown(new)}


def text(old: str, new: str) -> list[Segment]:
    """Segments in reading order: by words while that is quick, else by lines; equal ends are found first."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    head, tail = old[:start], old[len(old) - end :] if end else ""
    old_middle, new_middle = old[start : len(old) - end], new[start : len(new) - end]
    middle = _middle(old_middle, new_middle)
    joined = _joined([("=", head), *middle, ("=", tail)])
    return [(sign, _clip(part) if sign == "=" else part[:_TEXT]) for sign, part in joined]


def _middle(old: str, new: str) -> list[Segment]:
    if len(old) + len(new) < 8_000:
        a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    else:
        a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if not a or not b or len(a) + len(b) > 6_000:
        return [("-", old), ("+", new)]
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < 0.35:  # a patchwork of common words reads worse than old and new, each whole
        return [("-", old), ("+", new)]
    result: list[Segment] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            result.append(("=", "".join(a[i:j])))
        else:
            result += [("-", "".join(a[i:j])), ("+", "".join(b[k:m]))]
    return result


def _joined(segments: list[Segment]) -> list[Segment]:
    """Neighbours of one sign become one; empty ones go."""
    result: list[Segment] = []
    for sign, part in segments:
        if not part:
            continue
        if result and result[-1][0] == sign:
            result[-1] = (sign, result[-1][1] + part)
        else:
            result.append((sign, part))
    return result


def _clip(part: str) -> str:
    """The equal part of a long text is only context: its ends are enough."""
    return part if len(part) <= 600 else f"{part[:280]} ⋯ {part[-280:]}"


def _common(a: str, b: str) -> int:
    """Length of the common beginning, ended at a word's border."""
    length = min(len(a), len(b))
    low, high = 0, length
    while low < high:  # bisect on slices: quick for megabytes
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    while low and a[low - 1].isalnum() and (a[low : low + 1].isalnum() or b[low : low + 1].isalnum()):
        low -= 1
    return low


def _rows(value: Any) -> list[Mapping[str, Any]] | None:
    """A table's rows: of a DataFrame, or of a list of dicts (or models); None for anything else."""
    if is_frame(value):
        records: list[Mapping[str, Any]] = value.to_dict("records")
        return records
    if isinstance(value, list | tuple) and all(isinstance(row, Mapping) or is_record(row) for row in value):
        return [row if isinstance(row, Mapping) else dict(children(row)) for row in value]
    return None


def _table(old: list[Mapping[str, Any]], new: list[Mapping[str, Any]]) -> dict[str, Any]:
    columns = list(dict.fromkeys(str(key) for row in (*new[:500], *old[:500]) for key in row))
    rows: list[dict[str, Any]] = []
    changed = 0
    for sign, index, before, after in _aligned(old, new):
        changed += 1
        if len(rows) < _ROWS:
            cells = [_cell(before, after, name) for name in columns]
            rows.append({"sign": sign, "index": index, "cells": cells})
    kept = sum(any(cell[0] != "" or (len(cell) > 1 and cell[1] != "") for cell in row["cells"]) for row in rows)
    return {
        "kind": "rows",
        "columns": columns,
        "rows": rows,
        "changed": changed,
        "more": changed - len(rows),
        "total": [len(old), len(new)],
        "empty": kept == 0,
    }


def _aligned(
    old: list[Mapping[str, Any]], new: list[Mapping[str, Any]]
) -> Iterator[tuple[str, int, Mapping[str, Any] | None, Mapping[str, Any] | None]]:
    """Changed, added and removed rows with their number; rows of equal tables meet by number, others by content."""
    if len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            if not _same_row(before, after):
                yield "~", index, before, after
        return
    for i, k in _pairs([_fingerprint(row) for row in old], [_fingerprint(row) for row in new]):
        if k is None:
            assert i is not None
            yield "-", i, old[i], None
        else:
            yield "+" if i is None else "~", k, None if i is None else old[i], new[k]


def _cell(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, name: str) -> list[str]:
    """[text] of an unchanged cell, [old, new] of a changed one."""
    old = None if before is None else before.get(name)
    new = None if after is None else after.get(name)
    if before is None or after is None:
        return [_text(old if after is None else new)]
    return [_text(new)] if _equal(old, new) else [_text(old), _text(new)]


def _text(value: Any) -> str:
    return "" if _nothing(value) else one_line(value)[0]


def _nothing(value: Any) -> bool:
    """None, NaN, NaT or NA: tables have several words for an empty cell."""
    return (
        value is None or type(value).__name__ in ("NaTType", "NAType") or (isinstance(value, float) and value != value)
    )


def _same_row(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Equal cell by cell: as wholes, rows with an empty cell would differ from themselves."""
    return before.keys() == after.keys() and all(_equal(before[key], after[key]) for key in before)


def _fingerprint(row: Mapping[str, Any]) -> str:
    return repr(sorted(row.items(), key=lambda item: str(item[0])))


def _paths(old: Any, new: Any) -> tuple[list[dict[str, Any]], int]:
    """Every changed leaf with its path, depth first."""
    found: list[dict[str, Any]] = []
    total = 0
    for path, before, after in _leaves(old, new, ()):
        total += 1
        if len(found) < _PATHS:
            entry: dict[str, Any] = {"path": list(path)}
            if isinstance(before, str) and isinstance(after, str):
                entry["segments"] = text(before, after)
            else:
                entry["old"] = None if before is MISSING else _shown(before)
                entry["new"] = None if after is MISSING else _shown(after)
            found.append(entry)
    return found, total - len(found)


def _leaves(old: Any, new: Any, path: tuple[str, ...], depth: int = 12) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if _equal(old, new):
        return
    if not depth or not count(old) or not count(new) or not _same_family(old, new):
        yield path, old, new
        return
    if isinstance(new, Sequence) and (len(old) != len(new) or not any(map(count, new))):
        yield from _list_leaves(old, new, path, depth)
        return
    before, after = dict(children(old)), dict(children(new))
    for name in dict.fromkeys((*before, *after)):
        yield from _leaves(before.get(name, MISSING), after.get(name, MISSING), (*path, name), depth - 1)


def _list_leaves(
    old: Sequence[Any], new: Sequence[Any], path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Lists aligned by content, so that one item inserted in front is one change."""
    for i, k in _pairs([repr(each)[:400] for each in old], [repr(each)[:400] for each in new]):
        if i is not None and k is not None:
            yield from _leaves(old[i], new[k], (*path, str(k)), depth - 1)
        elif i is not None:
            yield (*path, str(i)), old[i], MISSING
        elif k is not None:
            yield (*path, str(k)), MISSING, new[k]


def _pairs(a: list[str], b: list[str]) -> Iterator[tuple[int | None, int | None]]:
    """Positions in `a` and `b` that differ, aligned by content, very long ones by position; None: no partner."""
    changes = [("replace", 0, len(a), 0, len(b))]
    if len(a) + len(b) < 20_000:
        changes = [each for each in SequenceMatcher(None, a, b, autojunk=False).get_opcodes() if each[0] != "equal"]
    for _, i, j, k, m in changes:
        both = min(j - i, m - k)
        yield from zip(range(i, i + both), range(k, k + both), strict=True)
        yield from ((index, None) for index in range(i + both, j))
        yield from ((None, index) for index in range(k + both, m))


def _same_family(old: Any, new: Any) -> bool:
    if isinstance(old, Mapping):
        return isinstance(new, Mapping)
    if isinstance(old, list | tuple):
        return isinstance(new, list | tuple)
    return type(old) is type(new)


def _equal(a: Any, b: Any) -> bool:
    """Equality that tells True from 1, takes NaN as equal to NaN, and survives types that compare by element."""
    if a is b or (_nothing(a) and _nothing(b) and (a is None) == (b is None)):
        return True
    if type(a) is not type(b) and isinstance(a, bool) != isinstance(b, bool):
        return False
    try:
        return bool(a == b)
    except (ValueError, TypeError):  # arrays
        return repr(a) == repr(b)


def _shown(value: Any) -> str:
    return value[:_TEXT] if isinstance(value, str) else one_line(value, 2_000)[0]
