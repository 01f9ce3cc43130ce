"""Which LangGraph programs find here."""

from __future__ import annotations

from importlib import metadata

__all__ = ("__version__",)

MIRRORED = "1.2.22"
"""The release whose names and behaviour these modules have."""

try:
    __version__ = metadata.version("langgraph")
except metadata.PackageNotFoundError:
    __version__ = MIRRORED
