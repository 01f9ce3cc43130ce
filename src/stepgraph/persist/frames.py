"""How pandas objects are stored: each column as its dtype and its bytes or items. Imported where there are some."""

# ruff: noqa: ARG005  every rule of a table has the same signature

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from stepgraph.persist.codec import Codec, Rule, Unstorable


def lowering(kind: type) -> Rule | None:
    """The rule for one of pandas' types, or None."""
    if kind in _LOWER:
        return _LOWER[kind]
    if issubclass(kind, pd.Index):
        return lambda value, codec: {"~": "ix", "v": _lower_index(value, codec)}
    if issubclass(kind, pd.api.extensions.ExtensionArray):
        return lambda value, codec: {"~": "pa", "v": _lower_array(value, codec)}
    if issubclass(kind, pd.DataFrame | pd.Series):
        raise Unstorable(f"{kind.__name__} is a subclass of a pandas class", "Store a plain DataFrame or Series of it.")
    return None


_MASKED = (
    pd.BooleanDtype,
    *(getattr(pd, f"{sign}Int{bits}Dtype") for sign in ("", "U") for bits in (8, 16, 32, 64)),
    pd.Float32Dtype,
    pd.Float64Dtype,
)


def _lower_frame(frame: pd.DataFrame, codec: Codec) -> Any:
    plain: dict[str, Any] = {"~": "df", "c": _lower_index(frame.columns, codec), "i": _lower_index(frame.index, codec)}
    plain["v"] = [_lower_array(frame.iloc[:, place].array, codec) for place in range(frame.shape[1])]
    if frame.attrs:
        plain["a"] = codec.lower(frame.attrs)
    return plain


def _lift_frame(raw: dict[str, Any], codec: Codec) -> pd.DataFrame:
    index = _lift_index(raw["i"], codec)
    columns = {place: _column(_lift_array(column, codec), index) for place, column in enumerate(raw["v"])}
    frame = pd.DataFrame(columns, index=index)
    frame.columns = _lift_index(raw["c"], codec)
    if "a" in raw:
        frame.attrs = codec.lift(raw["a"])
    return frame


def _lower_series(series: Any, codec: Codec) -> Any:
    plain: dict[str, Any] = {
        "~": "se",
        "i": _lower_index(series.index, codec),
        "v": _lower_array(series.array, codec),
        "n": codec.lower(series.name),
    }
    if series.attrs:
        plain["a"] = codec.lower(series.attrs)
    return plain


def _lift_series(raw: dict[str, Any], codec: Codec) -> Any:
    name = codec.lift(raw["n"])
    series = _column(_lift_array(raw["v"], codec), _lift_index(raw["i"], codec), name)
    if "a" in raw:
        series.attrs = codec.lift(raw["a"])
    return series


def _column(array: Any, index: Any, name: Any = None) -> Any:
    """A Series with the array's own dtype: left to itself, pandas makes strings of objects that are strings."""
    return pd.Series(array, index=index, name=name, dtype=array.dtype)


def _lower_index(index: Any, codec: Codec) -> Any:
    names = codec.lower(list(index.names))
    if isinstance(index, pd.MultiIndex):
        levels = [_lower_index(level, codec) for level in index.levels]
        return {"k": "multi", "n": names, "l": levels, "v": [codec.lower(np.asarray(each)) for each in index.codes]}
    if isinstance(index, pd.RangeIndex):
        return {"k": "range", "n": names, "v": [index.start, index.stop, index.step]}
    plain = {"k": "array", "n": names, "v": _lower_array(index.array, codec)}
    freq = getattr(index, "freqstr", None)
    if freq is not None and not isinstance(index, pd.PeriodIndex):
        plain["f"] = freq
    return plain


def _lift_index(raw: dict[str, Any], codec: Codec) -> Any:
    names = codec.lift(raw["n"])
    if raw["k"] == "multi":
        levels = [_lift_index(level, codec) for level in raw["l"]]
        return pd.MultiIndex(levels, [codec.lift(each) for each in raw["v"]], names=names, verify_integrity=False)
    if raw["k"] == "range":
        start, stop, stride = raw["v"]
        return pd.RangeIndex(start, stop, stride, name=names[0])
    array = _lift_array(raw["v"], codec)
    index: Any = pd.Index(array, dtype=array.dtype, name=names[0])
    if "f" in raw:
        index.freq = raw["f"]
    return index


