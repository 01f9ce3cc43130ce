"""How the standard library's types are stored, and who knows the others: a row a type, found by type or by tag."""

# ruff: noqa: ARG001, ARG005  every rule of a table has the same signature

from __future__ import annotations

import array
import base64
import binascii
import collections
import datetime
import decimal
import fractions
import importlib
import ipaddress
import pathlib
import re
import types
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

from stepgraph.core.types import MISSING, Send, limit, sent
from stepgraph.persist.classes import class_rule
from stepgraph.persist.codec import Codec, Rule, Unreadable, Unstorable

Lift = Callable[[dict[str, Any], Codec], Any]


def lowering(kind: type) -> Rule:
    """The rule for objects of exactly this type. Raises Unstorable when there is none."""
    rule = LOWER.get(kind)
    if rule is not None:
        return rule
    library = _LIBRARIES.get(kind.__module__.partition(".")[0])
    if library is not None:
        found: Rule | None = importlib.import_module(library).lowering(kind)
        if found is not None:
            return found
    return class_rule(kind)


def lifting(tag: str) -> Lift | None:
    """The inverse for a tag, or None when the tag is unknown."""
    found = LIFT.get(tag)
    if found is None and tag in _TAGGED_ELSEWHERE:
        module = importlib.import_module(_TAGGED_ELSEWHERE[tag])
        LIFT.update(module.LIFT)
        found = LIFT[tag]
    return found


# A library's own types live in a module that is only imported when a value or a stored text has one.
_LIBRARIES = {"numpy": "stepgraph.persist.arrays", "pandas": "stepgraph.persist.frames"}
_TAGGED_ELSEWHERE = {
    **dict.fromkeys(("np", "nps", "npt"), "stepgraph.persist.arrays"),
    **dict.fromkeys(("df", "se", "ix", "pa", "pts", "ptd", "per", "ivl", "pna"), "stepgraph.persist.frames"),
    **dict.fromkeys(("en", "nt", "dc", "pd", "at", "ms", "sub", "ex", "x"), "stepgraph.persist.classes"),
}


def _text(tag: str, show: Callable[[Any], str] = str) -> Rule:
    return lambda value, codec: {"~": tag, "v": show(value)}


def _ordered(tag: str) -> Rule:
    """Sets in sorted order where they have one, so that the same set gives the same text in every process."""

    def rule(value: Any, codec: Codec) -> Any:
        try:
            members = sorted(value)
        except TypeError:
            members = list(value)
        return {"~": tag, "v": codec.lower(members)}

    return rule


def _pairs(tag: str) -> Rule:
    return lambda value, codec: {"~": tag, "v": [[codec.lower(key), codec.lower(item)] for key, item in value.items()]}


def packed_bytes(value: Any) -> str:
    """Base64: a third longer than the bytes, and C-fast both ways."""
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def unpacked_bytes(text: str) -> bytes:
    """The inverse of `packed_bytes`."""
    return base64.b64decode(text)


def _lower_datetime(value: datetime.datetime, codec: Codec) -> Any:
    plain = {"~": "dt", "v": value.replace(tzinfo=None, fold=0).isoformat()}
    return _zoned(plain, value, codec)


def _lower_time(value: datetime.time, codec: Codec) -> Any:
    return _zoned({"~": "ti", "v": value.replace(tzinfo=None, fold=0).isoformat()}, value, codec)


def _zoned(plain: dict[str, Any], value: datetime.datetime | datetime.time, codec: Codec) -> Any:
    if value.tzinfo is not None:
        plain["z"] = codec.lower(value.tzinfo)
    if value.fold:
        plain["f"] = 1
    return plain


def _lift_datetime(raw: dict[str, Any], codec: Codec) -> datetime.datetime:
    return datetime.datetime.fromisoformat(raw["v"]).replace(tzinfo=_zone(raw, codec), fold=raw.get("f", 0))


def _lift_time(raw: dict[str, Any], codec: Codec) -> datetime.time:
    return datetime.time.fromisoformat(raw["v"]).replace(tzinfo=_zone(raw, codec), fold=raw.get("f", 0))


def _zone(raw: dict[str, Any], codec: Codec) -> datetime.tzinfo | None:
    return codec.lift(raw["z"]) if "z" in raw else None


