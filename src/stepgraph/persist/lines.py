"""The form of a log's lines: one JSON text a checkpoint or record, small because it says only what its parent can't.

    [shape,dt,{key:value}]                      a delta: the child of the checkpoint line before it
    [shape,dt,{key:value},{key:[items]},{...}]  the same with lists that grew, and with rarer things
    {"id":…,"values":{…},…}                     a keyframe: the whole state
    {"parent":…,"d":[…]}                        a link: a delta whose parent is not the line before it
    ["outcome","task","node",path,payload]      a record of the checkpoint line before it, or of the id that follows
    ["outcomes",[…],[…]]                        many of these in short (`persist/outcomes.py`)

`shape` is `[source,next,ran]` the first time and its number afterwards; numbers start anew at each keyframe. `dt` is
microseconds since the parent. The rarer things: i (id), n (its counter), s (step), v (version), m (metadata), g (keys
removed), p (patches of long values), l (splices of lists), x (sends), c (raw channels), b (big items by number, of
which `{"~":"#","v":number}` then stands for one); each is left out where it follows from the parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stepgraph.core.checkpoint import Kind, Record
from stepgraph.persist.codec import ATOMS, ENCODING, Codec, line_of, parse, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stepgraph.persist.changes import Carrier

KEYFRAME: Final = b'{"id"'
LINK: Final = b'{"parent"'
RECORD: Final = b'["'
RESULTS: Final = b'["outcome', b'["proposal"', b'["error"'
"""How lines begin that tell what came of a task. There is a checkpoint then, which need not be so of what the debugger
keeps: a graph that keeps no checkpoints is asked about too."""
OUTCOMES: Final = "outcomes"
"""How lines begin that have the outcomes of many tasks (`persist/outcomes.py`)."""


def text_of(line: bytes) -> str:
    """A stored line as text."""
    return line.decode(*ENCODING)


def is_mark(line: bytes) -> bool:
    """Whether replaying may start here: a keyframe, or a link that says where to go on."""
    return line.startswith(b"{")


def is_record(line: bytes) -> bool:
    """Whether the line is a task's record and no checkpoint."""
    return line.startswith(RECORD)


def last_checkpoint(lines: list[bytes]) -> int | None:
    """The place of the last line that is a checkpoint."""
    return next((place for place in range(len(lines) - 1, -1, -1) if not is_record(lines[place])), None)


def until_checkpoint(lines: list[bytes]) -> list[bytes]:
    """The records before the first checkpoint."""
    for place, line in enumerate(lines):
        if not is_record(line):
            return lines[:place]
    return lines


class Id(NamedTuple):
    """A checkpoint's id as what a run's ids have in common, and a counter."""

    prefix: str
    counter: int

    def __str__(self) -> str:
        return f"{self.prefix}{self.counter:012x}" if self.counter >= 0 else self.prefix


def split_id(text: str) -> Id:
    """`xxxxxxxx-xxxx-6xxx-xxxx-` and the last twelve hex digits as a number; any other id is a prefix of its own."""
    if len(text) == 36:
        try:
            counter = int(text[24:], 16)
        except ValueError:
            return Id(text, -1)
        if f"{counter:012x}" == text[24:]:
            return Id(text[:24], counter)
    return Id(text, -1)


class Late(NamedTuple):
    """A record as read, with the id of its checkpoint when the line names it."""

    record: Record
    checkpoint: str | None


def record_line(record: Record, codec: Codec, checkpoint: str | None, carrier: Carrier | None = None) -> bytes:
    """The line of a record; `checkpoint` when it does not belong to the checkpoint line before it.

    With a `carrier` what is known is not encoded again in what `Send` carries.
    """
    path = record.path if not record.path else codec.lower(record.path)["~"]
    row: list[Any] = [record.kind, record.task, record.node, path]
    if carrier is not None and _carries(record):
        line = f"{write(row)[:-1]},{_told(record.payload, codec, carrier)}]"
        return (line if checkpoint is None else f"{line[:-1]},{write(checkpoint)}]").encode(*ENCODING)
    row.append(_packed(record.kind, record.payload, codec))
    if checkpoint is not None:
        row.append(checkpoint)
    return line_of(row)


