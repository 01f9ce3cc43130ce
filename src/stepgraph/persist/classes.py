"""How objects of users' classes are stored: enums, named tuples, dataclasses, models of all kinds, errors.

An object is stored as its class's name and its fields, and made again without running its constructor when the class
still has the same fields. A class is found by name in modules that are loaded already; no other module is imported
unless it was allowed (`stepgraph.core.registry.allow_modules`).
"""

# ruff: noqa: ARG001  every rule of a table has the same signature

from __future__ import annotations

import dataclasses
import enum
import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

from stepgraph.core.registry import allowed_modules, type_codecs
from stepgraph.persist.codec import Codec, Rule, Unreadable, Unstorable


class StoredError(Exception):
    """An exception as it was stored: shown like the original, but of this class, since its own may not exist here."""

    def __init__(self, kind: str, message: str, notes: tuple[str, ...] = ()) -> None:
        super().__init__(kind, message)
        self.kind, self.message = kind, message
        for note in notes:
            self.add_note(note)

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredError) and (self.kind, self.message) == (other.kind, other.message)

    def __hash__(self) -> int:
        return hash((self.kind, self.message))


def class_rule(kind: type) -> Rule:
    """The rule for a class that has none of its own. Raises Unstorable."""
    if issubclass(kind, BaseException):
        return _lower_error
    if issubclass(kind, enum.Enum):
        return _lower_enum
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _lower_namedtuple
    if _is_pydantic(kind):
        return _lower_pydantic
    if dataclasses.is_dataclass(kind):
        return _fields_rule("dc", [field.name for field in dataclasses.fields(kind)])
    if "__attrs_attrs__" in vars(kind):
        return _fields_rule("at", [field.name for field in vars(kind)["__attrs_attrs__"]])
    if hasattr(kind, "__struct_fields__"):
        return _fields_rule("ms", list(kind.__struct_fields__))
    for base in _BASES:
        if issubclass(kind, base):
            return _subclass_rule(base)
    raise _no_rule(kind)


def _no_rule(kind: type) -> Unstorable:
    name = f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__ == "builtins" or kind.__module__.startswith(("_", "threading", "socket")):
        mend = "Keep it out of the state, e.g. open it in the node that uses it and store its name."
    else:
        mend = (
            f"Make {kind.__qualname__} a dataclass or a Pydantic model, or tell how to store it: "
            f"`stepgraph.core.registry.register_type({kind.__qualname__}, encode, decode)`."
        )
    return Unstorable(f"objects of type {name} cannot be stored", mend)


def _is_pydantic(kind: type) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and hasattr(pydantic, "BaseModel") and issubclass(kind, pydantic.BaseModel)


def name_of(kind: type, codec: Codec) -> str:
    """The name that a class is stored by: `module:Class`. Raises Unstorable when reading could not find it again."""
    name = f"{kind.__module__}:{kind.__qualname__}"
    if isinstance(_lookup(name), type):
        return name
    if codec.private:
        number = next((key for key, known in codec.local.items() if known is kind), None)
        if number is None:
            number = f"{name}#{len(codec.local) + 1}"
            codec.local[number] = kind
        return number
    raise Unstorable(
        f"class {kind.__qualname__} of module {kind.__module__} cannot be found by that name when it is read again",
        "Define it at the top level of a module or notebook, not inside a function, or tell how to store it: "
        f"`stepgraph.core.registry.register_type({kind.__name__}, encode, decode)`.",
    )


def class_named(name: str, codec: Codec, fits: Callable[[type], bool], wanted: str) -> type:
    """The class that a stored name names. Raises Unreadable when it is not loaded, gone, or not `wanted`."""
    found = codec.local.get(name) or _lookup(name)
    module = name.partition(":")[0]
    if found is None and module not in sys.modules and _allowed(module, codec):
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise Unreadable(
                f"class {name} is needed and module {module} cannot be imported: {error}", "Install it, then try again."
            ) from error
        found = _lookup(name)
    if isinstance(found, type) and fits(found):
        return found
    raise _not_found(name, found, wanted)


def _not_found(name: str, found: Any, wanted: str) -> Unreadable:
    module, _, qualname = name.partition(":")
    if found is not None:
        return Unreadable(
            f"{name} was stored as a {wanted} and is none now", "Give the class its old form back, or register a codec."
        )
    if module not in sys.modules:
        return Unreadable(
            f"class {name} is needed, and module {module} is not loaded",
            f"`import {module}` before reading, or allow it: `stepgraph.core.registry.allow_modules({module!r})`, "
            f"or `allowed_modules=[{module!r}]` of the checkpointer.",
        )
    place = "this notebook or script" if module == "__main__" else f"module {module}"
    mend = (
        f"Run the cell that defines {qualname}, then read again."
        if module == "__main__"
        else f"Give {module} a class {qualname} again, e.g. `{qualname} = NewName`."
    )
    return Unreadable(f"class {qualname} is needed and {place} has none of that name", mend)