def _lower_timezone(value: datetime.timezone, codec: Codec) -> Any:
    offset = value.utcoffset(None)
    plain = {"~": "tz", "v": [offset.days, offset.seconds, offset.microseconds]}
    name = value.tzname(None)
    if name != datetime.timezone(offset).tzname(None):
        plain["n"] = name
    return plain


def _lift_timezone(raw: dict[str, Any], codec: Codec) -> datetime.timezone:
    offset = datetime.timedelta(*raw["v"])
    if "n" in raw:
        return datetime.timezone(offset, raw["n"])
    return datetime.timezone(offset) if offset else datetime.timezone.utc  # noqa: UP017  the same object on every version


def _lower_zone(value: zoneinfo.ZoneInfo, codec: Codec) -> Any:
    if value.key is None:
        raise Unstorable("a ZoneInfo made from a file has no name", "Use `ZoneInfo('Area/City')`.")
    return {"~": "zi", "v": value.key}


def _lift_zone(raw: dict[str, Any], codec: Codec) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(raw["v"])
    except zoneinfo.ZoneInfoNotFoundError:
        raise Unreadable(
            f"this machine has no time zone {raw['v']!r}", "Install its time zone data: `pip install tzdata`."
        ) from None


def _lower_deque(value: collections.deque[Any], codec: Codec) -> Any:
    plain = {"~": "dq", "v": codec.lower(list(value))}
    if value.maxlen is not None:
        plain["m"] = value.maxlen
    return plain


_FACTORIES = {kind.__name__: kind for kind in (list, dict, set, int, float, str, tuple, bool)}


def _lower_defaultdict(value: collections.defaultdict[Any, Any], codec: Codec) -> Any:
    factory = value.default_factory
    name = getattr(factory, "__name__", None)
    if factory is not None and _FACTORIES.get(name or "") is not factory:
        raise Unstorable(
            f"a defaultdict's factory {name or factory!r} cannot be stored",
            f"Use one of {', '.join(_FACTORIES)} as factory, or store `dict(value)`.",
        )
    plain = _pairs("dd")(value, codec)
    if factory is not None:
        plain["f"] = name
    return plain


def _lower_pattern(value: re.Pattern[Any], codec: Codec) -> Any:
    return {"~": "re", "v": codec.lower(value.pattern), "f": value.flags}


def _lift_pattern(raw: dict[str, Any], codec: Codec) -> re.Pattern[Any]:
    pattern = codec.lift(raw["v"])
    return re.compile(pattern, raw["f"])


def _lower_send(value: Send, codec: Codec) -> Any:
    plain = {"~": "send", "n": value.node, "v": codec.lower(value.arg)}
    if value.timeout is not None:
        plain["t"] = codec.lower(limit(value))
    return plain


def _path(kind: type[pathlib.PurePath]) -> Rule:
    return lambda value, codec: {"~": "path", "v": str(value), "k": kind.__name__}


def _lift_path(raw: dict[str, Any], codec: Codec) -> pathlib.PurePath:
    kind = raw["k"]
    pure: dict[str, type[pathlib.PurePath]] = {
        "PurePosixPath": pathlib.PurePosixPath,
        "PureWindowsPath": pathlib.PureWindowsPath,
    }
    return pure.get(kind, pathlib.Path)(raw["v"])


def _dict_of_pairs(raw: dict[str, Any], codec: Codec) -> list[tuple[Any, Any]]:
    return [(codec.lift(key), codec.lift(item)) for key, item in raw["v"]]


def _span(value: Any, codec: Codec) -> Any:
    return {
        "~": "r" if type(value) is range else "sl",
        "v": codec.lower([value.start, value.stop, value.step]),
    }


_ADDRESSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        ipaddress.IPv4Address,
        ipaddress.IPv6Address,
        ipaddress.IPv4Network,
        ipaddress.IPv6Network,
        ipaddress.IPv4Interface,
        ipaddress.IPv6Interface,
    )
}


def _lower_address(value: Any, codec: Codec) -> Any:
    return {"~": "ip", "v": str(value), "k": type(value).__name__}


