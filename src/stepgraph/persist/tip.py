"""The state at one checkpoint in encoded form: grows by saving a checkpoint, or by replaying a stored line.

Both ways lead to the same tip, so a backend may drop it at any time and replay. Encoded values are kept to write
keyframes without encoding anything twice, and to find what a new value shares with the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final, NamedTuple

from stepgraph.core.checkpoint import Checkpoint, Control, Source
from stepgraph.core.types import MISSING
from stepgraph.persist.changes import LONG, SMALL, Carrier, Changes, delta, joined, quoted
from stepgraph.persist.codec import ATOMS, ENCODING, MARK, Codec, canonical, is_small, parse, write
from stepgraph.persist.encoded import Encoded
from stepgraph.persist.items import Memo
from stepgraph.persist.lines import KEYFRAME, sent, split_id, text_of
from stepgraph.persist.patch import patched

_LEAST: Final = 2048
"""Bytes that a keyframe counts at least: a small state would else be stored whole all the time."""
_NEVER: Final = 1 << 62
PER_LINE: Final = 24
"""Bytes that a line counts besides its own: replaying it costs about as much as parsing so many."""
Shape = tuple[Any, tuple[str, ...], tuple[str, ...]]
"""(source, next, ran): the same few again and again, so a line names them by a number."""


class Tip:
    """The newest checkpoint of a branch. `values` holds atoms as they are, everything else as Encoded."""

    __slots__ = (
        "channels",
        "check",
        "counter",
        "id",
        "keyframe_size",
        "memo",
        "metadata",
        "metadata_seen",
        "metadata_text",
        "metadata_types",
        "micros",
        "next",
        "numbered",
        "parent",
        "parent_ns",
        "parent_thread",
        "prefix",
        "ran",
        "seen",
        "sends",
        "shapes",
        "since",
        "source",
        "step",
        "values",
        "version",
        "versions",
    )

    def __init__(self) -> None:
        self.id: str | None = None
        self.prefix, self.counter = "", -1
        self.parent: str | None = None
        self.parent_thread: str | None = None
        self.parent_ns: str | None = None
        self.step = self.version = self.micros = 0
        self.source: Any = "input"
        self.next: tuple[str, ...] = ()
        self.ran: tuple[str, ...] = ()
        self.sends: str | None = None
        self.channels: str | None = None
        self.metadata: dict[str, Any] = {}
        self.metadata_seen: Mapping[str, Any] | None = None
        """An object that nobody changes and that says the same, if one is known."""
        self.metadata_types: list[type] | None = []
        """Types of the values of flat metadata; None when it is nested, and then compared as text."""
        self.metadata_text = "{}"
        self.values: dict[str, Any] = {}
        self.seen: dict[str, int] = {}
        self.versions: dict[str, int] = {}
        self.shapes: dict[Shape, int] = {}
        self.numbered: list[Shape] = []
        """The inverse of `shapes`."""
        self.memo = Memo()
        self.keyframe_size = 0
        self.since = 0
        """Bytes of deltas since the last keyframe."""
        self.check = 0
        """When `since` reaches this, look whether a keyframe pays."""

    # ---- saving

    def advance(self, checkpoint: Checkpoint, codec: Codec) -> bytes:
        """Become `checkpoint`, a child of the present one; gives its line: a delta, or a keyframe when that pays.

        Raises Unstorable, and is unchanged then.
        """
        atoms = checkpoint.changes
        changes: Changes | None = None
        for value in atoms.values():
            kind = type(value)
            if not (kind in SMALL or (kind is str and len(value) < LONG)):
                changes = Changes(atoms, self.values, codec, self.memo)
                atoms = changes.atoms
                break
        own_id, step, version, control = checkpoint.id, checkpoint.step, checkpoint.version, checkpoint.control
        rare: dict[str, str] = {}
        if own_id != f"{self.prefix}{self.counter + 1:012x}":
            self._tell_id(own_id, rare)
        if step != self.step + 1:
            rare["s"] = str(step)
        if version != self.version + 1:
            rare["v"] = str(version)
        if self.metadata or checkpoint.metadata:
            self._tell_metadata(checkpoint.metadata, codec, rare)
        if control.sends and all(limits is None and is_small(given) for _, given, limits in control.sends):
            rare["x"] = write(control.sends)
        elif control.sends:
            if changes is None:
                self.memo.begin()
            carrier = Carrier(self.values, codec, self.memo, self.memo.text)
            rare["x"] = sent(control.sends, codec, carrier)
        if control.channels:
            rare["c"] = codec.dumps(dict(control.channels))
        pool = self.memo.pool
        if pool.fresh:
            rare["b"] = pool.definitions(pool.fresh)
        shape = (checkpoint.source, control.next, checkpoint.ran)
        number = self.shapes.get(shape)
        micros = round(checkpoint.time * 1e6)
        if changes is None and not rare and number is not None:
            line = f"[{number},{micros - self.micros},{write(atoms)}]".encode(*ENCODING)
        else:
            start = write(shape) if number is None else str(number)
            line = delta(start, micros - self.micros, atoms, changes, rare).encode(*ENCODING)
        # From here on nothing fails.
        if number is None:
            self.shapes[shape] = len(self.numbered)
            self.numbered.append(shape)
        if rare:
            self.prefix, self.counter = split_id(own_id)
            if "m" in rare:
                self._take_metadata(rare["m"], codec)
            pool.fresh.clear()
        else:
            self.counter += 1
        self.parent, self.id = self.id, own_id
        self.parent_thread, self.parent_ns = checkpoint.parent_thread, checkpoint.parent_ns
        self.step, self.version, self.micros = step, version, micros
        self.source, self.next, self.ran = shape
        self.sends, self.channels = rare.get("x"), rare.get("c")
        seen, versions = self.seen, self.versions
        for node in checkpoint.ran:
            seen[node] = version
        for key in checkpoint.changes:
            versions[key] = version
        self.values.update(atoms)
        if changes is not None:
            changes.apply(self.values)
        self.since += len(line) + PER_LINE
        if self.since >= self.check and self._pays():
            return self.keyframe()
        return line

    def begin(self, checkpoint: Checkpoint, codec: Codec) -> bytes:
        """Become the first checkpoint of all; gives its line."""
        self.check = _NEVER
        self.advance(checkpoint, codec)
        return self.keyframe()

    def carrier(self, codec: Codec) -> Carrier:
        """What encodes for a record the arguments of tasks, which often have the state's own lists in them."""
        self.memo.begin()
        return Carrier(self.values, codec, self.memo, self.memo.recorded)

    def _tell_id(self, id: str, rare: dict[str, str]) -> None:
        prefix, counter = split_id(id)
        if prefix == self.prefix and counter >= 0:
            rare["n"] = str(counter)
        else:
            rare["i"] = write(id)

    def _tell_metadata(self, metadata: Mapping[str, Any], codec: Codec, rare: dict[str, str]) -> None:
        """If it changed; equal values of other types (1 and True) count as changed."""
        types = self.metadata_types
        if types is not None and metadata == self.metadata and list(map(type, metadata.values())) == types:
            return
        text = codec.dumps(dict(metadata))
        if types is not None or text != self.metadata_text:
            rare["m"] = text

    def _take_metadata(self, text: str, codec: Codec) -> None:
        self.metadata_text, self.metadata_seen = text, None
        self.metadata = codec.loads(text)
        types = list(map(type, self.metadata.values()))
        self.metadata_types = types if ATOMS.issuperset(types) else None

    def says(self, metadata: Mapping[str, Any]) -> None:
        """Its metadata, plain and never to be changed."""
        self.metadata_seen = metadata
        if metadata:
            self.metadata, self.metadata_text = dict(metadata), write(metadata)
            types = list(map(type, metadata.values()))
            self.metadata_types = types if ATOMS.issuperset(types) else None

    def _pays(self) -> bool:
        """Whether the deltas since the last keyframe outweigh a new one twice.

        Looked at now and then: what is big may be gone since. Keyframes so take at most 1.5 times the bytes of the
        deltas, and a replay reads at most three times the state.
        """
        if self.since < 2 * self.keyframe_size:
            size = sum(
                value.size() if type(value) is Encoded else len(value) if type(value) is str else 8
                for value in self.values.values()
            )
            size += 16 * len(self.values) + 24 * len(self.seen)
            if len(self.memo.pool):
                size += self.memo.pool.size(self._named())
            if self.since < 2 * max(size, _LEAST):
                self.check += max(self.keyframe_size // 2, _LEAST)
                return False
        return True

    def keyframe(self, *, shapes: bool = False) -> bytes:
        """The line that holds everything; with `shapes` also their numbers, for a line in the middle of a branch."""
        atoms = {key: value for key, value in self.values.items() if type(value) is not Encoded}
        others = {key: value for key, value in self.values.items() if type(value) is Encoded}
        row: dict[str, Any] = {
            "id": self.id,
            "parent": self.parent,
            "step": self.step,
            "version": self.version,
            "time": self.micros,
            "shape": [self.source, self.next, self.ran],
            "versions": [self.versions[key] for key in (*atoms, *others)],
            "seen": self.seen,
        }
        if self.parent_thread is not None:
            row["thread"], row["ns"] = self.parent_thread, self.parent_ns
        gone = {key: version for key, version in self.versions.items() if key not in self.values}
        if gone:
            row["gone"] = gone
        if shapes:
            row["shapes"] = self.numbered
        else:
            self._renumber([(self.source, self.next, self.ran)])
        texts = {"m": self.metadata_text, "x": self.sends, "c": self.channels}
        texts["values"] = joined(atoms, (f"{quoted(key)}:{value.text()}" for key, value in others.items()))
        pool = self.memo.pool
        if len(pool):
            named = pool.numbers() if shapes else sorted(self._named())
            texts["b"] = pool.definitions(named)
            pool.keep(named)
        pieces = (f',"{name}":{text}' for name, text in texts.items() if text is not None)
        line = f"{write(row)[:-1]}{''.join(pieces)}}}".encode(*ENCODING)
        self.prefix, self.counter = split_id(self.id or "")
        self.restart(len(line))
        return line

    def _named(self) -> set[int]:
        """The numbers of the items that the state and what tasks carry name."""
        texts = [value.text() for value in self.values.values() if type(value) is Encoded]
        return self.memo.pool.named([*texts, self.sends or ""])

    def _renumber(self, shapes: list[Shape]) -> None:
        self.numbered = shapes
        self.shapes = {shape: number for number, shape in enumerate(shapes)}

    def restart(self, size: int) -> None:
        """Count from a keyframe of `size` bytes on."""
        self.keyframe_size = max(size, _LEAST)
        self.since, self.check = 0, max(self.keyframe_size // 2, 2 * _LEAST)

    # ---- replaying

    def replay(self, line: bytes, codec: Codec, *, undoable: bool = False, decode: bool = False) -> Undo | None:
        """Become the checkpoint of a stored line: of a keyframe, or of a delta or link whose parent this is.

        Gives what leads back from a delta, if it is to be `undoable`. With `decode` lists are decoded as they come, so
        that the next one shares their items.
        """
        text = text_of(line)
        row = parse(text)
        tagged = MARK in text
        if decode:
            codec = codec.reading(self.memo.pool)
        if line.startswith(KEYFRAME):
            self._replay_keyframe(row, tagged, codec)
            self.restart(len(line))
            return None
        self.parent_thread = self.parent_ns = None
        if type(row) is dict:
            self.parent_thread, self.parent_ns = row.get("thread"), row.get("ns")
            row = row["d"]
        self.since += len(line) + PER_LINE
        return self._replay_delta(row, tagged, codec, undoable, decode)

    def _replay_keyframe(self, row: dict[str, Any], tagged: bool, codec: Codec) -> None:
        self.id, self.parent = row["id"], row["parent"]
        self.prefix, self.counter = split_id(row["id"])
        self.parent_thread, self.parent_ns = row.get("thread"), row.get("ns")
        self.step, self.version, self.micros = row["step"], row["version"], row["time"]
        self.source, self.next, self.ran = _shape(row["shape"])
        self._renumber([_shape(each) for each in row.get("shapes", (row["shape"],))])
        self._take_metadata(write(row["m"]), codec)
        self.sends = write(row["x"]) if "x" in row else None
        self.channels = write(row["c"]) if "c" in row else None
        self.memo.pool.replay(row.get("b", {}))
        self.values = {
            key: value if type(value) in ATOMS else Encoded(None, value, tagged) for key, value in row["values"].items()
        }
        self.versions = dict(zip(row["values"], row["versions"], strict=True))
        self.versions.update(row.get("gone", {}))
        self.seen = row["seen"]

    def _replay_delta(self, row: list[Any], tagged: bool, codec: Codec, undoable: bool, decode: bool) -> Undo | None:
        shape, passed, changes = row[:3]
        self.parent, self.id = self.id, None
        self.counter += 1
        self.step += 1
        self.version += 1
        self.micros += passed
        self.sends = self.channels = None
        if type(shape) is int:
            self.source, self.next, self.ran = self.numbered[shape]
        else:
            self.source, self.next, self.ran = found = _shape(shape)
            self.shapes[found] = len(self.numbered)
            self.numbered.append(found)
        values = self.values
        grown: dict[str, Any] = row[3] if len(row) > 3 else {}
        rare: dict[str, Any] = row[4] if len(row) > 4 else {}
        undo: Undo | None = None
        if undoable:
            named = (rare[name] for name in ("g", "p", "l") if name in rare)
            undo = Undo(self, chain(changes, grown, *named) if grown or rare else changes, self.ran)
        if rare:
            self._replay_rare(rare, tagged, codec, decode)
        version, versions = self.version, self.versions
        for key, value in changes.items():
            values[key] = value if type(value) in ATOMS else Encoded(None, value, tagged)
            versions[key] = version
        for key, items in grown.items():
            values[key] = values[key].grown(items, tagged)
            versions[key] = version
        for node in self.ran:
            self.seen[node] = version
        self.id = f"{self.prefix}{self.counter:012x}" if self.counter >= 0 else self.prefix
        return undo

    def _replay_rare(self, rare: dict[str, Any], tagged: bool, codec: Codec, decode: bool) -> None:
        if "i" in rare:
            self.prefix, self.counter = split_id(rare["i"])
        self.counter = rare.get("n", self.counter)
        self.step = rare.get("s", self.step)
        self.version = rare.get("v", self.version)
        if "m" in rare:
            self._take_metadata(write(rare["m"]), codec)
        if "b" in rare:
            self.memo.pool.replay(rare["b"])
        self.sends = write(rare["x"]) if "x" in rare else None
        self.channels = write(rare["c"]) if "c" in rare else None
        for key in rare.get("g", ()):
            self.values.pop(key, None)
            self.versions[key] = self.version
        for key, patch in rare.get("p", {}).items():
            old = self.values[key]
            if type(old) is str:
                self.values[key] = patched(old, patch)
            else:
                self.values[key] = Encoded(patched(canonical(old.peek()), patch))
            self.versions[key] = self.version
        for key, splices in rare.get("l", {}).items():
            old = self.values[key]
            if decode:
                old.value(codec)
            self.values[key] = old.spliced(splices, tagged, codec)
            self.versions[key] = self.version

    # ---- reading

    def head(self) -> Head:
        """All but the state."""
        return Head(
            self.id or "",
            self.parent,
            self.parent_thread,
            self.step,
            self.version,
            self.micros,
            self.source,
            self.next,
            self.sends,
            self.channels,
            self.metadata_text,
        )


class Head(NamedTuple):
    """A checkpoint without its state; three fields are texts."""

    id: str
    parent: str | None
    parent_thread: str | None
    step: int
    version: int
    micros: int
    source: Source
    next: tuple[str, ...]
    sends: str | None
    channels: str | None
    metadata: str

    def control(self, codec: Codec) -> Control:
        """What runs next, decoded."""
        sends = codec.loads(self.sends) if self.sends is not None else ()
        channels = codec.loads(self.channels) if self.channels is not None else {}
        return Control(self.next, tuple((node, arg, timeout) for node, arg, timeout in sends), channels)


Before = tuple[str, Any, int | None, int | None]
"""A key as it was: key, value (an atom, MISSING, or an Encoded, of a list with its length then), length, version."""


class Undo:
    """What one line changed, as it was before: enough to walk back."""

    __slots__ = ("seen", "values")

    def __init__(self, tip: Tip, keys: Iterable[str], ran: Iterable[str]) -> None:
        values, versions, seen = tip.values, tip.versions, tip.seen
        self.values: list[Before] = []
        for key in keys:
            value = values.get(key, MISSING)
            self.values.append((key, value, length_of(value) if type(value) is Encoded else None, versions.get(key)))
        self.seen = [(node, seen.get(node)) for node in ran]


def length_of(value: Encoded) -> int | None:
    """The present length of a list that may grow while it is referred to."""
    return len(value.raw) if type(value.raw) is list else None


def _shape(row: Any) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    source, following, ran = row
    return source, tuple(following), tuple(ran)