def _lookup(name: str) -> Any:
    """What a name stands for among loaded modules. Reads dictionaries only, so nothing is imported or computed."""
    module, _, qualname = name.partition(":")
    loaded = sys.modules.get(module)
    if loaded is None:
        return None
    found: Any = loaded
    for part in qualname.split("."):
        found = getattr(found, "__dict__", {}).get(part)
        if found is None:
            return None
    return found


def _allowed(module: str, codec: Codec) -> bool:
    return any(module == each or module.startswith(f"{each}.") for each in (*codec.allowed, *allowed_modules))


def _lower_error(value: BaseException, codec: Codec) -> Any:
    if isinstance(value, StoredError):
        kind, message = value.kind, value.message
    else:
        kind, message = type(value).__qualname__, _message(value)
    plain: dict[str, Any] = {"~": "ex", "v": [kind, message]}
    notes = getattr(value, "__notes__", None)
    if notes:
        plain["n"] = [str(note) for note in notes]
    return plain


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001  a broken __str__ must not hide the error that is being stored
        return f"<its __str__ raised {type(failure).__name__}>"


def _lift_error(raw: dict[str, Any], codec: Codec) -> StoredError:
    kind, message = raw["v"]
    return StoredError(kind, message, tuple(raw.get("n", ())))


def _lower_enum(value: enum.Enum, codec: Codec) -> Any:
    plain: dict[str, Any] = {"~": "en", "c": name_of(type(value), codec), "n": value.name}
    if isinstance(value, enum.Flag):
        plain["v"] = codec.lower(value.value)
    return plain


def _lift_enum(raw: dict[str, Any], codec: Codec) -> Any:
    kind: Any = class_named(raw["c"], codec, lambda found: issubclass(found, enum.Enum), "enum")
    if raw["n"] in kind.__members__:
        return kind[raw["n"]]
    if "v" in raw:
        return kind(codec.lift(raw["v"]))
    raise Unreadable(
        f"enum {raw['c']} has no member {raw['n']!r} any more",
        f"Add it again, e.g. as an alias: {raw['n']} = NEW_NAME.",
    )


def _lower_namedtuple(value: Any, codec: Codec) -> Any:
    return {
        "~": "nt",
        "c": name_of(type(value), codec),
        "v": {name: codec.lower(item) for name, item in zip(value._fields, value, strict=True)},
    }


def _lift_namedtuple(raw: dict[str, Any], codec: Codec) -> Any:
    kind: Any = class_named(
        raw["c"], codec, lambda found: issubclass(found, tuple) and hasattr(found, "_fields"), "named tuple"
    )
    values = {name: codec.lift(item) for name, item in raw["v"].items()}
    if tuple(values) == kind._fields:
        return tuple.__new__(kind, values.values())
    return _reconstructed(kind, values, kind._fields)


def _lower_pydantic(value: Any, codec: Codec) -> Any:
    kind = type(value)
    fields = kind.__pydantic_fields__
    stored = value.__dict__
    plain: dict[str, Any] = {
        "~": "pd",
        "c": name_of(kind, codec),
        "v": {name: codec.lower(stored[name]) for name in fields if name in stored},
    }
    explicit = value.__pydantic_fields_set__
    if len(explicit) != len(plain["v"]):
        plain["s"] = sorted(explicit)
    if value.__pydantic_extra__:
        plain["e"] = codec.lower(value.__pydantic_extra__)
    if value.__pydantic_private__:
        plain["p"] = codec.lower(value.__pydantic_private__)
    return plain


def _lift_pydantic(raw: dict[str, Any], codec: Codec) -> Any:
    kind: Any = class_named(raw["c"], codec, _is_pydantic, "Pydantic model")
    values = {name: codec.lift(item) for name, item in raw["v"].items()}
    fields = kind.__pydantic_fields__
    extra = codec.lift(raw["e"]) if "e" in raw else {} if kind.model_config.get("extra") == "allow" else None
    if not values.keys() <= fields.keys() or any(fields[name].is_required() for name in fields.keys() - values.keys()):
        return kind.model_validate({**values, **(extra or {})})
    for name in fields.keys() - values.keys():
        values[name] = fields[name].get_default(call_default_factory=True)
    found = kind.__new__(kind)
    private = codec.lift(raw["p"]) if "p" in raw else None
    if private is None and kind.__private_attributes__:
        private = {}
    found.__setstate__(
        {
            "__dict__": values,
            "__pydantic_fields_set__": set(raw["s"]) if "s" in raw else set(raw["v"]),
            "__pydantic_extra__": extra,
            "__pydantic_private__": private,
        }
    )
    return found


