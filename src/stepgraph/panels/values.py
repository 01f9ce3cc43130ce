"""Any Python value as a tree that a page can open branch by branch: nothing large is sent before somebody looks.

A place in a value is a tuple of positions (2nd child of the 5th child), never of keys, so that every key type works.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from itertools import islice
from time import monotonic
from typing import Any, TypedDict

Position = tuple[int, ...]
Hit = tuple[Position, list[str], str]
"""A found place: where, the labels on the way, and the text around."""

SUMMARY = 160
"""Characters of a value shown on its line."""
LARGE = 65_536
"""Characters of one text sent at once."""
PAGE = 200
"""Children sent at once."""


class Line(TypedDict):
    """One line of the tree: label, type, one line of text, number of children (0: none), and whether text was cut."""

    label: str
    type: str
    text: str
    size: int
    cut: bool


class Branch(TypedDict):
    """Children `offset`.. of a value, or the text of a leaf; `total` counts children or characters."""

    lines: list[Line]
    text: str | None
    offset: int
    total: int
    columns: list[str] | None
    rows: list[list[str]] | None


def line(label: str, value: Any) -> Line:
    """The value on one line."""
    text, cut = one_line(value)
    size = count(value)
    return Line(label=label, type=type(value).__name__, text=text, size=size, cut=cut)


def branch(value: Any, position: Sequence[int] = (), offset: int = 0, limit: int = PAGE) -> Branch:
    """What is found at `position`: a slice of its children, of its rows, or of its text."""
    found = at(value, position)
    result = Branch(lines=[], text=None, offset=offset, total=count(found), columns=None, rows=None)
    if is_frame(found):
        result["columns"] = [str(name) for name in found.columns]
        part = found.iloc[offset : offset + limit]
        result["rows"] = [[one_line(cell)[0] for cell in row] for row in part.itertuples(index=False, name=None)]
    elif result["total"]:
        result["lines"] = [line(label, child) for label, child in islice(children(found), offset, offset + limit)]
    else:
        text = found if isinstance(found, str) else repr(found)
        result["text"], result["total"] = text[offset : offset + LARGE], len(text)
    return result


def at(value: Any, position: Sequence[int]) -> Any:
    """The child of a child ... ; raises LookupError if the value has no such child (it changed since it was shown)."""
    for index in position:
        try:
            _, value = next(islice(children(value), index, None))
        except (StopIteration, ValueError):
            raise LookupError("This value has changed since it was shown. Open it again.") from None
    return value


def search(value: Any, wanted: str, limit: int = PAGE, seconds: float = 0.5) -> tuple[list[Hit], bool]:
    """Places whose key or text contains `wanted` (case ignored), nearest the root first; False: not all were seen."""
    wanted, until = wanted.casefold(), monotonic() + seconds
    found: list[Hit] = []
    level: list[tuple[Position, list[str], Any]] = [((), [], value)]
    seen: set[int] = set()
    while level:
        below: list[tuple[Position, list[str], Any]] = []
        for position, labels, parent in level:
            for index, (label, child) in enumerate(children(parent)):
                if len(found) >= limit or monotonic() > until:
                    return found, False
                here = (*position, index)
                size = count(child)
                text = one_line(child)[0] if size else _whole(child)
                if wanted in label.casefold() or (not size and wanted in text.casefold()):
                    found.append((here, [*labels, label], _around(text, wanted)))
                if size and id(child) not in seen:
                    seen.add(id(child))
                    below.append((here, [*labels, label], child))
        level = below
    return found, True


def count(value: Any) -> int:
    """How many children the value has; 0 for a leaf, and for what can't say."""
    try:
        return _count(value)
    except Exception:  # noqa: BLE001  a user's class may raise anything from its length or attributes
        return 0


def _count(value: Any) -> int:
    if value is None or isinstance(value, str | bytes | int | float | complex):
        return 0
    if isinstance(value, Mapping | Sequence | Set):
        return len(value)
    if is_frame(value):
        return len(value)
    return len(_attributes(value))


def children(value: Any) -> Iterator[tuple[str, Any]]:
    """(label, child) in a fixed order; nothing for a leaf. A DataFrame has its rows as children."""
    if value is None or isinstance(value, str | bytes | int | float | complex):
        return
    if isinstance(value, Mapping):
        yield from ((_label(key), child) for key, child in value.items())
    elif isinstance(value, Sequence):
        yield from ((str(index), child) for index, child in enumerate(value))
    elif isinstance(value, Set):
        yield from (("", child) for child in sorted(value, key=repr))
    elif is_frame(value):
        yield from ((str(value.index[row]), value.iloc[row].to_dict()) for row in range(len(value)))
    else:
        yield from _attributes(value)


def one_line(value: Any, length: int = SUMMARY) -> tuple[str, bool]:
    """(text, cut): scalars whole up to `length`, containers as an outline with their first children. Never raises."""
    try:
        text = _one_line(value, length)
    except Exception as error:  # noqa: BLE001  a user's class may raise anything, and the panel must still show the rest
        text = f"<{type(value).__name__} that can't be shown: {type(error).__name__}>"
    return (text, False) if len(text) <= length else (text[: length - 1] + "…", True)


def _one_line(value: Any, length: int) -> str:
    if isinstance(value, str):
        return value[: length + 1].replace("\n", "⏎")
    if is_message(value):
        return f"{value.type}: {_said(value, length)}"
    if is_frame(value):
        return f"{len(value)} rows × {len(value.columns)} columns"
    return _outline(value, length) if count(value) else _safe_repr(value, length)


