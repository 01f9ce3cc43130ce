"""A real JupyterLab in headless Chromium, as tests drive it: notebooks made on the spot, cells run, panels clicked."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import psutil
from playwright.sync_api import Browser, Error, Locator, Page, Playwright, expect
from playwright.sync_api import TimeoutError as Late

from tests import services

ARTEFACTS = services.ARTEFACTS / "browser"
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # proves that nothing leaves this machine
)

STACKS = """
import faulthandler
import os
import signal
faulthandler.register(signal.SIGUSR1, file=open(os.path.join(os.environ["STACKS"], str(os.getpid())), "w"))
"""


def launch(playwright: Playwright) -> Browser:
    """The installed Chromium, cut off from everything but loopback."""
    return playwright.chromium.launch(executable_path=str(services.require("chromium")), args=list(CHROMIUM))


def start_lab(
    folder: Path, *, python: str | Path = sys.executable, env: Mapping[str, str] | None = None
) -> tuple[str, AbstractContextManager[services.Server]]:
    """The address of a JupyterLab on `folder`/work, and the server to enter; all its settings are in `folder`."""
    port = services.free_port()
    (folder / "work").mkdir(parents=True, exist_ok=True)
    quiet = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True, exist_ok=True)
    quiet.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    startup = folder / "ipython" / "profile_default" / "startup" / "00-stacks.py"
    startup.parent.mkdir(parents=True, exist_ok=True)
    startup.write_text(STACKS)
    (folder / "stacks").mkdir(exist_ok=True)
    homes = {
        "STACKS": "stacks",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    command = [
        python, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password=",
        "--ServerApp.disable_check_xsrf=True", "--LabApp.expose_app_in_browser=True",
        f"--ServerApp.root_dir={folder / 'work'}",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    environment = {name: str(folder / place) for name, place in homes.items()} | dict(env or {})
    return url, services.server(command, folder=folder, name="jupyterlab", url=f"{url}/api/status", env=environment)


def end_kernels(url: str) -> None:
    """Shut every kernel of the server down, as a closed laptop would."""
    with urllib.request.urlopen(f"{url}/api/sessions", timeout=60) as answer:
        sessions = json.load(answer)
    for session in sessions:
        end = urllib.request.Request(f"{url}/api/sessions/{session['id']}", method="DELETE")
        urllib.request.urlopen(end, timeout=60).close()


def write_notebook(path: Path, cells: Sequence[str], *, kernel: str = "python3") -> None:
    """A notebook whose cells are the given sources."""
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    content = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": dedent(source).strip(),
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": spec},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content))


READY = """() => {
  const current = window.jupyterapp?.shell?.currentWidget;
  if (!current?.context?.isReady || !window.jupyterapp.commands.hasCommand("notebook:run-all-cells")) return false;
  const session = current.context.sessionContext;
  const kernel = session.session?.kernel;
  return kernel?.connectionStatus === "connected" && kernel?.status === "idle";
}"""


IDLE = """() => {
  const current = window.jupyterapp.shell.currentWidget;
  const cells = current.content.model.sharedModel.cells;
  const busy = cells.some((cell) => cell.cell_type === "code" && cell.executionState === "running");
  return !busy && current.context.sessionContext.session?.kernel?.status === "idle";
}"""
NUDGE = """
  const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel;
  if (kernel?.connectionStatus === "connected") kernel.requestKernelInfo().catch(() => undefined);
