"""Says once of each thing that LangGraph calls experimental, as it does: programs may listen for it or silence it."""

from __future__ import annotations

_said: set[str] = set()


def say(*what: str) -> None:
    """Warn with langchain-core's LangChainBetaWarning, the first time for each of `what`; not without it."""
    for each in what:
        if each in _said:
            continue
        try:
            from langchain_core._api.beta_decorator import warn_beta
        except ImportError:
            return
        _said.add(each)
        warn_beta(message="The v3 streaming protocol on Pregel is experimental.")
