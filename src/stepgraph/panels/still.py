"""The last view as self-contained HTML without scripts: a saved notebook, a PDF or a code host still shows the run."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from stepgraph.core.types import END, PREVIOUS
from stepgraph.panels.layout import Layout
from stepgraph.panels.svg import PAD, svg, told

_STATUS = {
    "running": "●",
    "held": "◆",
    "done": "✓",
    "failed": "✗",
    "cancelled": "◌",
    "suspended": "‖",
    "interrupted": "◆",
}
_COLOURS = {"held": "#b96000", "done": "#2e8540", "failed": "#d64545", "running": "#2577cf"}
"""As far from white as from black: a still does not know what it is shown on."""
KEYS = {END: "result", PREVIOUS: "kept for the next run"}
"""What the keys of an entrypoint are called, as in the page."""
WIDEST = 4_000
"""A wider drawing is left out: nobody can read it without zooming."""


def still(picture: Mapping[str, Any], graph: Mapping[str, Any], layout: Layout | None) -> str:
    """HTML of a snapshot (`RunPanel.picture`). Everything from the run is escaped text."""
    head = picture["head"]
    status = head["status"]
    title = (
        f'<div style="padding:5px 10px;border-bottom:1px solid #8884"><b>{escape(picture["session"])}</b> '
        f'<span style="color:{_status_colour(status)}"><b>{_STATUS.get(status, "·")} {escape(status)}</b></span>'
        f" · {len(picture['steps'])} steps{_stats(head['stats'])}</div>"
    )
    parts = [title, "" if layout is None or layout["width"] > WIDEST else _drawing(picture, graph, layout)]
    if head["error"] is not None:
        parts.append(_block(f"✗ {head['error']['type']}: {head['error']['message']}", _COLOURS["failed"]))
    parts += [_card(card) for card in picture["requests"]]
    parts.append(_block(_path(picture["steps"]), "inherit"))
    return (
        '<div class="sg-still" style="font:13px/1.5 system-ui,sans-serif;border:1px solid #8886;border-radius:6px;'
        f'max-width:100%;overflow-wrap:anywhere">{"".join(parts)}</div>'
    )


def _drawing(picture: Mapping[str, Any], graph: Mapping[str, Any], layout: Layout) -> str:
    """The graph as an image with the document inside it: pages that don't trust a notebook drop inline SVG."""
    width = layout["width"] + 2 * PAD
    document = b64encode(svg(layout, graph, picture).encode()).decode()
    size = f'style="max-width:100%;min-width:{0.6 * width:.0f}px;height:auto" width="{width:.0f}"'
    image = f'<img alt="{escape(told(picture))}" {size} src="data:image/svg+xml;base64,{document}">'
    return f'<div style="overflow-x:auto;padding:6px 10px">{image}</div>'


def _card(card: Mapping[str, Any]) -> str:
    rows = "".join(
        '<tr><td style="padding:1px 10px 1px 0;vertical-align:top;text-align:left">'
        f"<code>{escape(KEYS.get(change['key'], change['key']))}</code></td>"
        f'<td style="text-align:left">{_unfit(change) or _diff(change["diff"])}</td></tr>'
        for change in card["changes"]
    )
    asked = _block(card["question"], "inherit") if card["question"] else ""
    return (
        f'<div style="padding:5px 10px"><b style="color:{_COLOURS["held"]}">◆ stopped {escape(card["title"])}</b>'
        f"{asked}"
        f'<table style="margin:2px 0">{rows}</table>allowed: {escape(" ".join(card["allow"]))}</div>'
    )


def _unfit(change: Mapping[str, Any]) -> str:
    """What each task wants to write to a key whose updates can't be put together."""
    lines = [escape(f"{each['task']}: {each['text']}") for each in change.get("writers", ())]
    return "<br>".join([*lines, escape(change["problem"])]) if lines else ""


def _diff(diff: Mapping[str, Any]) -> str:
    match diff["kind"]:
        case "text":
            return "".join(_segment(sign, text) for sign, text in diff["segments"])
        case "rows":
            return _rows(diff)
        case "paths":
            return "<br>".join(
                f"<code>{escape(' › '.join(each['path']))}</code> {_pair(each)}" for each in diff["paths"][:20]
            )
        case _:
            return _pair(diff)


def _pair(change: Mapping[str, Any]) -> str:
    if "segments" in change:
        return "".join(_segment(sign, text) for sign, text in change["segments"])
    old, new = change.get("old"), change.get("new")
    return (f"{_segment('-', old)} → " if old else "") + ("removed" if new is None else _segment("+", new))


def _rows(diff: Mapping[str, Any], limit: int = 12) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in diff["columns"])
    body = "".join(
        f"<tr><td>{escape(row['sign'])} {row['index']}</td>{''.join(_cell(cell) for cell in row['cells'])}</tr>"
        for row in diff["rows"][:limit]
    )
    more = diff["changed"] - min(limit, len(diff["rows"]))
    return f"<table><tr><th></th>{head}</tr>{body}</table>" + (f"and {more} more rows" if more > 0 else "")


def _cell(cell: Iterable[str]) -> str:
    texts = list(cell)
    if len(texts) == 1:
        return f"<td>{escape(texts[0])}</td>"
    return f"<td>{_segment('-', texts[0])} {_segment('+', texts[1])}</td>"


def _segment(sign: str, text: str) -> str:
    shown = escape(text if len(text) <= 1_000 else text[:999] + "…")
    if sign == "-":
        return f"<del>{shown}</del>"
    return f'<ins style="text-decoration:none;background:#4caf5033">{shown}</ins>' if sign == "+" else shown


def _path(steps: list[list[Any]]) -> str:
    """`0 input → 1 draft ☺edit → 2 send`, shortened in the middle."""
    shown = []
    for step, nodes, _, source, verbs, _ in steps:
        ran = ", ".join(nodes) or ("input" if step <= 0 else source)
        shown.append(f"{step} {ran}{' ☺' + ' '.join(verbs) if verbs else ''}")
    if len(shown) > 14:
        shown = [*shown[:6], f"… {len(shown) - 12} steps …", *shown[-6:]]
    return " → ".join(shown)


def _block(text: str, colour: str) -> str:
    return (
        f'<div style="padding:3px 10px;color:{colour};white-space:pre-wrap">{escape(text[:4_000])}</div>'
        if text
        else ""
    )


def _stats(stats: Mapping[str, Any]) -> str:
    return f" · runs {stats['tasks']} · run again {stats['reruns']}"


def _status_colour(status: str) -> str:
    return _COLOURS.get(status, "inherit")
