"""A program in the place where `python` runs one: as the module `__main__`, which stays when its last line has run.

Threads, functions registered with `atexit`, pickles and annotations look names up there, also afterwards; `runpy` takes
its module away then.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader, SourcelessFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

MAIN = "__main__"


def run_code(code: str, arguments: Sequence[str]) -> None:
    """As `python -c code`."""
    _begin("", ["-c", *arguments])
    _run(compile(code, "<string>", "exec", dont_inherit=True))


def run_module(name: str, arguments: Sequence[str]) -> None:
    """As `python -m name`."""
    _begin("", ["-m", *arguments])
    spec = find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        name = f"{name}.{MAIN}"
        spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    sys.argv[0] = spec.origin or name
    _run_found(spec)


def run_file(program: str, arguments: Sequence[str]) -> None:
    """As `python program`; a folder or an archive with a `__main__.py` is one too."""
    path = str(Path(program).absolute())
    inside = PathFinder.find_spec(MAIN, [path])
    if inside is not None:
        _begin(path, [program, *arguments])
        return _run_found(inside)
    _begin(str(Path(program).resolve().parent), [program, *arguments])
    if path.endswith(".pyc"):
        compiled = SourcelessFileLoader(MAIN, path)
        return _run(compiled.get_code(MAIN), __file__=path, __loader__=compiled)
    loader = SourceFileLoader(MAIN, path)
    return _run(loader.source_to_code(loader.get_data(path), path), __file__=path, __loader__=loader)


def _begin(folder: str, arguments: list[str]) -> None:
    sys.argv = arguments
    sys.path.insert(0, folder)


def _run_found(spec: ModuleSpec) -> None:
    loader: Any = spec.loader
    code = loader.get_code(spec.name)
    if code is None:
        raise ImportError(f"There is no Python code of {spec.name!r} to run.", name=spec.name)
    names = {"__spec__": spec, "__package__": spec.parent, "__file__": spec.origin, "__cached__": spec.cached}
    _run(code, __loader__=loader, **names)


def _run(code: CodeType | None, **names: Any) -> None:
    main = ModuleType(MAIN)
    vars(main).update({"__builtins__": builtins, **names})
    sys.modules[MAIN] = main
    exec(code or "", vars(main))
