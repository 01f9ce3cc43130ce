"""Lines back to states: one checkpoint, or all of them with what they share decoded once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stepgraph.core.checkpoint import Control, Record, Stored
from stepgraph.core.errors import CheckpointError
from stepgraph.core.types import MISSING
from stepgraph.persist.codec import MARK, Codec, Unreadable, parse
from stepgraph.persist.encoded import Encoded
from stepgraph.persist.lines import LINK, OUTCOMES, is_record, read_record, text_of
from stepgraph.persist.outcomes import outcomes_of
from stepgraph.persist.tip import Head, Tip, Undo

if TYPE_CHECKING:
    from stepgraph.persist.log import Log

Open = Callable[..., "Log | None"]


def replayed(opened: Open, log: Log, number: int, codec: Codec) -> Tip:
    """The tip at a checkpoint's line. Follows links, of which there may be many, until a keyframe."""
    stretches = [log.stretch(number)]
    while stretches[-1][0].startswith(LINK):
        log, number = _linked_to(opened, log, stretches[-1][0])
        stretches.append(log.stretch(number))
    tip = Tip()
    with undamaged(log):
        for lines in reversed(stretches):
            for line in lines:
                if not is_record(line):
                    tip.replay(line, codec)
    return tip


@contextmanager
def undamaged(log: Log) -> Iterator[None]:
    """Turns what parsing damaged lines raises into an error that says so."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"Thread {log.thread!r}{f', namespace {log.ns!r}' if log.ns else ''}: what is stored is damaged "
            f"({type(error).__name__}: {error}). Restore the store from a backup, or go on from another thread."
        ) from error


def _linked_to(opened: Open, log: Log, line: bytes) -> tuple[Log, int]:
    row = parse(text_of(line))
    parent = log if row.get("thread") is None else opened(row["thread"], row["ns"], create=False)
    number = None if parent is None else parent.find(row["parent"])
    if parent is None or number is None:
        raise CheckpointError(
            f"Thread {log.thread!r}: checkpoint {row['parent']}, from which a fork starts, is gone. "
            "The store is damaged: restore it from a backup."
        )
    return parent, number


def child_of(parent: Tip, sources: Collection[str]) -> Callable[[bytes], bool]:
    """Whether a line is that of a child of `parent` with one of these sources; of a delta it is known to be a child."""

    def wanted(line: bytes) -> bool:
        row = parse(text_of(line))
        if type(row) is dict:
            if row.get("thread") is not None or row["parent"] != parent.id:
                return False
            shape = row["d"][0] if "d" in row else row["shape"]
        else:
            shape = row[0]
        source = parent.numbered[shape][0] if type(shape) is int else shape[0]
        return source in sources

    return wanted


def records(lines: Iterable[bytes], checkpoint: str, codec: Codec) -> tuple[Record, ...]:
    """Of a checkpoint's lines, one record for each task and kind: the last, in the order of the first."""
    found: dict[tuple[str, str], Record] = {}
    for line in lines:
        text = text_of(line)
        row = parse(text)
        if row[0] == OUTCOMES:
            if len(row) == 3 or row[3] == checkpoint:
                found.update(((record.task, record.kind), record) for record in outcomes_of(row))
            continue
        record, named = read_record(row, codec, tagged=MARK in text)
        if named is None or named == checkpoint:
            found[record.task, record.kind] = record
    return tuple(found.values())


def decoded(tip: Tip, codec: Codec, *, shared: bool) -> dict[str, Any]:
    """The values of a tip for a reader, who owns them. A tip that is not `shared` is of no more use afterwards.

    An error names the path to the value.
    """
    values: dict[str, Any] = {}
    for key, value in tip.values.items():
        if type(value) is not Encoded:
            values[key] = value
            continue
        try:
            values[key] = codec.loads(value.peek()) if shared else value.value(codec)
        except Exception as error:  # whatever a class's own code raised: named with its place
            raise _unreadable(key, value, codec) from error
    return values