"""
"""Another message: a kernel whose loop has missed the arrival of one then takes both."""


class Notebook:
    """An open notebook in one browser page."""

    def __init__(self, page: Page, url: str, path: str) -> None:
        self.page = page
        self.url = url
        self.path = path

    def open(self) -> Notebook:
        """Load the page, in a workspace of its own, and wait until the kernel is idle."""
        self.page.goto(f"{self.url}/doc/workspaces/{uuid4().hex}/tree/{self.path}?reset")
        self.until_ready()
        return self

    def until_ready(self) -> None:
        """Wait for the document and an idle kernel."""
        self.page.wait_for_function(READY, timeout=120_000)

    def reload(self) -> None:
        """Save, and load the page again; the kernel goes on."""
        self.command("docmanager:save")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
        self.page.reload()
        self.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context?.isReady", timeout=120_000)

    def command(self, name: str, args: Mapping[str, Any] | None = None) -> None:
        """Execute one of JupyterLab's commands and wait for its end, at most 90 s; nudges the kernel meanwhile."""
        self.page.evaluate(
            """([name, args, nudge]) => {
              const nudging = setInterval(new Function(nudge), 20000);
              return Promise.race([
                window.jupyterapp.commands.execute(name, args),
                new Promise((_, reject) => setTimeout(() => reject(new Error(name + " did not end")), 90000)),
              ]).then(() => null).finally(() => clearInterval(nudging));
            }""",
            [name, dict(args or {}), NUDGE],
        )

    def run_all(self) -> None:
        """Run all cells; returns when the kernel has done them.

        Rarely a new kernel sits idle for ever while the page waits for it: a message between server and kernel was lost
        before anything of this project ran, or after. Then the kernel is started anew, once, and the run's summary
        says so. A kernel whose main thread is busy is a fault of this project and fails the test.
        """
        try:
            self.command("notebook:run-all-cells")
        except Error as error:
            stacks = self.kernel_stacks()
            if not idle(stacks):
                raise AssertionError(f"{error}\nThreads of the kernel:\n{stacks}") from error
            services.LOST.parent.mkdir(parents=True, exist_ok=True)
            with services.LOST.open("a") as account:
                account.write(f"{os.environ.get('PYTEST_CURRENT_TEST')}\n{stacks}\n")
            self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.restartKernel()")
            self.page.wait_for_function(READY, timeout=120_000)
            self.command("notebook:run-all-cells")
        self.until_idle()

    def kernel_stacks(self) -> str:
        """What each thread of the notebook's kernel does now."""
        name = self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.sessionContext.session?.kernel?.id ?? ''"
        )
        for process in psutil.process_iter(["cmdline", "environ"]):
            if name and any(f"kernel-{name}.json" in part for part in process.info["cmdline"] or ()):
                file = Path(process.info["environ"]["STACKS"]) / str(process.pid)
                process.send_signal(signal.SIGUSR1)
                deadline = time.monotonic() + 10
                while time.monotonic() < deadline and "Current thread" not in file.read_text():
                    time.sleep(0.05)  # another process writes the file: nothing announces it
                return file.read_text()
        return "no process of this kernel was found"

    def run_cell(self, number: int, *, wait: bool = True) -> None:
        """Run one cell."""
        self.page.evaluate(
            """(number) => {
              const notebook = window.jupyterapp.shell.currentWidget.content;
              notebook.activeCellIndex = number;
              notebook.deselectAll();
              void window.jupyterapp.commands.execute("notebook:run-cell");
            }""",
            number,
        )
        if wait:
            self.until_idle()

    def until_idle(self) -> None:
        """Wait until no cell is being executed or waiting for it, at most two minutes; nudges the kernel meanwhile."""
        for _ in range(5):
            with suppress(Late):
                self.page.wait_for_function(IDLE, timeout=20_000)
                return
            self.page.evaluate(f"() => {{ {NUDGE} }}")
        self.page.wait_for_function(IDLE, timeout=20_000)

    def set_source(self, number: int, source: str) -> None:
        """Replace the source of a cell."""
        self.page.evaluate(
            "([number, source]) => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells[number]"
            ".setSource(source)",
            [number, dedent(source).strip()],
        )

    def run_source(self, number: int, source: str) -> str:
        """Put `source` into a cell, run it, and return the text that it gave."""
        self.set_source(number, source)
        self.run_cell(number)
        return self.text(number)

    def text(self, number: int) -> str:
        """Prints and plain text results of a cell, from the notebook's model; an error raises."""
        outputs = self.outputs(number)
        for output in outputs:
            if output["output_type"] == "error":
                raise AssertionError(f"cell {number}: {output['ename']}: {output['evalue']}")
        return "".join(_plain(output) for output in outputs)

    def outputs(self, number: int) -> list[dict[str, Any]]:
        """The outputs of a cell as nbformat has them."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "(number) => window.jupyterapp.shell.currentWidget.content.widgets[number].model.outputs.toJSON()", number
        )
        return found

    def cell_count(self) -> int:
        """How many cells the notebook has."""
        count: int = self.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length")
        return count

    def panel(self, index: int = 0) -> Panel:
        """The panel that is `index`-th in the page."""
        return Panel(self.page.locator(".sg-root").nth(index))

    def picture(self, name: str) -> Path:
        """A screenshot of the page."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        file = ARTEFACTS / f"{name}.png"
        self.page.screenshot(path=file)
        return file


class Panel:
    """A panel as a person uses it: by what it says and by the names of its buttons."""

    def __init__(self, root: Locator) -> None:
        self.root = root

    def until(self, status: str, timeout: float = 40_000) -> Panel:
        """Wait until the run is running, held, done …"""
        expect(self.root).to_have_attribute("data-status", status, timeout=timeout)
        return self

    def until_live(self, timeout: float = 40_000) -> Panel:
        """Wait until the kernel has answered."""
        expect(self.root).to_have_attribute("data-health", "live", timeout=timeout)
        return self

    def until_stopped_at(self, title: str, timeout: float = 40_000) -> Panel:
        """Wait until the run is held at `after:draft` or the like."""
        expect(self.root.locator(".sg-why strong.sg-where")).to_have_text(title, timeout=timeout)
        return self

    def button(self, name: str) -> Locator:
        """The button with exactly this name."""
        return self.root.get_by_role("button", name=name, exact=True)

    def click(self, name: str) -> Panel:
        """Click a button."""
        self.button(name).click()
        return self

    def node(self, path: str) -> Locator:
        """A node of the graph."""
        return self.root.locator(f'.sg-node[data-path="{path}"]')

    def tab(self, name: str) -> Panel:
        """See State, Output, Events, Stops or Branches: open the tab, unless the layout shows it beside the graph."""
        tab = self.root.locator(".sg-tab", has_text=name)
        if tab.count():
            tab.click()
        return self

    def panel(self, name: str) -> Locator:
        """A part: state, output, log, stops or branches."""
        return self.root.locator(f'.sg-panel[data-panel="{name}"]')

    def change(self, key: str) -> Locator:
        """The diff of a key in the review card."""
        return self.root.locator(f'.sg-changes .sg-change[data-key="{key}"]')

    def field(self, key: str) -> Locator:
        """The form field of a key."""
        return self.root.locator(f'.sg-keyrow[data-key="{key}"]')

    def attribute(self, name: str) -> str:
        """A data attribute of the root."""
        return self.root.get_attribute(f"data-{name}") or ""

    def picture(self, name: str) -> Path:
        """A screenshot of the panel alone."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        file = ARTEFACTS / f"{name}.png"
        self.root.screenshot(path=file)
        return file


Opener = Callable[..., Notebook]


def idle(stacks: str) -> bool:
    """Whether the kernel's main thread (the last one shown) waits for messages in its event loop."""
    main = stacks.rpartition("hread 0x")[2].splitlines()
    return len(main) > 1 and "selectors.py" in main[1]


def _plain(output: Mapping[str, Any]) -> str:
    if output["output_type"] == "stream":
        return _joined(output["text"])
    return _joined(output.get("data", {}).get("text/plain", ""))


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
