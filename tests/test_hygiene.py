"""What a clone must not hold: addresses in locks, paths of somebody's machine, unreasoned ignores, unstable outputs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
BINDER = ROOT / "binder" / "requirements.txt"
UV = ROOT / "tools" / "uv.txt"

# Written so that this file holds none of what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.)/-])/(?:(?:work|root)/|(?:home|Users)/\w+/)")
REGISTRY = re.compile(r"\b[\w.-]*(?:pypi|pythonhosted|npmjs|yarnpkg|debian)\.(?:org|com)\b")
MEMORY_ADDRESS = re.compile(r"\b0x[0-9a-f]{8,}\b")

IGNORE = re.compile(r"#\s*type:\s*ignore(?P<rest>.*)")
NOQA = re.compile(r"#\s*noqa(?P<rest>.*)")
REASONED_IGNORE = re.compile(r"\[[\w, -]+\]\W+\w+")
REASONED_NOQA = re.compile(r":\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*\W+[a-zA-Z]")

LARGEST = 2_000_000
"""Bytes; a clone stays quick."""


def tracked(*patterns: str) -> list[Path]:
    """Files that git tracks and that exist, those that match one of `patterns` if given."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(file: Path) -> str:
    """The file as text; nothing for one that is not text, such as a picture."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def hits(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """`file:line: what was found` for every match."""
    return [
        f"{file.relative_to(ROOT)}:{number}: {match.group()}"
        for file in files
        for number, line in enumerate(text_of(file).splitlines(), 1)
        for match in pattern.finditer(line)
    ]


def locks() -> list[Path]:
    """Every lock file, Python's and npm's."""
    return [LOCK, BINDER, UV, *tracked("*package-lock.json")]


def pins(lock: Path) -> dict[str, list[Requirement]]:
    """The pinned requirements of a lock by package; a package may be pinned once per Python version."""
    found: dict[str, list[Requirement]] = {}
    for line in lock.read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.removesuffix("\\"))
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def wanted(*extras: str) -> Iterator[Requirement]:
    """What pyproject.toml asks for in these extras, those that they name included."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in extras:
        for each in map(Requirement, declared[extra]):
            if each.name == "stepgraph":
                yield from wanted(*each.extras)
            else:
                yield each


def version_of(pinned: Requirement) -> str:
    """`1.2` of `name==1.2`."""
    [specifier] = pinned.specifier
    assert specifier.operator == "=="
    return specifier.version


class TestLocks:
    def test_no_lock_holds_an_address(self) -> None:
        assert hits(re.compile(r"\S*://\S*"), locks()) == [], "run `make lock`"
        assert hits(re.compile(r'"resolved"'), locks()) == []

    @pytest.mark.parametrize("lock", [LOCK, BINDER, UV], ids=lambda lock: lock.name)
    def test_each_package_is_pinned_with_a_hash(self, lock: Path) -> None:
        blocks = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)
        assert [block.splitlines()[0] for block in blocks if block and "--hash=sha256:" not in block] == []
        assert all(version_of(pin) for each in pins(lock).values() for pin in each)

    @pytest.mark.parametrize(("lock", "extras"), [(LOCK, ("dev",)), (BINDER, ("lab", "notebooks"))])
    def test_it_holds_what_pyproject_asks_for(self, lock: Path, extras: tuple[str, ...]) -> None:
        pinned = pins(lock)
        unmet = [
            str(each)
            for each in wanted(*extras)
            if not any(version_of(pin) in each.specifier for pin in pinned.get(canonicalize_name(each.name), []))
        ]
        assert unmet == [], "run `make lock`"

    def test_binder_has_the_versions_that_are_tested(self) -> None:
        full = {name: {version_of(pin) for pin in each} for name, each in pins(LOCK).items()}
        other = {
            name: each for name, each in pins(BINDER).items() if {version_of(pin) for pin in each} != full.get(name)
        }
        assert other == {}, "run `make lock`"


