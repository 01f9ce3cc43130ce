"""The state at one checkpoint in encoded form: grows by saving a checkpoint, or by replaying a stored line.

Both ways lead to the same tip, so a backend may drop it at any time and replay. Encoded values are kept to write
keyframes without encoding anything twice, and to find what a new value shares with the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from stepgraph.core.checkpoint import REMOVED, Checkpoint, Control, Extend, Removed, Source
from stepgraph.core.types import MISSING
from stepgraph.persist.codec import ATOMS, MARK, Codec, Unstorable, parse, write
from stepgraph.persist.items import Memo, encoded, pays
from stepgraph.persist.lines import ENCODING, KEYFRAME, split_id, text_of
from stepgraph.persist.patch import appended, difference, new_in, patched, spliced

_SMALL: Final = frozenset({int, bool, float, type(None)})
LONG: Final = 512
"""Characters from which a string is compared with the one before it, to store the difference only."""
_LEAST: Final = 1024
"""Bytes that a keyframe counts at least: a small state would else be stored whole all the time."""
_PER_LINE: Final = 24
"""Bytes that a line counts besides its own: replaying it costs about as much as parsing so many."""
Shape = tuple[Any, tuple[str, ...], tuple[str, ...]]
"""(source, next, ran): the same few again and again, so a line names them by a number."""


class Encoded:
    """A value that is no atom, as text or as parsed JSON, whichever it came as."""

    __slots__ = ("is_list", "made", "memo", "parts", "raw", "tagged", "texts")

    def __init__(self, text: str | None, raw: Any = None, tagged: bool = False) -> None:
        self.raw, self.tagged = raw, tagged
        self.texts: list[str] | None = None
        """Of a long list that was written whole: the texts of its items."""
        self.memo: Memo = {}
        self.made: Any = MISSING
        self.parts: list[str] | None = None
        """Of a list: pieces of what stands between the brackets."""
        if text is None:
            self.is_list = type(raw) is list
        else:
            self.is_list = text.startswith("[")
            self.parts = self._split(text)

    def _split(self, text: str) -> list[str]:
        if self.is_list:
            return [text[1:-1]] if len(text) > 2 else []
        return [text]

    def text(self) -> str:
        """The whole text; kept as text from now on."""
        if self.parts is None:
            text = write(self.raw)
            self.raw, self.parts = None, self._split(text)
            return text
        if self.is_list:
            if len(self.parts) > 1:
                self.parts = [",".join(self.parts)]
            return f"[{self.parts[0]}]" if self.parts else "[]"
        return self.parts[0]

    def peek(self) -> str:
        """The whole text; the parsed form is kept."""
        return write(self.raw) if self.parts is None else self.text()

    def grow(self, inner: str) -> None:
        """Append the text of items, without brackets."""
        if self.parts is None:
            self.text()
        self.texts = None
        if inner:
            self.parts.append(inner)  # type: ignore[union-attr]  # text() has just made them

    def grown(self, items: list[Any], tagged: bool) -> Encoded:
        """Itself with parsed items appended; as a new object when it was text, so that a Ref to it stays true."""
        if self.parts is not None:
            text = self.text()
            return Encoded(None, parse(text) + items, tagged or MARK in text)
        self.raw.extend(items)
        self.tagged = self.tagged or tagged
        return self

    def size(self) -> int:
        """Characters, without a list's brackets."""
        if self.parts is None:
            self.text()
        parts = self.parts
        assert parts is not None
        return sum(map(len, parts)) + (len(parts) - 1 if parts and self.is_list else 0)

    def value(self, codec: Codec) -> Any:
        """The decoded value, made once and shared by all who ask; of a list with its present length."""
        if self.made is MISSING or (self.is_list and self.parts is None and len(self.made) != len(self.raw)):
            if self.parts is not None:
                self.made = codec.loads(self.text())
            else:
                self.made = codec.lift(self.raw) if self.tagged else self.raw
        return self.made


