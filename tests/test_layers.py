"""Who may import whom: the table of layers, enforced by reading every import of src/stepgraph."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src" / "stepgraph"


@dataclass(frozen=True, slots=True)
class Layer:
    """What the modules of one folder may import besides the standard library and each other.

    A name stands for itself and all below it: "core" for every module of core, "core.events" for that one.
    """

    uses: tuple[str, ...] = ()
    """Modules of stepgraph."""
    packages: tuple[str, ...] = ()
    """Third-party packages, from the extra that the layer belongs to."""


PYDANTIC = ("pydantic", "pydantic_core", "typing_extensions")
BACKEND = ("core.checkpoint", "core.errors", "core.registry", "core.types")
LOWER = (
    "core",
    "schema",
    "messages",
    "run",
    "graph",
    "persist",
    "store",
    "cache",
    "approve",
    "debug",
    "observe",
    "panels",
)

LAYERS = {
    "core": Layer(),
    "schema": Layer(("core",), PYDANTIC),
    "messages": Layer(("core",), ("langchain_core", "typing_extensions")),
    "run": Layer(("core", "persist.memory")),
    "graph": Layer(("core", "schema", "run", "messages"), ("graphviz",)),
    "persist": Layer(BACKEND),
    "store": Layer((*BACKEND, "persist.wal"), ("langchain",)),
    "cache": Layer((*BACKEND, "persist.codec", "persist.wal")),
    "approve": Layer(("core", "run.hub"), PYDANTIC),
    "debug": Layer(("core", "run", "graph", "approve"), ("pandas",)),
    "observe": Layer(("core.events", "core.types", "run.hub")),
    "panels": Layer(
        ("core.events", "core.types", "approve", "debug", "graph.drawing"),
        ("anywidget", "comm", "graphviz", "ipykernel", "IPython", "ipywidgets", "pandas", "traitlets"),
    ),
    "prebuilt": Layer((*LOWER, "integrations")),  # models, messages and tools are langchain-core's
    "batch": Layer(LOWER),
    "server": Layer(LOWER),
    "deploy": Layer(LOWER),
    "migrate": Layer(LOWER),
    "integrations": Layer(LOWER),
    "compat": Layer((*LOWER, "integrations", "prebuilt")),  # LangGraph is made of langchain-core's Runnables
    "cli": Layer(LOWER),
}

# The facade, which loads everything else by name on first use; its imports for type checkers only may name any layer.
ROOT = Layer(("core", "schema", "run", "graph", "persist.memory"))


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement, or a call of `import_module` with a literal name."""

    module: str
    """Dotted name of the importing module, "stepgraph" for the facade."""
    line: int
    target: str
    """Dotted name of what is imported: the module where that can be told, else the package."""
    typing_only: bool
    """Whether it stands below `if TYPE_CHECKING`."""

    def __str__(self) -> str:
        return f"{self.module} line {self.line} imports {self.target}"


def violations(source: Path) -> list[str]:
    """Every import below `source` (a folder called stepgraph) that the table does not allow, as a sentence."""
    unknown = sorted(
        path.name
        for path in source.iterdir()
        if (path.is_dir() and path.name not in LAYERS and any(path.rglob("*.py")))
        or (path.suffix == ".py" and path.stem != "__init__")
    )
    found = [f"stepgraph/{name} is in no layer: add it to LAYERS or move it into one" for name in unknown]
    return found + [f"{each}: {why}" for each in dict.fromkeys(imports(source)) if (why := objection(each))]


def objection(found: Import) -> str | None:
    """Why the table forbids an import, or None."""
    layer = found.module.partition(".")[2].partition(".")[0]
    if not layer:
        rule = ROOT
        if found.typing_only:
            return None
    elif layer in LAYERS:
        rule = LAYERS[layer]
    else:
        return None  # said once for the whole folder
    package, _, target = found.target.partition(".")
    if package != "stepgraph":
        allowed = package in sys.stdlib_module_names or package in rule.packages or unrestricted(layer)
        return (
            None if allowed else f"{layer or 'stepgraph/__init__'} may use no package but {rule.packages or 'its own'}"
        )
    if target and within(target, (layer, *rule.uses) if layer else rule.uses):
        return None
    return f"{layer or 'stepgraph/__init__'} may import from {', '.join(rule.uses) or 'nowhere else'}"


def unrestricted(layer: str) -> bool:
    """Top layers and backends bring packages of their own: an extra of the same name."""
    return layer in ("persist", "store", "cache", "observe") or (
        layer in LAYERS and set(LOWER) <= set(LAYERS[layer].uses)
    )


