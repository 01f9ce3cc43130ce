"""Makes `import langgraph…` give the modules of `stepgraph.compat.langgraph`.

`langgraph` is a namespace package that several distributions share. The engine's own modules are ours; what
langgraph-checkpoint, langgraph-prebuilt and other distributions add (`checkpoint`, `store`, `cache`, `prebuilt`, …) is
theirs when it is installed, and ours where it is not.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  langchain-core needs it, and it can't be loaded when the main thread has ended
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

from stepgraph.compat.elsewhere import lend
from stepgraph.compat.kin import KIN, introduce
from stepgraph.compat.loading import once_loaded
from stepgraph.compat.processes import SERVER, SPAWN, preload, prepare
from stepgraph.core import registry

OURS = "stepgraph.compat.langgraph"
ENGINE = frozenset(
    (
        "_internal", "callbacks", "channels", "config", "constants", "errors", "func", "graph", "managed", "pregel",
        "runtime", "stream", "types", "typing", "utils", "version", "warnings",
    )
)  # fmt: skip
"""What the `langgraph` distribution itself consists of: these are never taken from it."""


class Finder(MetaPathFinder):
    """Finds `langgraph` and all below it, and what starts new processes."""

    def __init__(self) -> None:
        self.own: frozenset[str] = frozenset()
        """Parts of other distributions for which ours stand even where those are installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.startswith(f"{OURS}."):
            return _mirrored(PathFinder.find_spec(fullname, path))
        if fullname in (SPAWN, SERVER):
            return _starting(fullname, path)
        top, _, rest = fullname.partition(".")
        if top != "langgraph":
            return None
        if not rest:
            return _namespace(fullname)
        mirror = f"{OURS}.{rest}"
        if rest.partition(".")[0] in ENGINE or rest.partition(".")[0] in self.own:
            if _exists(mirror):
                return ModuleSpec(fullname, _Alias(mirror), origin=OURS)
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: programs run on stepgraph here, which has no such part of LangGraph.",
                name=fullname,
            )
        installed = PathFinder.find_spec(fullname, path)
        if installed is None and _exists(mirror):
            return ModuleSpec(fullname, _Alias(mirror), origin=OURS)
        if installed is not None and fullname == "langgraph.prebuilt.tool_node":
            from stepgraph.compat.quicker import quicken

            return once_loaded(installed, quicken)
        if installed is not None and fullname in KIN:
            return once_loaded(installed, lambda module: introduce(module.__name__))
        return installed


class _Alias(Loader):
    """Gives the mirror itself: one module under two names, so that classes are the same whatever name they came by."""

    def __init__(self, mirror: str) -> None:
        self.mirror = mirror
        self._own: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.mirror)
        self._own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own  # the import system has put the other name's in its place


class _Mirror(SourceFileLoader):
    """Loads a module of ours, which programs may reach as an attribute of its package, without importing it."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _lend(module)


def _lend(module: ModuleType) -> None:
    lend(module, module.__name__.removeprefix(f"{OURS}."))


def _mirrored(spec: ModuleSpec | None) -> ModuleSpec | None:
    if spec is not None and type(spec.loader) is SourceFileLoader:
        spec.loader = _Mirror(spec.loader.name, spec.loader.path)
    return spec


def _starting(fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
    spec = PathFinder.find_spec(fullname, path)
    act = preload if fullname == SERVER else _prepare
    return spec and once_loaded(spec, act)


def _prepare(spawn: ModuleType) -> None:
    prepare(spawn, _install_line)


def _install_line() -> str:
    """What a new process runs to have the hook as this one has it."""
    own = bool(_finder.own)
    return f"from stepgraph.compat.hook import install\ninstall(own_prebuilt={own})" if installed() else ""


class _Nothing(Loader):
    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        """The namespace holds nothing itself."""


def _namespace(fullname: str) -> ModuleSpec:
    """`langgraph` itself: the folders that any distribution put there, searched in turn, also those that come later."""
    spec = ModuleSpec(fullname, _Nothing(), is_package=True)
    installed = PathFinder.find_spec(fullname)
    if installed is not None and installed.submodule_search_locations is not None:
        spec.submodule_search_locations = installed.submodule_search_locations
    return spec


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # its package is missing too
        return False


_finder = Finder()


def installed() -> bool:
    """Whether `import langgraph…` gives this engine."""
    return _finder in sys.meta_path


def install(*, own_prebuilt: bool = False) -> None:
    """From now on `import langgraph…` gives this engine. Call it before the first such import; again is no harm.

    With `own_prebuilt` the agents and tool nodes are `stepgraph.prebuilt`'s, which are faster, though
    langgraph-prebuilt is installed. Raises ImportError when LangGraph's own engine has been imported already.
    """
    if own_prebuilt:
        _refuse_their_prebuilt()
    if not installed():
        _insert()
    if own_prebuilt:
        _finder.own = frozenset(("prebuilt",))


def _insert() -> None:
    early = sorted(name for name in _engine_modules() if not name.startswith("langgraph._internal"))
    if early:
        raise ImportError(
            f"LangGraph's own engine is imported already ({', '.join(early[:3])}{'…' if len(early) > 3 else ''}). "
            "Import stepgraph.compat.install before anything that imports langgraph, or start the program with "
            "`python -m stepgraph.compat run app.py`."
        )
    for name in _engine_modules():
        del sys.modules[name]
    sys.meta_path.insert(0, _finder)
    for name in [name for name in sys.modules if name.startswith(f"{OURS}.")]:  # what is ours may be loaded before
        _lend(sys.modules[name])
    for name in KIN.keys() & sys.modules.keys():
        introduce(name)
    if SPAWN in sys.modules:
        _prepare(sys.modules[SPAWN])
    registry.adapters.register("beta", "stepgraph.compat.beta:say")
    registry.adapters.register("strangers", "stepgraph.compat.strangers:pass_over")


def _refuse_their_prebuilt() -> None:
    theirs = [name for name in sys.modules if name.startswith("langgraph.prebuilt") and not _is_ours(name)]
    if theirs:
        raise ImportError(
            f"langgraph-prebuilt is imported already ({theirs[0]}). Install the hook before anything that imports it."
        )


def uninstall() -> None:
    """Let `import langgraph…` find LangGraph again. Modules that were imported meanwhile keep what they have."""
    if not installed():
        return
    sys.meta_path.remove(_finder)
    registry.adapters.remove("beta")
    registry.adapters.remove("strangers")
    _finder.own = frozenset()
    for name in [name for name in sys.modules if name == "langgraph" or name.startswith("langgraph.")]:
        del sys.modules[name]


@contextmanager
def hooked() -> Iterator[None]:
    """`install()` for the length of a `with` block."""
    install()
    try:
        yield
    finally:
        uninstall()


def _engine_modules() -> list[str]:
    """Modules of LangGraph's engine that are loaded."""
    return [
        name
        for name in sys.modules
        if name.startswith("langgraph.") and name.split(".")[1] in ENGINE and not _is_ours(name)
    ]


def _is_ours(name: str) -> bool:
    return getattr(sys.modules[name], "__name__", "").startswith(OURS)
