"""What the Makefile and .ci/run promise: an environment out of nothing, and an honest account of skipped tests."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests import services
from tests.services import ROOT

SUITE = """
import pytest

def test_that_runs():
    pass

@pytest.mark.parametrize("number", [1, 2])
def test_with_numbers(number):
    pytest.skip("no such service: install it")
"""


def account(folder: Path, suite: str = SUITE) -> tuple[str, Path]:
    """What pytest prints for a suite with our conftest, and the JSON account that it writes."""
    (folder / "test_suite.py").write_text(suite)
    file = folder / "account" / "skips.json"
    options = (
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        folder,
        f"--skips={file}",
    )
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the plugins of the big run take seconds to load
    printed = services.run([sys.executable, "-m", "pytest", *options, folder / "test_suite.py"], env=bare)
    return printed, file


def verdict(account: Path, allowed: str) -> str:
    """What tools/skips.py says of an account; an AssertionError with its words when it objects."""
    rules = account.parent / "allowed-skips"
    rules.write_text(allowed)
    return services.run([sys.executable, "tools/skips.py", account, rules])


NOTING = """
import os
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_that_is_noted(number):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write("{what} " + os.environ["PYTEST_XDIST_WORKER"] + os.linesep)
"""


def test_what_measures_or_drives_a_browser_runs_alone_when_the_rest_is_spread(tmp_path: Path) -> None:
    for what, count in (("tests/browser", 3), ("tests/core", 9), ("tests/debug", 3), ("tests/run", 12)):
        (tmp_path / what).mkdir(parents=True)
        file = tmp_path / what / f"test_{Path(what).name}.py"
        file.write_text(NOTING.format(count=count, what="alone" if what in ("tests/browser", "tests/debug") else what))
    (tmp_path / "notes").touch()
    options = ("-p", "tests.conftest", "-p", "xdist", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", tmp_path)
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NOTES": str(tmp_path / "notes")}

    services.run([sys.executable, "-m", "pytest", *options, "-n", "2", tmp_path / "tests"], env=env)

    notes = (tmp_path / "notes").read_text().splitlines()
    alone = [note for note in notes if note.startswith("alone")]
    assert len(notes) == 27
    assert len(alone) == 6
    assert len(set(alone)) == 1
    assert len({note for note in notes if note.startswith("tests/core")}) == 1
    late = [note for note in notes[notes.index(alone[0]) :] if note not in alone]
    assert len(late) <= 4  # the last two of each process


class TestAccountOfSkips:
    def test_a_reason_is_named_once_and_pytest_has_the_last_word(self, tmp_path: Path) -> None:
        printed, _ = account(tmp_path)
        assert printed.count("no such service: install it") == 1
        assert "test_with_numbers[1] and 1 more" in printed
        assert "1 passed, 2 skipped" in printed.strip().splitlines()[-1]

    def test_the_file_names_each_test(self, tmp_path: Path) -> None:
        _, file = account(tmp_path)
        reason = "no such service: install it"
        skipped = {f"test_suite.py::test_with_numbers[{number}]": reason for number in (1, 2)}
        assert json.loads(file.read_text()) == {"ran": 1, "skipped": skipped}

    def test_an_unlisted_skip_is_refused(self, tmp_path: Path) -> None:
        _, file = account(tmp_path)
        with pytest.raises(AssertionError, match=r"test_with_numbers\[2\]: no such service"):
            verdict(file, "# nothing\n")

    def test_a_skip_for_another_reason_is_refused(self, tmp_path: Path) -> None:
        _, file = account(tmp_path)
        with pytest.raises(AssertionError, match="not listed"):
            verdict(file, "*::test_with_numbers* | another service\n")

    def test_a_listed_skip_is_accepted(self, tmp_path: Path) -> None:
        _, file = account(tmp_path)
        assert "1 tests ran, 2 were skipped" in verdict(file, "*::test_with_numbers[*] | no such service\n")

    def test_a_run_without_tests_is_refused(self, tmp_path: Path) -> None:
        _, file = account(tmp_path, "import pytest\n\ndef test_nothing():\n    pytest.skip('why')\n")
        with pytest.raises(AssertionError, match="No test was run"):
            verdict(file, "* | why\n")

    def test_a_run_that_died_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="did not come to its end"):
            verdict(tmp_path / "absent.json", "")

    def test_the_list_of_this_repository_can_be_read(self, tmp_path: Path) -> None:
        _, file = account(tmp_path, "def test_that_runs():\n    pass\n")
        assert "0 were skipped" in verdict(file, (ROOT / ".ci" / "allowed-skips").read_text())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_make_lab_opens_the_notebooks_in_a_clone_that_has_nothing(clone: Path, tmp_path: Path) -> None:
    """With python3 and make only: no uv, no environment, another home, and none of this environment's programs."""
    port = services.free_port()
    options = f"--no-browser --ip=127.0.0.1 --port={port} --ServerApp.port_retries=0 --IdentityProvider.token="
    path = os.pathsep.join(each for each in os.environ["PATH"].split(os.pathsep) if ".venv" not in each)
    variables = {"HOME": str(tmp_path), "PATH": path, "UV_CACHE_DIR": cache()}
    url = f"http://127.0.0.1:{port}/lab"
    command = ["make", "-C", clone, "lab", f"LAB_ARGS={options}"]
    with services.server(command, folder=tmp_path, name="make", url=url, env=variables) as made:
        assert f"Serving notebooks from local directory: {clone}/notebooks" in made.tail()
        assert (clone / ".venv" / "bin" / "jupyter-lab").exists()
        assert not (clone / ".venv" / "bin" / "pytest").exists()


def cache() -> str:
    """Where uv keeps what it fetched: packages are not fetched again for each environment."""
    return services.run([*services.UV, "cache", "dir"]).strip()
