"""Kernels of ipykernel 7.0 to 7.3, which would stop listening when a request arrives while a reply leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.browser import kernels
from tests.browser.samples import HELD, SUPPORT

pytestmark = pytest.mark.kernels
SECONDS = 30
ROUNDS = 400
"""Without help the kernel is silent after about ten."""


PANEL = f"{SUPPORT}\n{HELD}"


@pytest.fixture(params=["from its start", "from the first panel"])
def kernel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KernelManager]:
    """A running kernel of ipykernel 7.3 that is helped since then."""
    name = kernels.install("7.3", tmp_path, listening=request.param == "from its start")
    specs = KernelSpecManager(kernel_dirs=[str(tmp_path / "kernels")])
    manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
    manager.start_kernel(extra_arguments=["--HistoryManager.enabled=False"])
    client = manager.blocking_client()
    client.start_channels()
    client.kernel_info()
    client.get_shell_msg(timeout=SECONDS)
    if request.param == "from the first panel":
        assert client.execute_interactive(PANEL, timeout=SECONDS)["content"]["status"] == "ok"
    client.stop_channels()
    yield manager
    manager.shutdown_kernel(now=True)


def test_every_request_is_answered_however_they_overlap_with_replies(kernel: KernelManager) -> None:
    client = kernel.blocking_client()
    client.start_channels()
    for _ in range(ROUNDS):
        asked = {client.kernel_info(), client.comm_info(), client.kernel_info(), client.comm_info()}
        while asked:
            asked.discard(client.get_shell_msg(timeout=SECONDS)["parent_header"]["msg_id"])
    client.stop_channels()