def within(module: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of `prefixes` or below one."""
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def imports(source: Path) -> list[Import]:
    """Every import of every module below `source`."""
    modules = {name_of(file, source): file for file in sorted(source.rglob("*.py")) if "node_modules" not in file.parts}
    return [found for module, file in modules.items() for found in imports_of(module, file, modules)]


def name_of(file: Path, source: Path) -> str:
    """Dotted name of a module file."""
    parts = (source.name, *file.relative_to(source).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(module: str, file: Path, modules: dict[str, Path]) -> Iterator[Import]:
    """The imports of one module file, wherever in it they stand."""
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    guarded = {
        id(inner) for block in ast.walk(tree) if is_guard(block) for each in block.body for inner in ast.walk(each)
    }
    for node in ast.walk(tree):
        for target in targets(node, package, modules):
            yield Import(module, node.lineno, target, id(node) in guarded)


def is_guard(node: ast.AST) -> bool:
    """Whether this is `if TYPE_CHECKING:` or `if typing.TYPE_CHECKING:`."""
    if not isinstance(node, ast.If):
        return False
    test = node.test
    return (test.id if isinstance(test, ast.Name) else getattr(test, "attr", None)) == "TYPE_CHECKING"


def targets(node: ast.AST, package: str, modules: dict[str, Path]) -> Iterator[str]:
    """Absolute dotted names that a syntax node imports."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=name, names=names, level=level):
            base = absolute(name, level, package)
            for alias in names:
                inner = f"{base}.{alias.name}"
                yield inner if inner in modules else base
        case ast.Call(func=ast.Name(id="import_module" | "__import__"), args=[ast.Constant(value=str(name)), *_]):
            yield name
        case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
            yield name


def absolute(name: str | None, level: int, package: str) -> str:
    """The dotted name that `from ...name import` means inside `package`."""
    if level == 0:
        return name or ""
    base = package.rsplit(".", level - 1)[0]
    return f"{base}.{name}" if name else base


def cycle(graph: dict[str, set[str]]) -> list[str] | None:
    """Modules that import each other in a ring, in order, or None."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str] | None:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        for target in sorted(graph.get(module, ())):
            if found := visit(target, [*path, module]):
                return found
        done.add(module)
        return None

    return next((found for module in sorted(graph) if (found := visit(module, []))), None)


def test_every_import_follows_the_table_of_layers() -> None:
    assert violations(SOURCE) == []


def test_core_is_layered_in_itself() -> None:
    """Lower modules of core know nothing of higher ones, so there is no ring; imports for type checkers don't count."""
    graph: dict[str, set[str]] = {}
    for found in imports(SOURCE):
        if within(found.module, ("stepgraph.core",)) and within(found.target, ("stepgraph.core",)):
            graph.setdefault(found.module, set())
            if not found.typing_only and found.module != found.target:
                graph[found.module].add(found.target)
    assert graph, "core was not found"
    assert cycle(graph) is None


def write(root: Path, **files: str) -> Path:
    """A package called stepgraph with these modules; `a__b` stands for a/b.py."""
    source = root / "stepgraph"
    for name, text in files.items():
        file = source / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return source


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("core__plan", "import numpy"),
        ("core__plan", "from stepgraph.run import sync"),
        ("core__plan", "from ..run.sync import drive"),
        ("core__plan", "from .. import run"),
        ("core__plan", "import stepgraph"),
        ("core__plan", "from stepgraph import StateGraph"),
        ("core__plan", "if TYPE_CHECKING:\n    from stepgraph.graph.builder import StateGraph"),
        ("core__plan", "def load():\n    import stepgraph.debug"),
        ("core__plan", "importlib.import_module('stepgraph.panels')"),
        ("persist__memory", "from stepgraph.core.engine import Engine"),
        ("persist__memory", "from stepgraph.core import engine"),
        ("run__sync", "from stepgraph.persist.sqlite import SqliteCheckpointer"),
        ("panels__card", "from stepgraph.run.aio import drive"),
        ("approve__edits", "import ipywidgets"),
        ("extra__thing", "import os"),
        ("helpers", "import os"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, module: str, line: str) -> None:
    source = write(tmp_path, **{"core__engine": "", "run__sync": "", module: line})
    assert len(violations(source)) == 1


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("core__plan", "import typing, collections.abc"),
        ("core__plan", "from .engine import Engine"),
        ("core__plan", "from stepgraph.core import engine"),
        ("core__registry", "ROWS = {'sqlite': 'stepgraph.persist.sqlite:SqliteCheckpointer'}"),
        ("run__aio", "from ..core.engine import Engine\nfrom stepgraph.persist.memory import MemoryCheckpointer"),
        ("persist__memory", "from stepgraph.core.checkpoint import Checkpoint"),
        ("approve__edits", "def judge():\n    import pydantic"),
        ("server__app", "import starlette\nfrom stepgraph.debug import session"),
    ],
)
def test_an_allowed_import_is_not(tmp_path: Path, module: str, line: str) -> None:
    source = write(tmp_path, **{"core__engine": "", module: line})
    assert violations(source) == []


def test_the_facade_may_name_any_layer_to_type_checkers_only(tmp_path: Path) -> None:
    source = write(tmp_path, __init__="", debug__session="", core__plan="")
    facade = source / "__init__.py"
    facade.write_text("from .core.plan import Plan\nif TYPE_CHECKING:\n    from .debug.session import debug\n")
    assert violations(source) == []
    facade.write_text("from .debug.session import debug\n")
    assert len(violations(source)) == 1


def test_a_ring_of_imports_is_found() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None
