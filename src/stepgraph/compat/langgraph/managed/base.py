"""What programs derive their own managed values from."""

from __future__ import annotations

from typing import Any

from stepgraph.schema.managed import ManagedValue
from stepgraph.schema.managed import is_managed as is_managed_value

ManagedValueSpec = type[ManagedValue[Any]]
ManagedValueMapping = dict[str, ManagedValueSpec]

__all__ = ("ManagedValue", "ManagedValueMapping", "ManagedValueSpec", "is_managed_value")
