"""Lines of ordinary things, one after another in one go: what the next checkpoints and records say, as rows.

A row is what stands in a line (`persist/lines.py`) before it is JSON. Nothing in it needs a tag, and nobody changes it
any more, so the tip keeps the values of checkpoints as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from stepgraph.core.checkpoint import Extend, Removed, Row, of_row
from stepgraph.persist import fast
from stepgraph.persist.changes import LONG, SMALL
from stepgraph.persist.codec import ATOMS, Codec, line_of
from stepgraph.persist.encoded import Encoded
from stepgraph.persist.lines import split_id
from stepgraph.persist.tip import PER_LINE, Tip

Kept = tuple[str, bytes]
"""The record of a task: the id of its checkpoint, and its line."""
KEPT: Final = 2
"""Its length, which no Row has."""


def follow(tip: Tip, waiting: Sequence[Row | Kept], place: int, lines: list[bytes], ids: list[str | None]) -> int:
    """Make lines of what waits from a place on, up to what is out of the ordinary; gives the place of that.

    Each checkpoint's values are its own, and its metadata never changes. When this raises, the tip is of no more use.
    """
    prefix, counter, step, version, micros = tip.prefix, tip.counter, tip.step, tip.version, tip.micros
    parent, last, shape = tip.parent, tip.id, (tip.source, tip.next, tip.ran)
    values, versions, seen, shapes, numbered = tip.values, tip.versions, tip.seen, tip.shapes, tip.numbered
    since, check, metadata = tip.since, tip.check, tip.metadata_seen
    begun, dumps = place, fast.dumps
    each: Any
    for each in islice(waiting, place, None):
        if len(each) == KEPT:
            if each[0] != last:
                break
            ids.append(None)  # first the id, for an interrupt in between: a line too few is made again
            lines.append(each[1])
            place += 1
            continue
        own_id, before, own_step, source, time, own_version, sets, following, ran, said = each
        if (
            said is not metadata
            or since >= check
            or own_version != version + 1
            or own_step != step + 1
            or before != last
            or counter < 0
        ):
            break
        parts: Parts | None = None
        for value in sets.values():
            kind = type(value)
            if not (kind in SMALL or (kind is str and len(value) < LONG)):
                parts = Parts(sets, values)
                break
        if parts is not None and parts.unfit:
            break
        rare: dict[str, Any] | None = None
        if own_id == f"{prefix}{counter + 1:012x}":
            counter += 1
        else:
            skipped = int(own_id[24:], 16) if own_id.startswith(prefix) and len(own_id) == 36 else -1
            if own_id != f"{prefix}{skipped:012x}":
                break
            counter, rare = skipped, {"n": skipped}
        shape = (source, following, ran)
        number: Any = shapes.get(shape)
        if number is None:
            number = shape
            shapes[shape] = len(numbered)
            numbered.append(shape)
        now = round(time * 1e6)
        version += 1
        for key in sets:
            versions[key] = version
        row: tuple[Any, ...] = (number, now - micros, sets)
        if parts is not None:
            row = (number, now - micros, parts.sets)
            if parts.gone:
                rare = {**(rare or {}), "g": parts.gone}
            if parts.grown:
                row += (parts.grown,)
        if rare is not None:
            row = (*row, rare) if len(row) > 3 else (*row, {}, rare)  # what grew comes before
        line = None if dumps is None else dumps(row)
        if line is None:
            line = line_of(row)
        if parts is None:
            values.update(sets)
        else:
            parts.apply(values, len(line))
        for node in ran:
            seen[node] = version
        step, micros = own_step, now
        parent, last = last, own_id
        ids.append(own_id)
        lines.append(line)
        since += len(line) + PER_LINE
        place += 1
    if place > begun:
        tip.counter, tip.step, tip.version, tip.micros = counter, step, version, micros
        tip.since = since
        if last != tip.id:
            tip.parent, tip.id = parent, last
            tip.source, tip.next, tip.ran = shape
            tip.sends = tip.channels = tip.parent_thread = tip.parent_ns = None
    return place


class Parts:
    """Changes of which some are no small values: what a line says of them, and what they make of the values before."""

    __slots__ = ("gone", "grown", "sets", "unfit")

    def __init__(self, changes: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self.sets: dict[str, Any] = {}
        self.grown: dict[str, Any] = {}
        self.gone: list[str] = []
        self.unfit = False
        """Whether there is a value of which its difference to the one before may be stored."""
        for key, value in changes.items():
            kind = type(value)
            if kind is Extend:
                old = values.get(key)
                if old is None:
                    self.sets[key] = value.items
                elif type(old) is Encoded and old.is_list:
                    self.grown[key] = value.items
                else:
                    self.unfit = True
            elif kind is Removed:
                self.gone.append(key)
            else:
                old = values.get(key)
                self.sets[key] = value
                if type(old) is Encoded:
                    self.unfit = self.unfit or (old.most >= LONG and old.size() >= LONG)
                elif kind is str and len(value) >= LONG:
                    self.unfit = True

    def apply(self, values: dict[str, Any], most: int) -> None:
        """Take the changes over; none takes more than so many bytes."""
        for key, value in self.sets.items():
            values[key] = value if type(value) in ATOMS else Encoded.of_plain(value, most)
        for key, items in self.grown.items():
            values[key].grow_plain(items, most)
        for key in self.gone:
            values.pop(key, None)


def begin(row: Row, codec: Codec) -> tuple[Tip, bytes]:
    """A tip for the first checkpoint of all, whose values and metadata nobody changes; with its line."""
    own_id, _, step, source, time, version, changes, following, ran, said = row
    parts, tip = Parts(changes, {}), Tip()
    if parts.gone:
        line = tip.begin(of_row(row), codec)
        tip.metadata_seen = said
        return tip, line
    tip.id, tip.step, tip.version, tip.micros = own_id, step, version, round(time * 1e6)
    tip.prefix, tip.counter = split_id(own_id)
    tip.source, tip.next, tip.ran = shape = (source, following, ran)
    tip.shapes, tip.numbered = {shape: 0}, [shape]
    tip.seen = dict.fromkeys(ran, version)
    tip.versions = dict.fromkeys(parts.sets, version)
    tip.says(said)
    line = (
        line_of(
            {
                "id": tip.id,
                "step": tip.step,
                "version": version,
                "time": tip.micros,
                "shape": shape,
                "versions": [version] * len(parts.sets),
                "seen": tip.seen,
                "m": said,
                "values": parts.sets,
            }
        )[:-1]
        + b',"parent":null}'
    )
    parts.apply(tip.values, len(line))
    tip.restart(len(line))
    return tip, line
