"""Lines back to states: one checkpoint, or all of them with what they share decoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from stepgraph.core.checkpoint import Record, Stored
from stepgraph.core.errors import CheckpointError
from stepgraph.core.types import MISSING
from stepgraph.persist.codec import Codec, Unreadable, parse
from stepgraph.persist.lines import LINK, is_record, read_record, text_of
from stepgraph.persist.tip import Encoded, Head, Ref, Tip, Undo, ref

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
    for lines in reversed(stretches):
        for line in lines:
            if not is_record(line):
                tip.replay(line, codec)
    return tip


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


def records(lines: Iterable[bytes], checkpoint: str, codec: Codec) -> tuple[Record, ...]:
    """Of a checkpoint's lines, one record for each task and kind: the last, in the order of the first."""
    found: dict[tuple[str, str], Record] = {}
    for line in lines:
        record, named = read_record(line, codec)
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
        namespace = f", namespace {log.ns!r}" if log.ns else ""
        raise CheckpointError(
            f"Thread {log.thread!r}{namespace}, step {tip.step}, checkpoint {tip.id}: "
            f"cannot read {error.path or 'a record'}: {error.what}. {error.mend}"
        ) from error


class _Frame(NamedTuple):
    """One checkpoint of a stretch; `undo` leads to the one before it."""

    head: Head
    undo: Undo
    records: list[bytes]


def history(opened: Open, log: Log, before: int | None, codec: Codec, values: bool) -> Iterator[Stored]:
    """Checkpoints, newest first. Each run of lines is replayed once forwards, then walked back by undoing changes."""
    late = log.late()
    for lines in log.stretches(before):
        tip = Tip()
        if lines[0].startswith(LINK):
            tip = replayed(opened, *_linked_to(opened, log, lines[0]), codec)
        frames = _frames(tip, lines, codec)
        yield from _backwards(log, tip, frames, late, codec, values)


def _frames(tip: Tip, lines: list[bytes], codec: Codec) -> list[_Frame]:
    frames: list[_Frame] = []
    for line in lines:
        if is_record(line):
            frames[-1].records.append(line)
        else:
            undo = Undo()
            tip.replay(line, codec, undo)
            frames.append(_Frame(tip.head(), undo, []))
    return frames


def _backwards(
    log: Log, tip: Tip, frames: list[_Frame], late: dict[str, list[bytes]], codec: Codec, values: bool
) -> Iterator[Stored]:
    shown: dict[str, Any] = {}
    if values:
        with explained(log, frames[-1].head):
            _show(shown, ((key, ref(value)) for key, value in tip.values.items()), codec)
    seen, versions = tip.seen, tip.versions
    for frame in reversed(frames):
        head, undo, lines = frame
        with explained(log, head):
            found = records([*lines, *late.get(head.id, ())], head.id, codec) if lines or late else ()
            yield stored(log, head, dict(shown), dict(seen), dict(versions), found, codec)
            if frame is frames[0]:
                return
            if values:
                _show(shown, ((key, value) for key, value, _ in undo.values), codec)
        _restore(versions, ((key, version) for key, _, version in undo.values))
        _restore(seen, undo.seen)


def _show(shown: dict[str, Any], refs: Iterable[tuple[str, Ref]], codec: Codec) -> None:
    for key, value in refs:
        if value.value is MISSING:
            shown.pop(key, None)
            continue
        try:
            shown[key] = value.made(codec)
        except Exception as error:  # as in `decoded`
            raise _unreadable(key, value.value, codec) from error


def _restore(numbers: dict[str, int], before: Iterable[tuple[str, int | None]]) -> None:
    for name, number in before:
        if number is None:
            numbers.pop(name, None)
        else:
            numbers[name] = number


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
        head.control(codec),
        seen,
        versions,
        codec.loads(head.metadata),
        found,
        head.parent_thread,
    )