def _unreadable(key: str, value: Encoded, codec: Codec) -> Unreadable:
    return codec.why_not(parse(value.peek()), key)


@contextmanager
def explained(log: Log, tip: Head | Tip) -> Iterator[None]:
    """Turns what a value's decoding raised into an error that says which checkpoint it is in."""
    try:
        yield
    except Unreadable as error:
        raise _located(log, tip, error) from error


def _located(log: Log, tip: Head | Tip, error: Unreadable) -> CheckpointError:
    namespace = f", namespace {log.ns!r}" if log.ns else ""
    return CheckpointError(
        f"Thread {log.thread!r}{namespace}, step {tip.step}, checkpoint {tip.id}: "
        f"cannot read {error.path or 'a record'}: {error.what}. {error.mend}"
    )


_Frame = tuple[Head, Undo | None, list[bytes]]
"""One checkpoint of a stretch, what leads to the one before it, and its records' lines."""


def history(opened: Open, log: Log, before: int | None, codec: Codec, values: bool) -> Iterator[Stored]:
    """Checkpoints, newest first. Each run of lines is replayed once forwards, then walked back by undoing changes."""
    late = log.late()
    for lines in log.stretches(before):
        tip = Tip()
        if lines[0].startswith(LINK):
            tip = replayed(opened, *_linked_to(opened, log, lines[0]), codec)
        with undamaged(log), explained(log, tip):
            frames = _frames(tip, lines, codec, values)
        yield from _backwards(log, tip, frames, late, codec.reading(tip.memo.pool), values)


def _frames(tip: Tip, lines: list[bytes], codec: Codec, values: bool) -> list[_Frame]:
    frames: list[_Frame] = []
    for line in lines:
        if is_record(line):
            frames[-1][2].append(line)
        else:
            undo = tip.replay(line, codec, undoable=True, decode=values)
            frames.append((tip.head(), undo, []))
    return frames


def _backwards(
    log: Log, tip: Tip, frames: list[_Frame], late: dict[str, list[bytes]], codec: Codec, values: bool
) -> Iterator[Stored]:
    shown: dict[str, Any] = {}
    seen, versions = tip.seen, tip.versions
    head = frames[-1][0]
    try:
        if values:
            for key, value in tip.values.items():
                shown[key] = _made(key, value, None, codec)
        for head, undo, lines in reversed(frames):
            found = records([*lines, *late.get(head.id, ())], head.id, codec) if lines or late else ()
            yield stored(log, head, shown.copy(), seen.copy(), versions.copy(), found, codec)
            if undo is None:
                return
            for key, value, length, version in undo.values:
                if version is None:
                    versions.pop(key, None)
                else:
                    versions[key] = version
                if not values:
                    continue
                if value is MISSING:
                    shown.pop(key, None)
                else:
                    shown[key] = value if type(value) is not Encoded else _made(key, value, length, codec)
            for node, version in undo.seen:
                if version is None:
                    seen.pop(node, None)
                else:
                    seen[node] = version
    except Unreadable as error:
        raise _located(log, head, error) from error


def _made(key: str, value: Any, length: int | None, codec: Codec) -> Any:
    """A value of a snapshot. A list is a new one that shares its items with those of other snapshots."""
    if type(value) is not Encoded:
        return value
    try:
        whole = value.value(codec)
    except Exception as error:  # as in `decoded`
        raise _unreadable(key, value, codec) from error
    return whole[:length] if value.is_list else whole


def stored(
    log: Log,
    head: Head,
    values: dict[str, Any],
    seen: dict[str, int],
    versions: dict[str, int],
    found: tuple[Record, ...],
    codec: Codec,
) -> Stored:
    """A checkpoint as its reader gets it."""
    return Stored(
        log.thread,
        log.ns,
        head.id,
        head.parent,
        head.step,
        head.source,
        head.micros / 1e6,
        head.version,
        values,
        head.control(codec) if head.sends or head.channels else Control(head.next),
        seen,
        versions,
        codec.loads(head.metadata) if head.metadata != "{}" else {},
        found,
        head.parent_thread,
    )
