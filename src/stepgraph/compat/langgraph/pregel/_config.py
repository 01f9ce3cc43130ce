"""An old place of config functions, empty in LangGraph too."""

from __future__ import annotations
