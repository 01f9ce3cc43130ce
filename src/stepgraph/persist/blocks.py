"""Lines into the rows of a file: consecutive lines of a log lie together in a block, which a mark always begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stepgraph.persist.codec import parse
from stepgraph.persist.file import BITS, Row
from stepgraph.persist.lines import is_mark, is_record, linked, owned, split_id, text_of

if TYPE_CHECKING:
    from stepgraph.persist.sqlite import SqliteLog

_LINES: Final = 64
_BYTES: Final = 16_384
"""Where a block ends: larger ones cost a random read more, smaller ones cost rows."""


class Line(NamedTuple):
    """A line on its way to the file.

    `id` is a checkpoint's own, None for a record. `owner` is the parent of a checkpoint, or the checkpoint of a record,
    which is in the line itself when `named`. `source` is the log of a parent on another thread.
    """

    log: SqliteLog
    data: bytes
    id: str | None
    owner: str | None
    named: bool = False
    source: SqliteLog | None = None


class Plan(NamedTuple):
    """Rows to insert, and the log's position afterwards."""

    rows: list[Row]
    end: int
    base: int


def planned(number: int, end: int, base: int, lines: Iterable[Line]) -> Plan:
    """Blocks for lines that come after the first `end - 1` of log `number`."""
    rows: list[Row] = []
    gathered: list[bytes] = []
    first, block_base, size = end, base, 0
    first_id: str | None = None
    late = False

    def close() -> None:
        rows.append((number << BITS | first, block_base, packed_id(first_id), late or None, b"\n".join(gathered)))

    for _, data, own_id, _, named, _ in lines:
        mark = data.startswith(b"{")
        if gathered and (mark or named is not late or len(gathered) == _LINES or size > _BYTES):
            close()
            gathered, first, size, first_id = [], end, 0, None
        if not gathered:
            late = named
            block_base = base = end if mark else base
        gathered.append(data)
        size += len(data)
        if first_id is None:
            first_id = own_id
        end += 1
    if gathered:
        close()
    return Plan(rows, end, base)


def continued(lines: Iterable[Line]) -> list[Line]:
    """The same lines when others have come between them and the line that they tacitly follow: they name it now."""
    found: list[Line] = []
    settled = False
    for line in lines:
        if not settled and line.id is None and not line.named:
            assert line.owner is not None
            line = line._replace(data=owned(line.data, line.owner), named=True)
        elif not settled and line.id is not None:
            if not is_mark(line.data):
                assert line.owner is not None
                line = line._replace(data=linked(line.data, line.owner))
            settled = True
        found.append(line)
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
