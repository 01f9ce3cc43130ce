"""Lines into the rows of a file: consecutive lines of a log lie together in a block, which a mark always begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stepgraph.persist.codec import parse
from stepgraph.persist.file import BITS, Row
from stepgraph.persist.lines import is_mark, is_record, linked, owned, split_id, text_of

if TYPE_CHECKING:
    from stepgraph.persist.sqlite_log import SqliteLog

_LINES: Final = 64
_BYTES: Final = 16_384
"""Where a block ends: larger ones cost a random read more, smaller ones cost rows."""


class Lines(NamedTuple):
    """Consecutive lines of a log on their way to the file. Only the first may be a mark.

    `ids` are those of the checkpoints, None for a record. `owner` is the checkpoint that the first line tacitly
    follows: its parent, or what a record belongs to; when `named` the lines are records that say it themselves.
    `source` is the log of a parent on another thread.
    """

    log: SqliteLog
    data: list[bytes]
    ids: list[str | None]
    owner: str | None
    named: bool = False
    source: SqliteLog | None = None


class Plan(NamedTuple):
    """Rows to insert, and the log's position afterwards."""

    rows: list[Row]
    end: int
    base: int


def planned(number: int, end: int, base: int, groups: Iterable[Lines]) -> Plan:
    """Blocks for lines that come after the first `end - 1` of log `number`."""
    rows: list[Row] = []
    data: list[bytes] = []
    ids: list[str | None] = []
    late = False
    for _, more, more_ids, _, named, _ in groups:
        mark = more[0].startswith(b"{")
        if data and (mark or named is not late):
            end = _cut(rows, number, end, base, late, data, ids)
            data, ids = [], []
        if mark:
            base = end
        late = named
        data += more
        ids += more_ids
    if data:
        end = _cut(rows, number, end, base, late, data, ids)
    return Plan(rows, end, base)


def _cut(
    rows: list[Row], number: int, first: int, base: int, late: bool, data: list[bytes], ids: list[str | None]
) -> int:
    """Add the blocks of lines that have a base in common; gives the number of the line after them."""
    place = 0
    while place < len(data):
        piece = data[place : place + _LINES]
        if sum(map(len, piece)) > _BYTES:
            del piece[_fitting(piece) :]
        own_id = next(filter(None, ids[place : place + len(piece)]), None)
        rows.append((number << BITS | first + place, base, packed_id(own_id), late or None, b"\n".join(piece)))
        place += len(piece)
    return first + place


def _fitting(lines: list[bytes]) -> int:
    """How many lines a block takes: up to the one that makes it too large."""
    size = 0
    for count, line in enumerate(lines, 1):
        size += len(line)
        if size > _BYTES:
            return count
    return len(lines)


def continued(groups: Iterable[Lines]) -> list[Lines]:
    """The same lines when others have come between them and the line that they tacitly follow: they name it now."""
    found: list[Lines] = []
    settled = False
    for each in groups:
        if settled or each.named:
            found.append(each)
            continue
        assert each.owner is not None or is_mark(each.data[0])
        records = next((place for place, own_id in enumerate(each.ids) if own_id is not None), len(each.ids))
        if records and each.owner is not None:
            data = [owned(line, each.owner) for line in each.data[:records]]
            found.append(each._replace(data=data, ids=each.ids[:records], named=True))
        if records < len(each.data):
            data = each.data[records:]
            if not is_mark(data[0]) and each.owner is not None:
                data[0] = linked(data[0], each.owner)
            found.append(each._replace(data=data, ids=each.ids[records:]))
            settled = True
    return found


def packed_id(id: str | None) -> bytes | str | None:
    """16 bytes for an id in the form of a UUID, else the id itself."""
    if id is not None and len(id) == 36:
        try:
            packed = bytes.fromhex(id.replace("-", ""))
        except ValueError:
            return id
        if len(packed) == 16 and unpacked_id(packed) == id:
            return packed
    return id


def unpacked_id(packed: bytes | str) -> str:
    """The inverse of `packed_id`."""
    if isinstance(packed, str):
        return packed
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def ids(first: str, lines: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """(place, id) of the checkpoint lines of a block whose first checkpoint is `first`."""
    prefix, counter = split_id(first)
    begun = False
    for place, line in enumerate(lines):
        if is_record(line):
            continue
        if begun:
            counter += 1
            if b'"i":' in line or b'"n":' in line:
                prefix, counter = _irregular(prefix, counter, parse(text_of(line)))
        begun = True
        yield place, f"{prefix}{counter:012x}" if counter >= 0 else prefix


def _irregular(prefix: str, counter: int, row: list[Any]) -> tuple[str, int]:
    rare = row[4] if len(row) > 4 else {}
    if "i" in rare:
        return split_id(rare["i"])
    return prefix, rare.get("n", counter)