def _fields_rule(tag: str, names: list[str]) -> Rule:
    def rule(value: Any, codec: Codec) -> Any:
        return {
            "~": tag,
            "c": name_of(type(value), codec),
            "v": {name: codec.lower(getattr(value, name)) for name in names if hasattr(value, name)},
        }

    return rule


def _lift_fields(fields: Callable[[Any], Iterable[str] | None], wanted: str) -> Callable[[dict[str, Any], Codec], Any]:
    def lift(raw: dict[str, Any], codec: Codec) -> Any:
        kind: Any = class_named(raw["c"], codec, lambda found: fields(found) is not None, wanted)
        values = {name: codec.lift(item) for name, item in raw["v"].items()}
        names = list(fields(kind) or ())
        if wanted == "msgspec struct" or not values.keys() <= set(names) or len(names) > len(values):
            return _reconstructed(kind, values, names)
        found = object.__new__(kind)
        for name, value in values.items():
            object.__setattr__(found, name, value)
        return found

    return lift


def _reconstructed(kind: Any, values: dict[str, Any], names: Iterable[str]) -> Any:
    """Through the constructor, for a class whose fields have changed since: those that are gone are left out."""
    known = set(names)
    return kind(**{name: value for name, value in values.items() if name in known})


def _dataclass_fields(kind: Any) -> list[str] | None:
    return [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None


def _attrs_fields(kind: Any) -> list[str] | None:
    attributes = vars(kind).get("__attrs_attrs__")
    return None if attributes is None else [attribute.name for attribute in attributes]


def _struct_fields(kind: Any) -> list[str] | None:
    return getattr(kind, "__struct_fields__", None)


_BASES: tuple[type, ...] = (str, int, float, bytes, dict, list, tuple, set, frozenset)


def _subclass_rule(base: Any) -> Rule:
    """A subclass of a built-in type that adds no attributes, e.g. `class Tag(str)`."""

    def rule(value: Any, codec: Codec) -> Any:
        if getattr(value, "__dict__", None):
            raise Unstorable(
                f"a {type(value).__qualname__} is a {base.__name__} with attributes of its own, which would be lost",
                "Make it a dataclass with a field for each, or register a codec for it.",
            )
        return {"~": "sub", "c": name_of(type(value), codec), "b": base.__name__, "v": codec.lower(_plain(base, value))}

    return rule


def _plain(base: Any, value: Any) -> Any:
    """The built-in part of a subclass's object, whatever the subclass overrides."""
    match base.__name__:
        case "str":
            return str.__str__(value)
        case "int":
            return int.__int__(value)
        case "float":
            return float.__float__(value)
        case "bytes":
            return bytes.__getitem__(value, slice(None))
        case "dict":
            return dict(dict.items(value))
        case "list":
            return list(list.__iter__(value))
        case _:
            return base(base.__iter__(value))


def _lift_subclass(raw: dict[str, Any], codec: Codec) -> Any:
    base: Any = next(each for each in _BASES if each.__name__ == raw["b"])
    kind: Any = class_named(raw["c"], codec, lambda found: issubclass(found, base), f"subclass of {raw['b']}")
    value = codec.lift(raw["v"])
    if base in (dict, list, set):
        found = base.__new__(kind)
        fill: Any = dict.update if base is dict else list.extend if base is list else set.update
        fill(found, value)
        return found
    return base.__new__(kind, value)


def _lift_registered(raw: dict[str, Any], codec: Codec) -> Any:
    name = raw["c"]
    if name not in type_codecs:
        raise Unreadable(
            f"it was stored by a codec named {name!r}, and none of that name is registered here",
            f"Register it before reading: `stepgraph.core.registry.register_type(..., name={name!r})`.",
        )
    return type_codecs[name].decoder()(codec.lift(raw["v"]))


LIFT: dict[str, Callable[[dict[str, Any], Codec], Any]] = {
    "ex": _lift_error,
    "en": _lift_enum,
    "nt": _lift_namedtuple,
    "pd": _lift_pydantic,
    "dc": _lift_fields(_dataclass_fields, "dataclass"),
    "at": _lift_fields(_attrs_fields, "attrs class"),
    "ms": _lift_fields(_struct_fields, "msgspec struct"),
    "sub": _lift_subclass,
    "x": _lift_registered,
}