def _carries(record: Record) -> bool:
    """Whether an outcome of the usual form has a write or route of which something may come again."""
    if record.kind != "outcome" or type(record.payload) is not tuple:
        return False
    writes, routes, joins = record.payload
    return (
        type(routes) is tuple
        and type(joins) is tuple
        and _are_pairs(writes)
        and not (all(type(route) is str for route in routes) and all(type(write[1]) in ATOMS for write in writes))
    )


def _told(payload: Any, codec: Codec, carrier: Carrier) -> str:
    """As `_packed`, as text."""
    writes, routes, joins = payload
    pairs = ",".join([f"{write(key)},{carrier.written(value)}" for key, value in writes])
    told = ",".join(
        [f'{{"~":[{carried(route, carrier)}]}}' if type(route) is tuple else codec.dumps(route) for route in routes]
    )
    return f"[[{pairs}],[{told}],{write(joins)}]"


def sent(sends: Sequence[tuple[str, Any, Any]], codec: Codec, carrier: Carrier) -> str:
    """The text of all that `Send` made."""
    if not carrier.knows:
        return codec.plain([(node, codec.lower(arg), timeout) for node, arg, timeout in sends])
    return f"[{','.join([f'[{carried(send, carrier)}]' for send in sends])}]"


def carried(parts: tuple[Any, ...], carrier: Carrier) -> str:
    """The text of what a `Send` consists of, without brackets."""
    return ",".join([carrier.text(part) for part in parts])


def read_record(row: list[Any], codec: Codec, *, tagged: bool) -> Late:
    """The inverse of `record_line`, of a line that has been parsed. `tagged`: there may be tags in it."""
    kind, task, node, path, payload = row[:5]
    found = _unpacked(payload, codec, tagged)
    places = tuple(codec.lift_all(path) if tagged else path)
    return Late(Record(task, kind, found, node, places), row[5] if len(row) > 5 else None)


def _packed(kind: Kind, payload: Any, codec: Codec) -> Any:
    """Outcomes and proposals, the frequent ones, without tags for their tuples: `[[key,value,…],routes,…]`."""
    if kind in _WRITES and type(payload) is tuple and len(payload) == _WRITES[kind] and _are_pairs(payload[0]):
        writes: list[Any] = []
        lower = codec.lower
        for key, value in payload[0]:
            writes += (key, lower(value))
        return [
            writes,
            *(lower(each)["~"] if type(each) is tuple else {"~": "v", "v": lower(each)} for each in payload[1:]),
        ]
    return {"~": "v", "v": codec.lower(payload)}


_WRITES: Final[dict[str, int]] = {"outcome": 3, "proposal": 2}
"""Length of the payloads that begin with writes."""


def _are_pairs(writes: Any) -> bool:
    return type(writes) is tuple and all(
        type(each) is tuple and len(each) == 2 and type(each[0]) is str for each in writes
    )


def _unpacked(payload: Any, codec: Codec, tagged: bool) -> Any:
    if type(payload) is dict:
        return codec.lift(payload["v"])
    writes, *others = payload
    if tagged:
        writes = codec.lift_all(writes)
    rest = (codec.lift(each["v"]) if type(each) is dict else tuple(codec.lift_all(each)) for each in others)
    return (tuple(zip(writes[::2], writes[1::2], strict=True)), *rest)


def linked(line: bytes, parent: str, thread: str | None = None, ns: str | None = None) -> bytes:
    """A delta line as a link."""
    head: dict[str, Any] = {"parent": parent}
    if thread is not None:
        head["thread"], head["ns"] = thread, ns
    return write(head)[:-1].encode(*ENCODING) + b',"d":' + line + b"}"


def owned(line: bytes, checkpoint: str) -> bytes:
    """A record's line with the id of its checkpoint, unless it has it."""
    return line if checkpoint_of(line) is not None else line[:-1] + b"," + write(checkpoint).encode(*ENCODING) + b"]"


def checkpoint_of(line: bytes) -> str | None:
    """The id of a record's checkpoint when its line names it."""
    row = parse(text_of(line))
    place = 3 if row[0] == OUTCOMES else 5
    return row[place] if len(row) > place else None