def _lower_array(array: Any, codec: Codec) -> Any:
    """One column. `k` says which of pandas' kinds of array it is."""
    dtype = array.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        kind = {"k": "category", "c": _lower_index(dtype.categories, codec), "o": bool(dtype.ordered)}
        return {**kind, "v": codec.lower(np.asarray(array.codes))}
    if isinstance(dtype, pd.DatetimeTZDtype):
        moments = np.asarray(array.tz_convert("UTC").tz_localize(None))
        return {"k": "zoned", "z": codec.lower(dtype.tz), "v": codec.lower(moments)}
    if isinstance(dtype, pd.StringDtype):
        missing = "nan" if dtype.na_value is not pd.NA else "NA"
        items = [None if empty else item for item, empty in zip(array, array.isna(), strict=True)]
        return {"k": "text", "s": dtype.storage, "m": missing, "v": items}
    if isinstance(dtype, np.dtype) or isinstance(array, pd.arrays.NumpyExtensionArray):
        return {"k": "numpy", "v": codec.lower(np.asarray(array))}
    if isinstance(dtype, pd.IntervalDtype):
        sides = {side: _lower_index(getattr(array, side), codec) for side in ("left", "right")}
        return {"k": "interval", "c": array.closed, **sides}
    if isinstance(dtype, pd.PeriodDtype):
        return {"k": "period", "t": str(dtype), "v": codec.lower(np.asarray(array.asi8))}
    if _is_masked(dtype):
        mask = array.isna()
        values = array.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return {"k": "masked", "t": str(dtype), "v": codec.lower(values), "n": codec.lower(mask)}
    raise Unstorable(f"a column of dtype {dtype} cannot be stored", "Convert it first, e.g. `.astype(object)`.")


def _is_masked(dtype: Any) -> bool:
    return isinstance(dtype, _MASKED)


def _lift_array(raw: dict[str, Any], codec: Codec) -> Any:
    match raw["k"]:
        case "numpy":
            return codec.lift(raw["v"])
        case "category":
            categories = _lift_index(raw["c"], codec)
            return pd.Categorical.from_codes(codec.lift(raw["v"]), categories=categories, ordered=raw["o"])
        case "zoned":
            moments = pd.DatetimeIndex(codec.lift(raw["v"]))
            return moments.tz_localize("UTC").tz_convert(codec.lift(raw["z"])).array
        case "text":
            missing = np.nan if raw["m"] == "nan" else pd.NA
            dtype: Any = pd.StringDtype(_storage(raw["s"]), na_value=missing)
            return pd.array(raw["v"], dtype=dtype)
        case "interval":
            left, right = (_lift_index(raw[side], codec) for side in ("left", "right"))
            return pd.arrays.IntervalArray.from_arrays(left, right, closed=raw["c"])
        case "period":
            ordinals = codec.lift(raw["v"])
            return pd.arrays.PeriodArray(ordinals, dtype=raw["t"])
        case _:
            return _lift_masked(raw, codec)


def _lift_masked(raw: dict[str, Any], codec: Codec) -> Any:
    values, mask = codec.lift(raw["v"]), codec.lift(raw["n"])
    make: Any
    if values.dtype == bool:
        make = pd.arrays.BooleanArray
    elif values.dtype.kind == "f":
        make = pd.arrays.FloatingArray
    else:
        make = pd.arrays.IntegerArray
    return make(values, mask)


def _storage(wanted: str) -> str:
    """Strings backed by Arrow become Python ones where pyarrow is not installed; their values are the same."""
    if wanted == "pyarrow":
        return wanted if importlib.util.find_spec("pyarrow") is not None else "python"
    return wanted


def _lower_timestamp(value: Any, codec: Codec) -> Any:
    zone = value.tzinfo
    plain: dict[str, Any] = {"~": "pts", "u": value.unit, "v": _ticks(value)}
    if zone is not None:
        plain["z"] = codec.lower(zone)
    return plain


def _ticks(value: Any) -> int:
    """Since 1970 in UTC, in the value's own unit."""
    return int(value.to_numpy().astype("int64"))


def _lift_timestamp(raw: dict[str, Any], codec: Codec) -> Any:
    moment = pd.Timestamp(np.datetime64(raw["v"], raw["u"]))
    return moment.tz_localize("UTC").tz_convert(codec.lift(raw["z"])) if "z" in raw else moment


def _lift_interval(raw: dict[str, Any], codec: Codec) -> Any:
    left, right = codec.lift(raw["v"])
    return pd.Interval(left, right, closed=raw["c"])


_LOWER: dict[Any, Rule] = {
    pd.DataFrame: _lower_frame,
    pd.Series: _lower_series,
    pd.Timestamp: _lower_timestamp,
    pd.Timedelta: lambda value, codec: {"~": "ptd", "u": value.unit, "v": _ticks(value)},
    pd.Period: lambda value, codec: {"~": "per", "v": value.ordinal, "f": value.freqstr},
    pd.Interval: lambda value, codec: {"~": "ivl", "v": codec.lower([value.left, value.right]), "c": value.closed},
    type(pd.NA): lambda value, codec: {"~": "pna", "v": "NA"},
    type(pd.NaT): lambda value, codec: {"~": "pna", "v": "NaT"},
}
LIFT: dict[str, Callable[[dict[str, Any], Codec], Any]] = {
    "df": _lift_frame,
    "se": _lift_series,
    "ix": lambda raw, codec: _lift_index(raw["v"], codec),
    "pa": lambda raw, codec: _column(_lift_array(raw["v"], codec), None).array,
    "pts": _lift_timestamp,
    "ptd": lambda raw, codec: pd.Timedelta(np.timedelta64(raw["v"], raw["u"])),
    "per": lambda raw, codec: pd.Period(ordinal=raw["v"], freq=raw["f"]),
    "ivl": _lift_interval,
    "pna": lambda raw, codec: pd.NaT if raw["v"] == "NaT" else pd.NA,
}
