"""The outcomes of many tasks of a superstep in one line, if all are of the ordinary kind.

    ["outcomes",[[node,sent,prefix,tail,routes,joins],…],[[place,key,key,value,…],…]]

The first list has what tasks have in common, the second one row a task: the place of that, the position of its Send or
-1, and what it wrote. Prefix and tail give the id (`core.checkpoint.id_of`). A line that stands elsewhere than behind
that of its checkpoint has the id of that at its end, as lines of records do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from stepgraph.core.checkpoint import Origin, Outcome, Record, id_of, path_of
from stepgraph.persist.codec import TEXT, is_small, line_of
from stepgraph.persist.lines import OUTCOMES

_MOST: Final = 256
"""Tasks in a line."""


def outcome_lines(origin: Origin, rows: Sequence[Outcome], checkpoint: str | None) -> list[bytes] | None:
    """The lines of outcomes, with `checkpoint` when they don't stand behind its line. None if not all are ordinary."""
    lines: list[bytes] = []
    for begin in range(0, len(rows), _MOST):
        common: dict[Any, int] = {}
        told: list[list[Any]] = []
        for name, key, writes, routes, joins in rows[begin : begin + _MOST]:
            if not TEXT.issuperset(map(type, routes)):
                return None
            kind = name, key >= 0, routes, joins
            row = [common.setdefault(kind, len(common)), key]
            for channel, value in writes:
                if not is_small(value):
                    return None
                row += (channel, value)
            told.append(row)
        shared = [[name, sent, *origin.base(name, sent), routes, joins] for name, sent, routes, joins in common]
        line = [OUTCOMES, shared, told]
        lines.append(line_of(line if checkpoint is None else [*line, checkpoint]))
    return lines


def outcomes_of(line: Sequence[Any]) -> Iterator[Record]:
    """The records of a line that has been parsed."""
    _, common, told = line[:3]
    for place, key, *writes in told:
        name, _, prefix, tail, routes, joins = common[place]
        pairs = tuple(zip(writes[::2], writes[1::2], strict=True))
        payload = pairs, tuple(routes), tuple(joins)
        yield Record(id_of((prefix, tail), key), "outcome", payload, name, path_of(name, key))
