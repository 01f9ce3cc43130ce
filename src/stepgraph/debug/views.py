"""State objects that remember which of their fields were read: still instances of the schema's class, for a while.

The object that a node gets is given a subclass of its own class until the node has ended, so everything it is and does
stays as it was: `isinstance`, equality, copies, pickles, validation. Only `type(state) is Schema` sees the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

_set_class = object.__dict__["__class__"].__set__
_watched: dict[int, tuple[set[str], frozenset[str], Any]] = {}
"""Of each watched object, by id: what was read, what can be, and the object itself so that its id stays its own."""
_kinds: WeakKeyDictionary[type, type | str] = WeakKeyDictionary()
"""The watching subclass of each class, or why there can't be one."""


def watch(value: Any, seen: set[str]) -> str | None:
    """Note in `seen` which fields of `value` are read, until `unwatch`; or say why that is not possible."""
    kind = type(value)
    watching = _kinds.get(kind)
    if watching is None:
        watching = _kinds[kind] = _watching(kind)
    if isinstance(watching, str):
        return watching
    try:
        _set_class(value, watching)
    except TypeError as error:
        _kinds[kind] = why = f"{kind.__name__}: {error}"
        return why
    _watched[id(value)] = (seen, _fields(kind), value)
    return None


def unwatch(value: Any) -> None:
    """The object is of its own class again."""
    if _watched.pop(id(value), None) is not None:
        _set_class(value, type(value).__mro__[1])


def _read_whole(value: Any) -> None:
    found = _watched.get(id(value))
    if found is not None:
        found[0].update(found[1])


def _fields(kind: type) -> frozenset[str]:
    declared: Any = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", ())
    return frozenset(declared)


def _watching(kind: type) -> type | str:
    if not _fields(kind):
        return f"{kind.__name__} has no fields that are known"
    hook = next((each for each in kind.__mro__ if "__init_subclass__" in vars(each)), object)
    if hook.__module__ not in ("builtins", "typing", "pydantic.main"):
        return f"{hook.__name__} looks at its subclasses (__init_subclass__)"
    body: dict[str, Any] = {
        "__slots__": (),
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "__class__": property(lambda _: kind),
        "__getattribute__": _reader(kind),
        "__reduce_ex__": _reducer(kind),
    }
    for name in ("__copy__", "__deepcopy__"):
        if hasattr(kind, name):
            body[name] = _copier(kind, name)
    # Past the metaclass's own `__new__`: Pydantic's would build a whole model.
    return type.__new__(type(kind), kind.__name__, (kind,), body)


def _reader(kind: type) -> Callable[[Any, str], Any]:
    read: Any = kind.__getattribute__
    watched = _watched.get

    def __getattribute__(self: Any, name: str) -> Any:  # noqa: N807  it becomes a method
        found = watched(id(self))
        if found is not None:
            if name in found[1]:
                found[0].add(name)
            elif name == "__dict__":
                _read_whole(self)
        return read(self, name)

    return __getattribute__


def _reducer(kind: type) -> Callable[[Any, Any], Any]:
    """Pickles and copies are of the class itself."""
    reduce: Any = kind.__reduce_ex__

    def __reduce_ex__(self: Any, protocol: Any) -> Any:  # noqa: N807  it becomes a method
        _read_whole(self)
        made = reduce(self, protocol)
        if not isinstance(made, tuple):
            return made
        own = type(self)
        arguments = tuple(kind if each is own else each for each in made[1])
        return (kind if made[0] is own else made[0], arguments, *made[2:])

    return __reduce_ex__


def _copier(kind: type, name: str) -> Callable[..., Any]:
    copy = getattr(kind, name)

    def copier(self: Any, *arguments: Any) -> Any:
        _read_whole(self)
        made = copy(self, *arguments)
        if type(made) is type(self) and made is not self:
            _set_class(made, kind)
        return made

    return copier
