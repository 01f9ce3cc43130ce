"""Lines of ordinary things, one after another in one go: what the next checkpoints and records say, as rows.

A row is what stands in a line (`persist/lines.py`) before it is JSON. Nothing in it needs a tag, and nobody changes it
any more, so the tip keeps the values of checkpoints as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from stepgraph.core.checkpoint import Checkpoint, Extend, Removed
from stepgraph.persist.changes import LONG, SMALL
from stepgraph.persist.codec import ATOMS, Codec, line_of
from stepgraph.persist.encoded import Encoded
from stepgraph.persist.lines import split_id
from stepgraph.persist.tip import PER_LINE, Tip

Kept = tuple[str, bytes]
"""The record of a task: the id of its checkpoint, and its line."""


def follow(
    tip: Tip, waiting: Sequence[Checkpoint | Kept], place: int, lines: list[bytes], ids: list[str | None]
) -> int:
    """Make lines of what waits from a place on, up to what is out of the ordinary; gives the place of that.

    Each checkpoint's values are its own, and its metadata never changes. When this raises, the tip is of no more use.
    """
    prefix, counter, step, version, micros = tip.prefix, tip.counter, tip.step, tip.version, tip.micros
    parent, last, shape = tip.parent, tip.id, (tip.source, tip.next, tip.ran)
    values, versions, seen, shapes, numbered = tip.values, tip.versions, tip.seen, tip.shapes, tip.numbered
    since, check, metadata = tip.since, tip.check, tip.metadata_seen
    begun = place
    each: Any
    for each in islice(waiting, place, None):
        if type(each) is tuple:
            if each[0] != last:
                break
            ids.append(None)  # first the id, for an interrupt in between: a line too few is made again
            lines.append(each[1])
            place += 1
            continue
        own_id, control, sets = each.id, each.control, each.changes
        if (
            each.metadata is not metadata
            or since >= check
            or each.version != version + 1
            or each.step != step + 1
            or each.parent != last
            or control.sends
            or control.channels
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
        rare: dict[str, Any] = {}
        if own_id == f"{prefix}{counter + 1:012x}":
            counter += 1
        else:
            skipped = int(own_id[24:], 16) if own_id.startswith(prefix) and len(own_id) == 36 else -1
            if own_id != f"{prefix}{skipped:012x}":
                break
            counter = rare["n"] = skipped
        shape = (each.source, control.next, each.ran)
        number: Any = shapes.get(shape)
        if number is None:
            number = shape
            shapes[shape] = len(numbered)
            numbered.append(shape)
        now = round(each.time * 1e6)
        row = [number, now - micros, sets]
        version += 1
        for key in sets:
            versions[key] = version
        if parts is not None:
            row[2] = sets = parts.sets
            if parts.gone:
                rare["g"] = parts.gone
            if parts.grown:
                row.append(parts.grown)
        if rare:
            if len(row) == 3:
                row.append({})
            row.append(rare)
        line = line_of(row)
        if parts is None:
            values.update(sets)
        else:
            parts.apply(values, len(line))
        for node in each.ran:
            seen[node] = version
        step, micros = each.step, now
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


def begin(checkpoint: Checkpoint, codec: Codec) -> tuple[Tip, bytes]:
    """A tip for the first checkpoint of all, whose values and metadata nobody changes; with its line."""
    parts, tip, version = Parts(checkpoint.changes, {}), Tip(), checkpoint.version
    if parts.gone or checkpoint.control.sends or checkpoint.control.channels:
        line = tip.begin(checkpoint, codec)
        tip.metadata_seen = checkpoint.metadata
        return tip, line
    tip.id, tip.step, tip.version, tip.micros = checkpoint.id, checkpoint.step, version, round(checkpoint.time * 1e6)
    tip.prefix, tip.counter = split_id(checkpoint.id)
    tip.source, tip.next, tip.ran = shape = (checkpoint.source, checkpoint.control.next, checkpoint.ran)
    tip.shapes, tip.numbered = {shape: 0}, [shape]
    tip.seen = dict.fromkeys(checkpoint.ran, version)
    tip.versions = dict.fromkeys(parts.sets, version)
    tip.says(checkpoint.metadata)
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
                "m": checkpoint.metadata,
                "values": parts.sets,
            }
        )[:-1]
        + b',"parent":null}'
    )
    parts.apply(tip.values, len(line))
    tip.restart(len(line))
    return tip, line
