"""How NumPy's arrays and scalars are stored: dtype, shape and raw bytes. Imported only where there are some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from stepgraph.persist.codec import Codec, Rule, Unstorable
from stepgraph.persist.rules import packed_bytes, unpacked_bytes


def lowering(kind: type) -> Rule | None:
    """The rule for one of NumPy's types, or None."""
    if kind is np.ndarray:
        return _lower_array
    if issubclass(kind, np.generic):
        return _lower_scalar
    if issubclass(kind, np.dtype):
        return lambda value, codec: {"~": "npt", "v": codec.lower(np.lib.format.dtype_to_descr(value))}
    if issubclass(kind, np.ndarray):
        raise Unstorable(f"arrays of class {kind.__name__} are not stored", "Store `numpy.asarray(value)`.")
    return None


def _lower_array(value: Any, codec: Codec) -> Any:
    plain: dict[str, Any] = {"~": "np", "t": _type_text(value.dtype, codec), "s": list(value.shape)}
    if value.flags.f_contiguous and not value.flags.c_contiguous:
        plain["o"] = "F"
    if value.dtype.kind == "O":
        plain["v"] = codec.lower(value.ravel(order=plain.get("o", "C")).tolist())
    elif value.dtype.hasobject or value.dtype.kind == "T":
        raise Unstorable(f"arrays of dtype {value.dtype} are not stored", "Store it as a list, or with dtype object.")
    else:
        plain["v"] = packed_bytes(value.tobytes(order=plain.get("o", "C")))
    return plain


def _lift_array(raw: dict[str, Any], codec: Codec) -> Any:
    dtype = _type_of(raw["t"], codec)
    order = raw.get("o", "C")
    if dtype.kind == "O":
        flat = np.empty(len(raw["v"]), dtype=object)
        for index, item in enumerate(codec.lift_all(raw["v"])):
            flat[index] = item
    else:
        flat = np.frombuffer(bytearray(unpacked_bytes(raw["v"])), dtype=dtype)
    return flat.reshape(raw["s"], order=order)


def _lower_scalar(value: Any, codec: Codec) -> Any:
    return {"~": "nps", "t": _type_text(value.dtype, codec), "v": packed_bytes(value.tobytes())}


def _lift_scalar(raw: dict[str, Any], codec: Codec) -> Any:
    return np.frombuffer(unpacked_bytes(raw["v"]), dtype=_type_of(raw["t"], codec))[0]


def _type_text(dtype: Any, codec: Codec) -> Any:
    return "|O" if dtype.kind == "O" else codec.lower(np.lib.format.dtype_to_descr(dtype))


def _type_of(raw: Any, codec: Codec) -> Any:
    return np.lib.format.descr_to_dtype(codec.lift(raw))


LIFT: dict[str, Callable[[dict[str, Any], Codec], Any]] = {
    "np": _lift_array,
    "nps": _lift_scalar,
    "npt": lambda raw, codec: _type_of(raw["v"], codec),
}
