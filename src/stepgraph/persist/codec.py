"""Values to text and back with their types kept: JSON, with a tag where JSON has no word for something.

A tag is an object whose first key is `"~"`: `{"~":[1,2]}` is a tuple, `{"~":"dec","v":"1.5"}` a Decimal. A dict that
has the key `"~"` itself is stored as pairs, and inside a JSON string the quote is escaped, so the characters `{"~"`
stand in a text exactly when it holds a tag: a text without them is decoded by the C parser alone. Nothing that is read
from elsewhere was pickled, and reading imports no module that a stored text merely names.
"""

from __future__ import annotations

import json
import json.encoder
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from stepgraph.core.registry import codec_names, type_codecs
from stepgraph.persist import fast

if TYPE_CHECKING:
    from stepgraph.persist.blobs import Blob
    from stepgraph.persist.pool import Pool

ATOMS: Final = frozenset({str, int, float, bool, type(None)})
"""What JSON keeps exactly, and what never changes."""
TEXT: Final = frozenset({str})
MARK: Final = '{"~"'
BLOB: Final = '{"~":"#"'
"""The tag of what stands for a big value that is kept elsewhere."""
ENCODING: Final = ("utf-8", "surrogatepass")
"""Strings may hold lone surrogates, which strict UTF-8 refuses."""
_EXPONENT: Final = re.compile(r"e[-+]?\d+(?:[,\]}]|$)")
"""How numbers end that are not written alike by all; hardly a string does."""
_LIMIT: Final = 10_000
"""Bits up to which Python writes an int in decimal without asking (`sys.set_int_max_str_digits`)."""

Rule = Callable[[Any, "Codec"], Any]


def is_small(value: Any, depth: int = 0) -> bool:
    """Whether JSON keeps the value exactly, with all that is in it, and nothing in it is worth being kept once."""
    kind = type(value)
    if kind is list:
        items = value
    elif kind is dict and TEXT.issuperset(map(type, value)) and "~" not in value:
        items = value.values()
    else:
        if kind is int:
            return bool(-_WORD < value < _WORD)
        return kind in ATOMS and (kind is not str or len(value) < _SHORT)
    if len(value) > _FEW or depth > _DEPTH:
        return False
    return all(is_small(each, depth + 1) for each in items)


_SHORT: Final = 512
_WORD: Final = 1 << 63
_FEW, _DEPTH = 16, 4
"""What counts as small: characters, things in a container, levels of containers."""


class Unstorable(Exception):  # noqa: N818  it travels inside this package only; users see CheckpointError
    """A value that cannot be stored: `path` leads to it, `what` says why, `mend` what to do."""

    def __init__(self, what: str, mend: str, path: str = "") -> None:
        super().__init__(what, mend, path)
        self.what, self.mend, self.path = what, mend, path


class Unreadable(Unstorable):
    """A stored value that cannot be made again."""


