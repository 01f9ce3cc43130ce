"""Makes .venv from the locks with nothing but Python and pip: `python3 tools/bootstrap.py lab|full|programs`.

lab       what `make lab` and Binder need (binder/requirements.txt) and stepgraph itself, editable
full      everything that `make test` and `make check` need (requirements.lock) and stepgraph itself, editable
programs  Chromium, Graphviz, a font and PostgreSQL for the tests: from apt when root, else says the command

Standard library only, and it runs on any Python 3.8 or newer: uv, which it fetches with pip, finds or fetches the
Python that stepgraph needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
OLDEST = (3, 11)
LOCKS = {"lab": ROOT / "binder" / "requirements.txt", "full": ROOT / "requirements.lock"}

# Debian package -> the file that shows it is there.
PROGRAMS = {
    "chromium": "/usr/bin/chromium",
    "chromium-driver": "/usr/bin/chromedriver",
    "graphviz": "/usr/bin/dot",
    "fonts-dejavu": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "postgresql": "/usr/lib/postgresql/*/bin/postgres",
}


def main(wanted: str) -> None:
    """Does one of the three things that the module docstring lists."""
    if wanted == "programs":
        install_programs()
    else:
        install(LOCKS[wanted], uv())


def install(lock: Path, uv: str) -> None:
    """Creates .venv unless a working one is there, and puts the locked packages and stepgraph into it."""
    if not works(PYTHON):
        python = sys.executable if sys.version_info >= OLDEST else ">={}.{}".format(*OLDEST)
        run(uv, "venv", "--quiet", "--clear", "--python", python, str(ENVIRONMENT))
    into = ("--quiet", "--python", str(PYTHON))
    run(uv, "pip", "install", *into, "--require-hashes", "--requirements", str(lock))
    run(uv, "pip", "install", *into, "--no-deps", "--editable", str(ROOT))
    settings = ENVIRONMENT / "share" / "jupyter" / "lab" / "settings"  # no question about news over the panels
    settings.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "binder" / "overrides.json", settings)


def works(python: Path) -> bool:
    """Whether `python` starts and is new enough (an environment whose Python was removed does not)."""
    try:
        question = f"import sys; sys.exit(sys.version_info < {OLDEST})"
        return subprocess.run([str(python), "-c", question], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def uv() -> str:
    """Path of uv: the locked one in .tools, fetched with pip at first use, else one on PATH."""
    lock = ROOT / "tools" / "uv.txt"
    program = TOOLS / "bin" / "uv"
    stamp = TOOLS / "uv.txt"
    if program.exists() and stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return str(program)
    pip = find_pip()
    if pip is None:
        found = shutil.which("uv")
        if found is None:
            sys.exit(
                f"{sys.executable} has no pip, and uv is not on PATH, so packages can't be fetched. "
                "Install either, e.g. `sudo apt-get install python3-pip`, and run make again."
            )
        return found
    # --target is allowed on an externally managed Python (PEP 668) and touches nothing outside .tools.
    shutil.rmtree(TOOLS, ignore_errors=True)
    settings = {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    fetch = (*pip, "install", "--quiet", "--require-hashes", "--no-deps", "--target", str(TOOLS), "-r", str(lock))
    run(*fetch, env={**os.environ, **settings})
    shutil.copyfile(lock, stamp)
    return str(program)


def find_pip() -> list[str] | None:
    """The command that runs pip, or None; fetches it from apt when Python came without it and this is root."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], check=False, capture_output=True).returncode == 0:
        return pip
    if shutil.which("uv") is None and apt_install(["python3-pip"]):
        return ["/usr/bin/python3", "-m", "pip"]
    return None


def install_programs() -> None:
    """Installs what tests need besides Python, or says what is missing; the tests then say why they are skipped."""
    missing = [package for package, file in PROGRAMS.items() if not present(package, file)]
    if not missing or apt_install(missing):
        return
    command = "sudo apt-get install -y --no-install-recommends " + " ".join(missing)
    print(f"Not found: {', '.join(missing)}. Tests that need them are skipped. On Debian or Ubuntu: {command}")


def present(package: str, file: str) -> bool:
    """Whether a program is there, on a system of any kind. Fonts matter only where there is apt to fetch them."""
    if package.startswith("fonts-"):
        return Path(file).exists() or shutil.which("apt-get") is None
    return shutil.which(Path(file).name) is not None or any(Path("/").glob(file.lstrip("/")))


def apt_install(packages: list[str]) -> bool:
    """Whether apt installed `packages`; False without root or apt. An apt that fails is shown and not fatal."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print("Installing", *packages, "with apt-get", flush=True)
    for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", *command], check=False, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        if done.returncode:
            print("apt-get", *command, "failed; see above")
            return False
    return True


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Runs a command, with its own output shown; ends the whole program with its exit code when it fails."""
    code = subprocess.run(command, check=False, env=env).returncode
    if code:
        sys.exit(f"failed with exit code {code}: {' '.join(command)}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in (*LOCKS, "programs"):
        sys.exit(__doc__)
    main(sys.argv[1])
