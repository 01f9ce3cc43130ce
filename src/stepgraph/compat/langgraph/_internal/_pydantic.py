"""Pydantic models of states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, is_typeddict

__all__ = ("create_model", "get_fields", "is_supported_by_pydantic")


def get_fields(model: Any) -> dict[str, Any]:
    """The fields of a Pydantic model, by name. Raises TypeError for anything else."""
    for name in ("model_fields", "__fields__"):
        found = getattr(model if isinstance(model, type) else type(model), name, None)
        if found is not None:
            return dict(found)
    raise TypeError(f"Expected a Pydantic model, got {type(model)}.")


def create_model(model_name: str, *, field_definitions: Mapping[str, Any] | None = None, root: Any = None) -> Any:
    """A Pydantic model with these fields (name -> (type, default)), or of one bare value."""
    import pydantic

    from stepgraph.schema.described import root_model

    if root is not None:
        return root_model(model_name, root[0] if isinstance(root, tuple) else root)
    return pydantic.create_model(model_name, **dict(field_definitions or {}))


def is_supported_by_pydantic(type_: Any) -> bool:
    """Whether Pydantic makes a schema of it: a dataclass, a model or a TypedDict."""
    return is_dataclass(type_) or hasattr(type_, "model_fields") or is_typeddict(type_) or _is_typed_dict(type_)


def _is_typed_dict(type_: Any) -> bool:
    return isinstance(type_, type) and hasattr(type_, "__required_keys__")