class Tip:
    """The newest checkpoint of a branch. `values` holds atoms as they are, everything else as Encoded."""

    __slots__ = (
        "channels",
        "check",
        "counter",
        "id",
        "keyframe_size",
        "metadata",
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
        self.metadata_types: list[type] | None = []
        """Types of the values of flat metadata; None when it is nested, and then compared as text."""
        self.metadata_text = "{}"
        self.values: dict[str, Any] = {}
        self.seen: dict[str, int] = {}
        self.versions: dict[str, int] = {}
        self.shapes: dict[Shape, int] = {}
        self.numbered: list[Shape] = []
        """The inverse of `shapes`."""
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
        changes = checkpoint.changes
        others: _Others | None = None
        for value in changes.values():
            kind = type(value)
            if not (kind in _SMALL or (kind is str and len(value) < LONG)):
                others = self._others(changes, codec)
                changes = others.atoms
                break
        rare: dict[str, str] | None = None
        version, step, control = checkpoint.version, checkpoint.step, checkpoint.control
        own_id = checkpoint.id
        if own_id != f"{self.prefix}{self.counter + 1:012x}":
            rare = self._rare_id(own_id)
        if step != self.step + 1:
            rare = {} if rare is None else rare
            rare["s"] = str(step)
        if version != self.version + 1:
            rare = {} if rare is None else rare
            rare["v"] = str(version)
        if self.metadata or checkpoint.metadata:
            rare = self._rare_metadata(checkpoint.metadata, codec, rare)
        sends = channels = None
        if control.sends:
            rare = {} if rare is None else rare
            rare["x"] = sends = codec.dumps([list(send) for send in control.sends])
        if control.channels:
            rare = {} if rare is None else rare
            rare["c"] = channels = codec.dumps(dict(control.channels))
        ran = checkpoint.ran
        shape = (checkpoint.source, control.next, ran)
        number = self.shapes.get(shape)
        micros = round(checkpoint.time * 1e6)
        if others is None and rare is None and number is not None:
            line = f"[{number},{micros - self.micros},{write(changes)}]".encode(*ENCODING)
            self.counter += 1
        else:
            start = write(shape) if number is None else str(number)
            text = _delta(start, micros - self.micros, write(changes), others, rare)
            line = text.encode(*ENCODING)
            # From here on nothing fails.
            if number is None:
                self.shapes[shape] = len(self.shapes)
                self.numbered.append(shape)
            self.prefix, self.counter = split_id(own_id)
            if rare is not None and "m" in rare:
                self._take_metadata(rare["m"], codec)
        self.parent, self.id = self.id, own_id
        self.parent_thread, self.parent_ns = checkpoint.parent_thread, checkpoint.parent_ns
        self.step, self.version, self.micros = step, version, micros
        self.source, self.next, self.ran = shape
        self.sends, self.channels = sends, channels
        seen, versions = self.seen, self.versions
        for node in ran:
            seen[node] = version
        for key in checkpoint.changes:
            versions[key] = version
        self.values.update(changes)
        if others is not None:
            others.apply(self.values)
        self.since += len(line) + _PER_LINE
        if self.since >= self.check and self._pays():
            return self.keyframe()
        return line

    def _others(self, changes: Mapping[str, Any], codec: Codec) -> _Others:
        """The changes, sorted into atoms and others."""
        others = _Others()
        for key, change in changes.items():
            kind = type(change)
            if kind in _SMALL or (kind is str and len(change) < LONG):
                others.atoms[key] = change
            else:
                others.add(key, change, self.values.get(key), codec)
        return others

    def _rare_id(self, id: str) -> dict[str, str]:
        prefix, counter = split_id(id)
        return {"n": str(counter)} if prefix == self.prefix and counter >= 0 else {"i": write(id)}

    def _rare_metadata(
        self, metadata: Mapping[str, Any], codec: Codec, rare: dict[str, str] | None
    ) -> dict[str, str] | None:
        """Adds `m` when the metadata changed; equal values of other types (1 and True) count as changed."""
        if (
            self.metadata_types is not None
            and metadata == self.metadata
            and list(map(type, metadata.values())) == self.metadata_types
        ):
            return rare
        text = codec.dumps(dict(metadata))
        if self.metadata_types is None and text == self.metadata_text:
            return rare
        rare = {} if rare is None else rare
        rare["m"] = text
        return rare

    def _take_metadata(self, text: str, codec: Codec) -> None:
        self.metadata_text = text
        self.metadata = codec.loads(text)
        types = list(map(type, self.metadata.values()))
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
            if self.since < 2 * max(size + 16 * len(self.values), _LEAST):
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
        texts["values"] = _joined(write(atoms), (f"{_quoted(key)}:{value.text()}" for key, value in others.items()))
        pieces = (f',"{name}":{text}' for name, text in texts.items() if text is not None)
        line = f"{write(row)[:-1]}{''.join(pieces)}}}".encode(*ENCODING)
        self.prefix, self.counter = split_id(self.id or "")
        self._restart(len(line))
        return line

    def _renumber(self, shapes: list[Shape]) -> None:
        self.numbered = shapes
        self.shapes = {shape: number for number, shape in enumerate(shapes)}

    def _restart(self, size: int) -> None:
        """Count from a keyframe of `size` bytes on."""
        self.keyframe_size = max(size, _LEAST)
        self.since, self.check = 0, self.keyframe_size // 2

    # ---- replaying

    def replay(self, line: bytes, codec: Codec, undo: Undo | None = None) -> None:
        """Become the checkpoint of a stored line: of a keyframe, or of a delta or link whose parent this is."""
        text = text_of(line)
        row = parse(text)
        tagged = MARK in text
        if line.startswith(KEYFRAME):
            self._replay_keyframe(row, tagged, codec)
            self._restart(len(line))
            return
        self.parent_thread = self.parent_ns = None
        if type(row) is dict:
            self.parent_thread, self.parent_ns = row.get("thread"), row.get("ns")
            row = row["d"]
        self._replay_delta(row, tagged, codec, undo)
        self.since += len(line) + _PER_LINE

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
        self.values = {
            key: value if type(value) in ATOMS else Encoded(None, value, tagged) for key, value in row["values"].items()
        }
        self.versions = dict(zip(row["values"], row["versions"], strict=True))
        self.versions.update(row.get("gone", {}))
        self.seen = row["seen"]

    def _replay_delta(self, row: list[Any], tagged: bool, codec: Codec, undo: Undo | None) -> None:
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
        if undo is not None:
            undo.keep(self, (*changes, *grown, *rare.get("g", ()), *rare.get("p", ())), self.ran)
        if rare:
            self._replay_rare(rare, codec)
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

    def _replay_rare(self, rare: dict[str, Any], codec: Codec) -> None:
        if "i" in rare:
            self.prefix, self.counter = split_id(rare["i"])
        self.counter = rare.get("n", self.counter)
        self.step = rare.get("s", self.step)
        self.version = rare.get("v", self.version)
        if "m" in rare:
            self._take_metadata(write(rare["m"]), codec)
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
                self.values[key] = Encoded(patched(old.peek(), patch))
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


class Undo:
    """What one line changed, as it was before: enough to walk back."""

    __slots__ = ("seen", "values")

    def __init__(self) -> None:
        self.values: list[tuple[str, Ref, int | None]] = []
        """(key, value, version)."""
        self.seen: list[tuple[str, int | None]] = []

    def keep(self, tip: Tip, keys: Iterable[str], ran: Iterable[str]) -> None:
        """Note these before they change."""
        values, versions = tip.values, tip.versions
        self.values += [(key, ref(values.get(key, MISSING)), versions.get(key)) for key in keys]
        self.seen += [(node, tip.seen.get(node)) for node in ran]


class Ref(NamedTuple):
    """A value at one checkpoint: an atom, MISSING, or an Encoded, of a list with its length then."""

    value: Any
    length: int | None

    def made(self, codec: Codec) -> Any:
        """The decoded value. A list is a new one that shares its items with those of other checkpoints."""
        if type(self.value) is not Encoded:
            return self.value
        whole = self.value.value(codec)
        return whole if self.length is None else whole[: self.length]


def ref(value: Any) -> Ref:
    """How a value is now, also when it grows later."""
    return Ref(value, len(value.raw) if type(value) is Encoded and type(value.raw) is list else None)


_quoted = lru_cache(4096)(write)
"""A key as JSON; the same few again and again."""


class _Others:
    """The changes of a checkpoint of which some are no atoms: the texts of those, and what they make of the values."""

    __slots__ = ("atoms", "grown", "made", "patches", "removed", "sets")

    def __init__(self) -> None:
        self.atoms: dict[str, Any] = {}
        self.sets: list[str] = []
        self.grown: list[str] = []
        self.patches: list[str] = []
        self.removed: list[str] = []
        self.made: list[tuple[str, Any]] = []
        """(key, what stands for it in the tip): a str of items for a list that grew, REMOVED, an atom or Encoded."""

    def add(self, key: str, change: Any, old: Any, codec: Codec) -> None:
        """Encode one change."""
        kind = type(change)
        if kind is Extend:
            self._extend(key, change, old, codec)
        elif kind is Removed:
            self.removed.append(key)
            self.made.append((key, REMOVED))
        elif kind is str:
            self._long_text(key, change, old)
        else:
            self._value(key, change, old, codec)

    def _extend(self, key: str, change: Extend, old: Any, codec: Codec) -> None:
        text = codec.dumps(list(change.items))
        if old is None:
            self._set(key, Encoded(text))
        elif type(old) is Encoded and old.is_list:
            self._grow(key, text[1:-1])
        else:
            raise Unstorable("the update extends a list, and the value before is none", "Write the whole value.", key)

    def _grow(self, key: str, inner: str) -> None:
        self.grown.append(f"{_quoted(key)}:[{inner}]")
        self.made.append((key, inner))

    def _set(self, key: str, made: Encoded) -> None:
        self.sets.append(f"{_quoted(key)}:{made.text()}")
        self.made.append((key, made))

    def _long_text(self, key: str, text: str, old: Any) -> None:
        patch = difference(old, text) if type(old) is str and len(old) >= LONG else None
        if patch is not None and 2 * new_in(patch) < len(text):
            self.patches.append(f"{_quoted(key)}:{write(patch)}")
        else:
            self.sets.append(f"{_quoted(key)}:{write(text)}")
        self.made.append((key, Atom(text)))

    def _value(self, key: str, change: Any, old: Any, codec: Codec) -> None:
        if type(change) is list and change and type(old) is Encoded and old.is_list and pays(change, old.size()):
            texts, memo = encoded(change, old.memo, codec)
            made = Encoded("[]")
            made.parts, made.texts, made.memo = [*texts], texts, memo
            size = len(texts) + sum(map(len, texts))
        else:
            made = Encoded(codec.dumps(change))
            size = made.size()
            if type(old) is not Encoded or size < LONG:
                self._set(key, made)
                return
        self._changed(key, made, size, old)

    def _changed(self, key: str, made: Encoded, size: int, old: Encoded) -> None:
        """A long value that another one replaces: as little of it as tells the difference."""
        if made.texts is not None and old.texts is not None:
            patch = spliced(old.texts, made.texts)
        else:
            patch = difference(old.text(), made.text())
        inner = appended(patch, old.size() + 2) if old.is_list else None
        if inner is not None:
            self.grown.append(f"{_quoted(key)}:[{inner}]")
            self.made.append((key, made))
        elif 2 * new_in(patch) < size:
            self.patches.append(f"{_quoted(key)}:{write(patch)}")
            self.made.append((key, made))
        else:
            self._set(key, made)

    def apply(self, values: dict[str, Any]) -> None:
        """Take the changes over. Does not fail."""
        for key, made in self.made:
            kind = type(made)
            if kind is str:
                values[key].grow(made)
            elif made is REMOVED:
                values.pop(key, None)
            else:
                values[key] = made.text if kind is Atom else made


class Atom(NamedTuple):
    """A long string: kept as it is, unlike the text of a list that grew."""

    text: str


def _delta(shape: Any, passed: int, atoms: str, others: _Others | None, rare: dict[str, str] | None) -> str:
    if others is None:
        if rare is None:
            return f"[{shape},{passed},{atoms}]"
        return f"[{shape},{passed},{atoms},{{}},{_object(rare)}]"
    if others.patches or others.removed:
        rare = dict(rare or {})
        if others.patches:
            rare["p"] = f"{{{','.join(others.patches)}}}"
        if others.removed:
            rare["g"] = write(others.removed)
    sets = _joined(atoms, others.sets)
    grown = f"{{{','.join(others.grown)}}}"
    if rare:
        return f"[{shape},{passed},{sets},{grown},{_object(rare)}]"
    return f"[{shape},{passed},{sets},{grown}]" if others.grown else f"[{shape},{passed},{sets}]"


def _object(texts: dict[str, str]) -> str:
    return "{" + ",".join(f'"{name}":{text}' for name, text in texts.items()) + "}"


def _joined(atoms: str, others: Iterable[str]) -> str:
    """The object of the pairs in both."""
    pairs = [atoms[1:-1], *others] if len(atoms) > 2 else [*others]
    return f"{{{','.join(pairs)}}}"


def _shape(row: Any) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    source, following, ran = row
    return source, tuple(following), tuple(ran)
