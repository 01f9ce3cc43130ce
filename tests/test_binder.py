"""The folder binder/: exactly its packages, in an empty environment, run every notebook and open the first."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import services
from tests.services import ROOT, Environment

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FIRST = "01_first_graph.ipynb"


@pytest.fixture(scope="module")
def environment(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """What Binder makes: an empty environment, the packages of requirements.txt, then postBuild."""
    made = services.make_environment(tmp_path_factory.mktemp("binder") / "environment", seed=True)
    made.install("--require-hashes", "--requirements", clone / "binder" / "requirements.txt")
    made.run(["./binder/postBuild"], cwd=clone)
    return made


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestEnvironment:
    def test_it_holds_the_package_and_not_this_clone(self, environment: Environment, clone: Path) -> None:
        where = environment.run(
            [environment.python, "-c", "import stepgraph; print(stepgraph.__file__)"], cwd=Path("/")
        )
        assert Path(where.strip()).is_relative_to(environment.folder)

    @pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
    def test_each_notebook_runs(self, environment: Environment, clone: Path, notebook: Path, tmp_path: Path) -> None:
        program = environment.folder / "bin" / "jupyter-execute"
        apart = {**environment.variables(), "TMPDIR": str(tmp_path)}  # chapters keep files there for the next time
        services.run([program, "--timeout=60", notebook.name], cwd=clone / "notebooks", env=apart)

    @pytest.mark.parametrize("app", ["jupyter-lab", "jupyter-server"])
    def test_it_opens_on_the_first_notebook(
        self, environment: Environment, clone: Path, tmp_path: Path, app: str
    ) -> None:
        """Started as a hub starts it: in the repository, with no option about what to open."""
        port = services.free_port()
        url = f"http://127.0.0.1:{port}/"
        command = [environment.folder / "bin" / app, "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"]
        options = ["--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={clone}"]
        variables = environment.variables() | {"HOME": str(tmp_path)}
        with services.server([*command, *options], folder=tmp_path, name=app, url=url, env=variables):
            assert redirect(url) == f"/lab/tree/notebooks/{FIRST}"


def redirect(url: str) -> str:
    """The path to which `url` sends a browser, without going there."""
    connection = HTTPConnection(urlsplit(url).netloc)
    with closing(connection):
        connection.request("GET", "/")
        return urlsplit(connection.getresponse().headers["Location"]).path


def test_it_can_be_installed_on_the_python_that_binder_has(tmp_path: Path) -> None:
    """Each locked package has a wheel for that Python on Linux: Binder compiles nothing."""
    version = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    platform = ("--python-version", version, "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:")
    locked = ("--require-hashes", "--requirements", ROOT / "binder" / "requirements.txt")
    services.run([*services.UV, "pip", "install", "--quiet", "--dry-run", "--target", tmp_path, *platform, *locked])


def test_repo2docker_understands_the_folder(clone: Path) -> None:
    """What Binder would do, as a Dockerfile; nothing is built and no Docker is needed."""
    plan = services.run([Path(sys.executable).parent / "jupyter-repo2docker", "--no-build", "--debug", clone])
    version = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    installs = 'pip install --no-cache-dir -r "binder/requirements.txt"'
    for step in (f"python={version}", "--no-install-recommends graphviz", installs, "RUN ./binder/postBuild"):
        assert step in plan


def test_the_settings_open_the_first_notebook_in_every_front_end() -> None:
    """`jupyter notebook`, `jupyter lab` and a bare server each read a section of their own."""
    settings = json.loads((ROOT / "binder" / "jupyter_server_config.json").read_text())
    wanted = {"default_url": f"/lab/tree/notebooks/{FIRST}"}
    assert settings == dict.fromkeys(("JupyterNotebookApp", "LabApp", "ServerApp"), wanted)


def test_the_first_notebook_is_the_first() -> None:
    assert [notebook.name for notebook in NOTEBOOKS][:1] == [FIRST]