class Codec:
    """Encodes and decodes values. `allowed_modules` (and all below them) may be imported to decode.

    With `private` values never leave this process, so objects of classes that only exist in a function are kept too.
    """

    pooled = False
    """Whether lines define big items once and name them by numbers (`persist/pool.py`)."""

    def __init__(self, *, allowed_modules: Iterable[str] = (), private: bool = False) -> None:
        self.allowed = frozenset(allowed_modules)
        self.private = private
        self.local: dict[str, type] = {}
        """With `private`: classes that cannot be found by name."""
        self._rules: dict[type, Rule] = {}

    def dumps(self, value: Any) -> str:
        """The text of any storable value. Raises Unstorable."""
        return write(value if type(value) in ATOMS else self.lower(value))

    def plain(self, value: Any) -> str:
        """The text of a value that JSON keeps exactly."""
        return write(value)

    def blob(self, value: Any) -> Blob | None:
        """What keeps a big value outside of the text, where the text never leaves this process; else None."""
        return None

    def quick(self, value: Any) -> tuple[str, Any] | None:
        """The text of a plain value, and a copy of its containers, if there is a way without looking at each leaf."""
        return None

    def apart(self, text: str) -> Blob | None:
        """What keeps a long text of a value outside of the others', as above."""
        return None

    def reading(self, pool: Pool) -> Codec:
        """The codec that reads values of a state with this pool."""
        return self

    def stored_apart(self, number: int) -> str | bytes:
        """The text, or in memory the pickled bytes, that a number stands for."""
        raise Unreadable(f"item {number} of what is stored is missing", "Restore the store from a backup.")

    def loads(self, text: str) -> Any:
        """The value of a text. Raises Unreadable."""
        raw = parse(text)
        return self.lift(raw) if MARK in text else raw

    def lower(self, value: Any) -> Any:
        """`value` as JSON's own types: itself where nothing has to change, else a copy with tags."""
        kind = type(value)
        if kind in ATOMS:
            return value
        if kind is dict:
            if TEXT.issuperset(map(type, value)) and "~" not in value:
                if ATOMS.issuperset(map(type, value.values())):
                    return value
                lower = self.lower
                return {key: item if type(item) in ATOMS else lower(item) for key, item in value.items()}
            return {"~": "d", "v": [[self.lower(key), self.lower(item)] for key, item in value.items()]}
        if kind is list:
            return self.lower_all(value)
        if kind is tuple:
            return {"~": self.lower_all(value)}
        rule = self._rules.get(kind)
        if rule is None:
            rule = self._rules[kind] = self._rule(kind)
        return rule(value, self)

    def lower_all(self, values: list[Any] | tuple[Any, ...]) -> list[Any] | tuple[Any, ...]:
        """`lower` of each item."""
        if ATOMS.issuperset(map(type, values)):
            return values
        lower = self.lower
        return [item if type(item) in ATOMS else lower(item) for item in values]

    def lift(self, raw: Any) -> Any:
        """The inverse of `lower`. Containers without tags are handed back as they are."""
        kind = type(raw)
        if kind is dict:
            tag = raw.get("~")
            if tag is None:
                if ATOMS.issuperset(map(type, raw.values())):
                    return raw
                lift = self.lift
                return {key: item if type(item) in ATOMS else lift(item) for key, item in raw.items()}
            return tuple(self.lift_all(tag)) if type(tag) is list else self._tagged(tag, raw)
        if kind is list:
            return self.lift_all(raw)
        return raw

    def lift_all(self, raw: list[Any]) -> list[Any]:
        """`lift` of each item."""
        if ATOMS.issuperset(map(type, raw)):
            return raw
        lift = self.lift
        return [item if type(item) in ATOMS else lift(item) for item in raw]

    def _tagged(self, tag: Any, raw: dict[str, Any]) -> Any:
        if tag == "#":
            return self._lift_apart(self.stored_apart(raw["v"]))
        from stepgraph.persist.rules import lifting

        read = lifting(tag)
        if read is None:
            raise Unreadable(
                f"the stored tag {tag!r} is unknown to this version of stepgraph",
                "Read it with the version that wrote it, or a newer one.",
            )
        return read(raw, self)

    def _lift_apart(self, data: str | bytes) -> Any:
        assert isinstance(data, str)
        return self.loads(data)

    def _rule(self, kind: type) -> Rule:
        name = codec_names.get(f"{kind.__module__}:{kind.__qualname__}")
        if name is not None:
            return _registered(name)
        from stepgraph.persist.rules import lowering

        return lowering(kind)

    def why(self, value: Any, path: str = "") -> Unstorable:
        """After `dumps` has failed: the same failure with the path to the innermost value that causes it."""
        return self._why(value, path, ())

    def _why(self, value: Any, path: str, above: tuple[int, ...]) -> Unstorable:
        if id(value) in above:
            return Unstorable("the value contains itself", "Store a reference (an id or a key) instead.", path)
        if len(above) > 200:
            return Unstorable(
                "the value is nested too deeply", "Store it flat, e.g. as a list with parents' ids.", path
            )
        for part, inner in children(value):
            try:
                self.dumps(inner)
            except Exception:  # noqa: BLE001  whatever it is, it is looked for one level deeper and reported from there
                return self._why(inner, path + part, (*above, id(value)))
        try:
            self.dumps(value)
        except Unstorable as failure:
            return Unstorable(failure.what, failure.mend, path)
        except Exception as failure:  # noqa: BLE001  raised by a user's codec or class: kept as the cause
            found = Unstorable(
                f"encoding a {_name(type(value))} raised {type(failure).__name__}: {failure}",
                "Mend the class or the codec registered for it (stepgraph.core.registry.register_type).",
                path,
            )
            found.__cause__ = failure
            return found
        return Unstorable("the value changed while it was encoded", "Don't change a value after returning it.", path)

    def why_not(self, raw: Any, path: str = "") -> Unreadable:
        """After `lift` has failed: the same failure with the path to the innermost value that causes it."""
        if isinstance(raw, dict) and raw.get("~") == "#":
            data = self.stored_apart(raw["v"])
            if isinstance(data, str):
                return self.why_not(parse(data), path)
        for part, inner in _raw_children(raw):
            try:
                self.lift(inner)
            except Exception:  # noqa: BLE001  as in `why`
                return self.why_not(inner, path + part)
        try:
            self.lift(raw)
        except Unreadable as failure:
            return Unreadable(failure.what, failure.mend, path)
        except Exception as failure:  # noqa: BLE001  raised by a user's codec or class: kept as the cause
            found = Unreadable(
                f"decoding {_shown(raw)} raised {type(failure).__name__}: {failure}",
                "If the class has changed since, register a codec that reads the old form "
                "(stepgraph.core.registry.register_type).",
                path,
            )
            found.__cause__ = failure
            return found
        return Unreadable("the value could not be read", "Read it again.", path)


