"""Pictures of the panel in every size and theme (artefacts/browser), and that nothing is cut off or runs over."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab import Notebook, Opener, Panel
from tests.browser.samples import BIG, DATA, HELD, NESTED, PLACES, SUPPORT

HOLDS = 11
OVERFLOWING = """(root) => {
  const scrolls = (element) => /auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX);
  const inside = (element) => {
    for (let above = element.parentElement; above && above !== root; above = above.parentElement) {
      if (scrolls(above)) return true;
    }
    return false;
  };
  const edge = root.getBoundingClientRect().right + 1;
  return [...root.querySelectorAll("*")]
    .filter((each) => each.getBoundingClientRect().width && each.getBoundingClientRect().right > edge && !inside(each))
    .map((each) => `${each.tagName}.${each.getAttribute("class")}: ${each.textContent.slice(0, 60)}`);
}"""
# WCAG 2 relative luminance and contrast of every piece of text against what is painted behind it.
CONTRAST = """(root) => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parse = (colour, under) => {
    paint.fillStyle = under; paint.fillRect(0, 0, 1, 1);
    paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const chain = [];
    for (let above = element; above; above = above.parentElement) chain.push(getComputedStyle(above).backgroundColor);
    let colour = "rgb(255, 255, 255)";
    for (const each of chain.reverse()) colour = `rgb(${parse(each, colour).join()})`;
    return colour;
  };
  const poor = [];
  for (const element of root.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || element.closest("svg") || !box.width || element.closest(":disabled, option, .sg-voice")) continue;
    const under = behind(element);
    const [a, b] = [light(parse(getComputedStyle(element).color, under)), light(parse(under, under))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.className}: ${element.textContent.slice(0, 40)}`);
  }
  return poor;
}"""


def shown(open_notebook: Opener, page: Page, source: list[str], width: int) -> tuple[Notebook, Panel]:
    page.set_viewport_size({"width": width, "height": 1_100})
    notebook = open_notebook(source)
    notebook.run_all()
    panel = notebook.panel().until_live().until("held")
    expect(panel.root.locator(".sg-pane svg")).to_be_visible()
    return notebook, panel


@pytest.mark.parametrize(("width", "size"), [(520, "narrow"), (1_000, "mid"), (1_400, "wide")])
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_nothing_runs_over_and_all_text_is_readable(
    open_notebook: Opener, page: Page, width: int, size: str, theme: str
) -> None:
    notebook, panel = shown(open_notebook, page, [SUPPORT, HELD], width)
    notebook.command("apputils:change-theme", {"theme": theme})
    light = "true" if "Light" in theme else "false"
    page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
    expect(panel.root).to_have_attribute("data-size", size)

    name = f"{size}_{'light' if light == 'true' else 'dark'}"
    panel.picture(name)
    assert panel.root.evaluate(OVERFLOWING) == []
    assert panel.root.evaluate(CONTRAST) == []

    panel.click("Edit")
    panel.root.get_by_label("another key").select_option("urgent")
    for part in ("State", "Stops", "Branches", "Events", "Output"):
        panel.tab(part)
        assert panel.root.evaluate(OVERFLOWING) == []
        assert panel.root.evaluate(CONTRAST) == []
    panel.picture(f"{name}_edit")
    notebook.command("apputils:change-theme", {"theme": "JupyterLab Light"})


@pytest.mark.parametrize("width", [520, 1_000, 1_400])
def test_long_names_and_values_stay_inside(open_notebook: Opener, page: Page, width: int) -> None:
    _, panel = shown(open_notebook, page, [DATA], width)
    assert panel.root.evaluate(OVERFLOWING) == []
    panel.picture(f"long_values_{width}")
    panel.click("Edit")
    expect(panel.field("rows")).to_be_visible()
    panel.tab("State")
    assert panel.root.evaluate(OVERFLOWING) == []
    panel.root.locator(".sg-act").screenshot(path=panel.picture(f"long_values_{width}_edit"))


def test_a_subgraph_is_drawn_as_a_cluster(open_notebook: Opener, page: Page) -> None:
    _, panel = shown(open_notebook, page, [NESTED], 1_000)
    expect(panel.root.locator(".sg-cluster")).to_have_count(1)
    panel.picture("cluster")


def test_three_hundred_nodes_are_shown_with_the_stopped_one_in_sight(open_notebook: Opener, page: Page) -> None:
    notebook, panel = shown(open_notebook, page, [BIG], 1_400)
    expect(panel.root.locator(".sg-node")).to_have_count(302)
    expect(panel.node("n10_3")).to_be_in_viewport()
    panel.picture("three_hundred")
    assert panel.root.evaluate(OVERFLOWING) == []
    notebook.picture("three_hundred_in_the_notebook")


def test_the_bundle_is_small_and_the_first_paint_is_quick(open_notebook: Opener, page: Page) -> None:
    notebook = open_notebook([SUPPORT, HELD])
    notebook.run_cell(0)
    page.evaluate(
        """() => {
          const begin = performance.now();
          const seen = new MutationObserver(() => {
            if (document.querySelector(".sg-root .sg-title")) window.paintedAfter ??= performance.now() - begin;
          });
          seen.observe(document.body, { childList: true, subtree: true });
        }"""
    )
    notebook.run_cell(1)
    notebook.panel().until_live()
    assert page.evaluate("() => window.paintedAfter") < 3_000  # 300 ms on an idle machine; this one may be busy


def test_motion_is_left_out_for_those_who_do_not_want_it(open_notebook: Opener, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    _, panel = shown(open_notebook, page, [SUPPORT, HELD], 1_000)
    moves = (
        "(root) => [...root.querySelectorAll('*')].some((each) => getComputedStyle(each).transitionDuration !== '0s')"
    )
    assert not panel.root.evaluate(moves)


@pytest.mark.parametrize(("width", "theme"), [(560, "JupyterLab Dark"), (1_400, "JupyterLab Light")])
def test_every_place_is_readable(open_notebook: Opener, page: Page, width: int, theme: str) -> None:
    """One panel a place: held there, after an error, with a conflict, on a branch."""
    page.set_viewport_size({"width": width, "height": 1_400})
    notebook = open_notebook([PLACES, *(f"runs[{index}]" for index in range(HOLDS))])
    notebook.run_all()
    notebook.command("apputils:change-theme", {"theme": theme})
    light = "true" if "Light" in theme else "false"
    page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=light)
    for index in range(HOLDS):
        page.locator(".sg-root").nth(index).scroll_into_view_if_needed()
        panel = notebook.panel(index).until_live()
        status = panel.attribute("status")
        if status == "held":
            expect(panel.root.locator(".sg-cardhead")).not_to_be_empty()
        place = panel.root.locator(".sg-cardhead strong").inner_text() if status == "held" else status
        name = f"place_{'light' if light == 'true' else 'dark'}_{index}"
        panel.picture(name)
        assert panel.root.evaluate(OVERFLOWING) == [], place
        assert panel.root.evaluate(CONTRAST) == [], place
    notebook.command("apputils:change-theme", {"theme": "JupyterLab Light"})