LOWER: dict[type, Rule] = {
    bytes: _text("b", packed_bytes),
    bytearray: _text("ba", packed_bytes),
    set: _ordered("s"),
    frozenset: _ordered("fs"),
    complex: lambda value, codec: {"~": "c", "v": [value.real, value.imag]},
    range: _span,
    slice: _span,
    type(...): lambda value, codec: {"~": "el"},
    type(MISSING): lambda value, codec: {"~": "no"},
    Send: _lower_send,
    datetime.datetime: _lower_datetime,
    datetime.date: _text("da", datetime.date.isoformat),
    datetime.time: _lower_time,
    datetime.timedelta: lambda value, codec: {"~": "td", "v": [value.days, value.seconds, value.microseconds]},
    datetime.timezone: _lower_timezone,
    zoneinfo.ZoneInfo: _lower_zone,
    decimal.Decimal: _text("dec"),
    fractions.Fraction: _text("fr"),
    uuid.UUID: _text("uu"),
    pathlib.PurePosixPath: _path(pathlib.PurePosixPath),
    pathlib.PureWindowsPath: _path(pathlib.PureWindowsPath),
    type(pathlib.Path()): _path(pathlib.Path),
    re.Pattern: _lower_pattern,
    collections.deque: _lower_deque,
    collections.Counter: _pairs("ct"),
    collections.OrderedDict: _pairs("od"),
    collections.defaultdict: _lower_defaultdict,
    types.MappingProxyType: _pairs("mp"),
    types.SimpleNamespace: lambda value, codec: {"~": "sn", "v": codec.lower(vars(value))},
    array.array: lambda value, codec: {"~": "ar", "v": packed_bytes(value.tobytes()), "k": value.typecode},
    **dict.fromkeys(_ADDRESSES.values(), _lower_address),
}


LIFT: dict[str, Lift] = {
    "d": lambda raw, codec: dict(_dict_of_pairs(raw, codec)),
    "i": lambda raw, codec: int(raw["v"], 16),
    "b": lambda raw, codec: unpacked_bytes(raw["v"]),
    "ba": lambda raw, codec: bytearray(unpacked_bytes(raw["v"])),
    "s": lambda raw, codec: set(codec.lift_all(raw["v"])),
    "fs": lambda raw, codec: frozenset(codec.lift_all(raw["v"])),
    "c": lambda raw, codec: complex(*raw["v"]),
    "r": lambda raw, codec: range(*codec.lift_all(raw["v"])),
    "sl": lambda raw, codec: slice(*codec.lift_all(raw["v"])),
    "el": lambda raw, codec: ...,
    "no": lambda raw, codec: MISSING,
    "send": lambda raw, codec: sent(raw["n"], codec.lift(raw["v"]), codec.lift(raw.get("t"))),
    "dt": _lift_datetime,
    "da": lambda raw, codec: datetime.date.fromisoformat(raw["v"]),
    "ti": _lift_time,
    "td": lambda raw, codec: datetime.timedelta(*raw["v"]),
    "tz": _lift_timezone,
    "zi": _lift_zone,
    "dec": lambda raw, codec: decimal.Decimal(raw["v"]),
    "fr": lambda raw, codec: fractions.Fraction(raw["v"]),
    "uu": lambda raw, codec: uuid.UUID(raw["v"]),
    "path": _lift_path,
    "re": _lift_pattern,
    "dq": lambda raw, codec: collections.deque(codec.lift_all(raw["v"]), raw.get("m")),
    "ct": lambda raw, codec: collections.Counter(dict(_dict_of_pairs(raw, codec))),
    "od": lambda raw, codec: collections.OrderedDict(_dict_of_pairs(raw, codec)),
    "dd": lambda raw, codec: collections.defaultdict(_FACTORIES.get(raw.get("f", "")), _dict_of_pairs(raw, codec)),
    "mp": lambda raw, codec: types.MappingProxyType(dict(_dict_of_pairs(raw, codec))),
    "sn": lambda raw, codec: types.SimpleNamespace(**codec.lift(raw["v"])),
    "ar": lambda raw, codec: array.array(raw["k"], unpacked_bytes(raw["v"])),
    "ip": lambda raw, codec: _ADDRESSES[raw["k"]](raw["v"]),
}
