"""Kernels of other ipykernel versions, each in an environment of its own that is kept between sessions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import services

CACHE = services.ROOT / ".cache" / "kernels"
VERSIONS = {"6.31": "ipykernel==6.31.*", "7.3": "ipykernel==7.3.*", "7.4": "ipykernel==7.4.*"}
LISTENING = (
    "--IPKernelApp.exec_lines=from stepgraph.panels.subshells import take_unnoticed_messages; take_unnoticed_messages()"
)
"""Run when a kernel starts: before a panel is shown, one of 7.3 may stop listening for reasons of its own."""
PACKAGES = ("ipywidgets>=8.1", "anywidget>=0.9.18", "graphviz>=0.20", "pydantic>=2.10")


def environment(version: str) -> services.Environment:
    """The environment with this ipykernel; made on first use, with packages of this project's `lab` extra."""
    folder = CACHE / f"ipykernel-{version}"
    made = folder / "made"
    wanted = " ".join((VERSIONS[version], *PACKAGES))
    if not made.exists() or made.read_text() != wanted:
        try:
            found = services.make_environment(folder)
            found.install(VERSIONS[version], *PACKAGES)
        except AssertionError as error:
            pytest.skip(f"no environment with ipykernel {version} could be made: {str(error)[-300:]}")
        made.write_text(wanted)
    return services.Environment(folder)


def install(version: str, data: Path, *, listening: bool = True) -> str:
    """Put the kernel's spec into a Jupyter data folder; its name. `listening` helps one of 7.3 from its start on."""
    name = f"ipykernel-{version}"
    spec = {
        "argv": [str(environment(version).python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        + [LISTENING] * listening,
        "display_name": name,
        "language": "python",
        "env": {"PYTHONPATH": str(services.ROOT / "src")},
    }
    folder = data / "kernels" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    return name
