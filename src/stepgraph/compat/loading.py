"""What is to be done once a module of somebody else's is loaded."""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType


def once_loaded(spec: ModuleSpec, act: Callable[[ModuleType], object]) -> ModuleSpec:
    """The module's spec; `act` is called with the module when its code has run. Nothing for one that is no source."""
    loader = spec.loader
    if type(loader) is SourceFileLoader:
        spec.loader = _Loader(loader.name, loader.path, act)
    return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, act: Callable[[ModuleType], object]) -> None:
        super().__init__(name, path)
        self._act = act

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        self._act(module)
