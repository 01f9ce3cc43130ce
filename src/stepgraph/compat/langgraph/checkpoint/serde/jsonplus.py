"""Values as bytes in this library's own encoding, under the name of LangGraph's serializer."""

from __future__ import annotations

import json
import pickle
from collections.abc import Collection, Iterable
from typing import Any

from stepgraph.compat.langgraph.checkpoint.serde.base import SerializerProtocol
from stepgraph.compat.twins import ours
from stepgraph.persist.codec import ENCODING, Codec, Unstorable

_UNSET: Any = object()
_KIND = "stepgraph"
_RAW = {"bytes": bytes, "bytearray": bytearray}


class JsonPlusSerializer(SerializerProtocol):
    """Encodes whatever checkpointers store. With `pickle_fallback` other values are pickled.

    The lists of classes are kept for those who ask; which classes are made again is decided as for all that this
    library stores: those that are loaded, or whose module was allowed (`stepgraph.persist.allow_modules`).
    """

    def __init__(
        self,
        *,
        pickle_fallback: bool = False,
        allowed_json_modules: Iterable[tuple[str, ...]] | bool | None = None,
        allowed_msgpack_modules: Any = _UNSET,
        __unpack_ext_hook__: Any = None,
    ) -> None:
        self.pickle_fallback = pickle_fallback
        self._allowed_json_modules = _listed(allowed_json_modules)
        self._allowed_msgpack_modules = True if allowed_msgpack_modules is _UNSET else _listed(allowed_msgpack_modules)
        self._codec = Codec(private=True)

    def with_msgpack_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> JsonPlusSerializer:
        """The same with these classes in its list; itself if all are in it."""
        known = self._allowed_msgpack_modules
        added = _listed(extra_allowlist)
        if known is True or not isinstance(added, set) or (isinstance(known, set) and added <= known):
            return self
        other = JsonPlusSerializer(pickle_fallback=self.pickle_fallback)
        other._allowed_json_modules, other._codec = self._allowed_json_modules, self._codec
        other._allowed_msgpack_modules = {*(known or ()), *added}
        return other

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """What kind of bytes, and the bytes. Raises TypeError for what can't be stored."""
        if obj is None:
            return "null", b""
        if type(obj) in (bytes, bytearray):
            return type(obj).__name__, bytes(obj)
        obj = repr(obj) if isinstance(obj, BaseException) else ours(obj)  # a failure is a text here
        try:
            return _KIND, self._codec.dumps(obj).encode(*ENCODING)
        except Unstorable:
            if self.pickle_fallback:
                return "pickle", pickle.dumps(obj)
            why = self._codec.why(obj)
            raise TypeError(f"Type is not serializable: {type(obj).__name__}: {why.what}. {why.mend}") from None

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value. Raises NotImplementedError for bytes of an unknown kind."""
        kind, content = data
        if kind == "null":
            return None
        if kind in _RAW:
            return _RAW[kind](content)
        if kind == _KIND:
            return self._codec.loads(content.decode(*ENCODING))
        if kind == "json":
            return json.loads(content)
        if kind == "pickle" and self.pickle_fallback:
            return pickle.loads(content)  # who asked for pickles trusts where they are kept, as in LangGraph
        raise NotImplementedError(
            f"Unknown serialization type: {kind}. What langgraph-checkpoint has stored is read where it is installed."
        )


def _listed(given: Any) -> Any:
    if given is None or isinstance(given, bool):
        return given or None
    return {tuple(each) if isinstance(each, (list, tuple)) else (each.__module__, each.__name__) for each in given}


__all__ = ("JsonPlusSerializer",)