def parse(text: str) -> Any:
    """JSON to Python, NaN and the infinities included; tags stay as they are. Raises ValueError."""
    try:
        return _scan(text, 0)[0]
    except StopIteration as end:
        raise ValueError(f"no JSON at character {end.value}") from None


def write(plain: Any) -> str:
    """JSON of a value that has been lowered already."""
    found = None if fast.dumps is None else fast.dumps(plain)
    return _plainly(plain) if found is None else found.decode()


def line_of(row: Any) -> bytes:
    """The same as the bytes of a line."""
    found = None if fast.dumps is None else fast.dumps(row)
    return _plainly(row).encode(*ENCODING) if found is None else found


def canonical(text: str) -> str:
    """JSON as the standard library writes it: what patches of texts are made of and applied to, in any process."""
    return _plainly(parse(text)) if _EXPONENT.search(text) or ".0000" in text else text


def _plainly(plain: Any) -> str:
    try:
        return "".join(_write(plain, 0))
    except (ValueError, RecursionError):
        return "".join(_write(_hex_ints(plain), 0))


def children(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value consists of, each with its piece of path: `.name`, `[3]` or `["two words"]`."""
    if isinstance(value, dict):
        for key, item in list(value.items()):
            yield step(key), item
            if type(key) not in ATOMS:
                yield f"<key {key!r}>", key
    elif isinstance(value, list | tuple) or type(value).__name__ == "deque":
        names = getattr(type(value), "_fields", None)
        for index, item in enumerate(value):
            yield (f".{names[index]}" if names else f"[{index}]"), item
    elif isinstance(value, set | frozenset):
        for item in value:
            yield f"<item {item!r}>", item
    else:
        for name in _field_names(value):
            if hasattr(value, name):
                yield f".{name}", getattr(value, name)


def step(key: Any) -> str:
    """The piece of path of a dict's key."""
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


def _field_names(value: Any) -> list[str]:
    kind = type(value)
    for attribute in ("__dataclass_fields__", "__pydantic_fields__", "__struct_fields__", "__attrs_attrs__"):
        fields = getattr(kind, attribute, None)
        if fields is not None:
            return [getattr(field, "name", field) for field in fields]
    return [name for name in ("arg", "args") if hasattr(kind, "__slots__") and name in kind.__slots__]


def _raw_children(raw: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(raw, list):
        yield from ((f"[{index}]", item) for index, item in enumerate(raw))
    elif isinstance(raw, dict):
        tag = raw.get("~")
        if isinstance(tag, list):
            yield from ((f"[{index}]", item) for index, item in enumerate(tag))
        elif tag == "d":
            yield from ((step(key) if type(key) in ATOMS else "[…]", item) for key, item in raw["v"])
        elif tag is None or isinstance(raw.get("v"), dict):
            yield from ((step(key), item) for key, item in (raw if tag is None else raw["v"]).items())
        elif isinstance(raw.get("v"), list):
            yield from ((f"[{index}]", item) for index, item in enumerate(raw["v"]))


def _registered(name: str) -> Rule:
    def rule(value: Any, codec: Codec) -> Any:
        return {"~": "x", "c": name, "v": codec.lower(type_codecs[name].encoder()(value))}

    return rule


def _hex_ints(plain: Any) -> Any:
    """A copy in which ints too long for decimal are tagged. Raises Unstorable for what nests too deeply."""
    try:
        return _hexed(plain)
    except RecursionError:
        raise Unstorable(
            "the value contains itself or is nested too deeply", "Store it flat, or by reference."
        ) from None


def _hexed(plain: Any) -> Any:
    if type(plain) is int and plain.bit_length() > _LIMIT:
        return {"~": "i", "v": hex(plain)}
    if type(plain) is dict:
        return {key: _hexed(item) for key, item in plain.items()}
    if type(plain) in (list, tuple):
        return [_hexed(item) for item in plain]
    return plain


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _shown(raw: Any) -> str:
    named = raw.get("c") if isinstance(raw, dict) else None
    return f"a stored {named}" if named else f"a stored {type(raw).__name__}"


def _not_json(value: Any) -> Any:
    raise Unstorable(
        f"a {_name(type(value))} was left where only JSON may stand", "Report this as a defect of stepgraph."
    )


def _writer() -> Callable[[Any, int], Iterable[str]]:
    """The C encoder, made once: `json.dumps` makes one a call, which takes three times as long for a small value."""
    make = getattr(json.encoder, "c_make_encoder", None)
    quote = json.encoder.encode_basestring
    if make is None:  # PyPy
        encoder = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_not_json)
        return lambda value, _level: encoder.iterencode(value)
    made: Callable[[Any, int], Iterable[str]] = make(
        None, _not_json, quote, None, ":", ",", False, False, True
    )  # no check for cycles (RecursionError tells), no indent, keys as they are, NaN allowed
    return made


_write: Final = _writer()
_scan: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # set in its __init__; skips two regex matches