class TestTrackedFiles:
    def test_none_holds_a_path_of_somebodys_machine(self) -> None:
        assert hits(MACHINE_PATH, tracked()) == []

    def test_none_names_the_host_of_a_package_registry(self) -> None:
        assert hits(REGISTRY, tracked()) == []

    def test_none_is_large(self) -> None:
        assert [file.name for file in tracked() if file.stat().st_size > LARGEST] == []

    def test_none_is_a_leftover(self) -> None:
        leftover = re.compile(
            r"(^|/)(node_modules|__pycache__|\.ipynb_checkpoints|dist|build|artefacts)/|\.(pyc|log|db)$"
        )
        assert [str(file) for file in tracked() if leftover.search(file.relative_to(ROOT).as_posix())] == []

    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            (MACHINE_PATH, "open('/" + "home/somebody/data.csv')"),
            (MACHINE_PATH, "File /" + "root/x.py"),
            (REGISTRY, "https://files." + "pythonhosted" + ".org/packages"),
            (REGISTRY, "registry." + "npmjs" + ".org"),
            (MEMORY_ADDRESS, "<Thing at 0x" + "7f00deadbeef>"),
        ],
    )
    def test_the_patterns_find_what_they_are_for(self, pattern: re.Pattern[str], text: str) -> None:
        assert pattern.search(text)


class TestPython:
    def test_each_module_says_what_it_is_for(self) -> None:
        silent = [file for file in tracked("src/*.py") if not ast.get_docstring(ast.parse(file.read_text()))]
        assert silent == []

    def test_no_module_is_named_after_nothing(self) -> None:
        assert [file for file in tracked("*.py") if re.fullmatch("utils?|helpers?|misc|common", file.stem)] == []

    def test_each_ignore_names_its_code_and_reason(self) -> None:
        bare = [
            f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
            for file in tracked("*.py")
            if file != Path(__file__)
            for number, line in enumerate(file.read_text().splitlines(), 1)
            for mark, reasoned in ((IGNORE, REASONED_IGNORE), (NOQA, REASONED_NOQA))
            if (found := mark.search(line)) and not reasoned.match(found["rest"])
        ]
        assert bare == []

    @pytest.mark.parametrize(
        ("line", "good"),
        [
            ("# type: ignore", False),
            ("# type: ignore[arg-type]", False),
            ("# type: ignore[arg-type]  # the stub is wrong", True),
            ("# noqa", False),
            ("# noqa: BLE001", False),
            ("# noqa: BLE001  any node may raise anything", True),
        ],
    )
    def test_what_counts_as_a_reason(self, line: str, good: bool) -> None:
        mark, reasoned = (IGNORE, REASONED_IGNORE) if "type" in line else (NOQA, REASONED_NOQA)
        found = mark.search(line)
        assert found
        assert bool(reasoned.match(found["rest"])) is good


class TestNotebooks:
    def test_outputs_hold_nothing_that_changes_from_run_to_run(self) -> None:
        unstable = [
            f"{file.name}: {what}"
            for file in tracked("notebooks/*.ipynb")
            for what in changing(json.loads(file.read_text()))
        ]
        assert unstable == [], "run `make notebooks`"

    def test_each_cell_that_shows_something_was_run(self) -> None:
        """Committed with outputs: a reader on a page that runs nothing still sees them."""
        bare = [
            file.name
            for file in tracked("notebooks/*.ipynb")
            if not any(cell.get("outputs") for cell in json.loads(file.read_text())["cells"])
        ]
        assert bare == [], "run `make notebooks`"


def changing(notebook: dict[str, Any]) -> Iterator[str]:
    """What in a notebook differs each time it is run."""
    if "widgets" in notebook["metadata"]:
        yield "saved widget state"
    for cell in notebook["cells"]:
        if "execution" in cell["metadata"]:
            yield f"times of cell {cell['id']}"
        for output in cell.get("outputs", ()):
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                yield f"a widget's id in cell {cell['id']}"
            if found := MEMORY_ADDRESS.search(json.dumps(output)):
                yield f"the address {found.group()} in cell {cell['id']}"