def spelled_out(value: Any, length: int = 4_000) -> str:
    """Text of several lines with everything in it, to be read by a person: `key: value`, and a dash for each item."""
    try:
        text = "\n".join(_spelled(value, 0))
    except Exception:  # noqa: BLE001  a user's class may raise anything
        return one_line(value, length)[0]
    return text if len(text) <= length else text[: length - 1] + "…"


def _spelled(value: Any, depth: int) -> list[str]:
    if isinstance(value, str):
        return value.split("\n")
    if is_frame(value) or not count(value) or depth > 6:
        return [one_line(value, SUMMARY)[0]]
    lines: list[str] = []
    for label, child in islice(children(value), PAGE):
        below = _spelled(child, depth + 1)
        if isinstance(value, Sequence | Set):
            lines += [f"– {below[0]}", *(f"  {line}" for line in below[1:])]
        elif len(below) == 1 and not count(child):
            lines.append(f"{label}: {below[0]}")
        else:
            lines += [f"{label}:", *(f"  {line}" for line in below)]
    return lines


def is_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame; pandas is never imported for this."""
    pandas = sys.modules.get("pandas")
    frame = getattr(pandas, "DataFrame", None)  # absent while another thread is importing pandas
    return frame is not None and isinstance(value, frame)


def is_record(value: Any) -> bool:
    """Whether it is a dataclass or a Pydantic model, not a class of them."""
    return not isinstance(value, type) and (is_dataclass(value) or hasattr(value, "__pydantic_fields_set__"))


def is_message(value: Any) -> bool:
    """Whether it is one of langchain-core's messages; langchain-core is never imported for this."""
    messages = sys.modules.get("langchain_core.messages")
    base = getattr(messages, "BaseMessage", None)
    return base is not None and isinstance(value, base)


def _said(message: Any, length: int) -> str:
    """What a message says, and the calls of tools in it."""
    content = message.content if isinstance(message.content, str) else _outline(message.content, length)
    calls = [
        f"{call['name']}({', '.join(f'{name}: {_short(each)}' for name, each in call['args'].items())})"
        for call in getattr(message, "tool_calls", ())
    ]
    return " → ".join(part[: length + 1].replace("\n", "⏎") for part in (content, ", ".join(calls)) if part)


def _outline(value: Any, length: int) -> str:
    parts: list[str] = []
    used = 0
    for label, child in children(value):
        part = _short(child) if isinstance(value, Sequence | Set) else f"{label}: {_short(child)}"
        parts.append(part)
        used += len(part) + 2
        if used > length:
            break
    inside = ", ".join(parts)
    if isinstance(value, Mapping):
        return f"{{{inside}}}"
    if isinstance(value, Sequence | Set):
        return f"[{inside}]"
    return f"{type(value).__name__}({inside})"


def _short(value: Any) -> str:
    if isinstance(value, str):
        return f"“{value[:39]}…”" if len(value) > 40 else f"“{value}”".replace("\n", "⏎")
    size = count(value)
    if size:
        if is_message(value):
            return str(value.type)
        if is_record(value):
            return f"{type(value).__name__}(…)"
        if isinstance(value, Mapping):
            return f"{{{size} {'key' if size == 1 else 'keys'}}}"
        inside = f"{size} {'item' if size == 1 else 'items'}"
        return f"[{inside}]" if isinstance(value, Sequence | Set) else f"({inside})"
    return _safe_repr(value, 40)


def speakable(value: Any) -> Any:
    """The same JSON value without halves of surrogate pairs, which no message can carry."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {speakable(key): speakable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [speakable(each) for each in value]
    return value


def _safe_repr(value: Any, length: int) -> str:
    try:
        text = repr(value[: length + 1]) if isinstance(value, bytes | bytearray) else repr(value)
    except Exception as error:  # noqa: BLE001  a user's __repr__ may raise anything, and the panel must still show the rest
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
    return text if len(text) <= length else text[: length + 1]


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else _safe_repr(value, LARGE)


def _around(text: str, wanted: str) -> str:
    start = max(0, text.casefold().find(wanted) - 40)
    part = text[start : start + SUMMARY].replace("\n", "⏎")
    return ("…" if start else "") + part + ("…" if start + SUMMARY < len(text) else "")


def _label(key: Any) -> str:
    return key if isinstance(key, str) else _safe_repr(key, 60)


def _attributes(value: Any) -> list[tuple[str, Any]]:
    """Fields of dataclasses and models, and plain attributes of other objects; not of classes, functions or modules.

    Of a message those that say something: most of its fields are empty.
    """
    if isinstance(value, type) or callable(value):
        return []
    if is_dataclass(value):
        return [(field.name, getattr(value, field.name, None)) for field in fields(value)]
    if hasattr(value, "__pydantic_fields_set__"):
        found = [(name, getattr(value, name, None)) for name in type(value).model_fields]
        return [each for each in found if each[1] or each[0] == "content"] if is_message(value) else found
    if type(value).__module__.partition(".")[0] in ("numpy", "pandas", "builtins", "datetime", "decimal", "pathlib"):
        return []
    return [(name, child) for name, child in getattr(value, "__dict__", {}).items() if not name.startswith("_")]
