"""The last view as self-contained HTML without scripts: a saved notebook, a PDF or a code host still shows the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from stepgraph.core.types import END, START
from stepgraph.panels.layout import HEIGHT, Layout

MARKS = {"": "", "running": "●", "held": "◆", "done": "✓", "failed": "✗", "skipped": "◌"}
_COLOURS = {
    "running": "#1565c0",
    "held": "#a65500",
    "done": "#2e7d32",
    "failed": "#c62828",
    "skipped": "#777",
    "": "#888",
}
_STATUS = {
    "running": "●",
    "held": "◆",
    "done": "✓",
    "failed": "✗",
    "cancelled": "◌",
    "suspended": "‖",
    "interrupted": "◆",
}
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
    drawing = "" if layout is None or layout["width"] > WIDEST else svg(layout, graph, picture["nodes"])
    parts = [title, f'<div style="overflow-x:auto;padding:6px 10px">{drawing}</div>' if drawing else ""]
    if head["error"] is not None:
        parts.append(_block(f"✗ {head['error']['type']}: {head['error']['message']}", "#c62828"))
    parts += [_card(card) for card in picture["requests"]]
    parts.append(_block(_path(picture["steps"]), "inherit"))
    return (
        '<div class="sg-still" style="font:13px/1.5 system-ui,sans-serif;border:1px solid #8886;border-radius:6px;'
        f'max-width:100%;overflow-wrap:anywhere">{"".join(parts)}</div>'
    )


def svg(layout: Layout, graph: Mapping[str, Any], nodes: Mapping[str, list[Any]]) -> str:
    """The graph with its marks, in colours that are readable on light and dark."""
    names = {path: name for path, name, _, _ in graph["nodes"]}
    width, height = layout["width"] + 12, layout["height"] + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="-6 -6 {width:.1f} {height:.1f}" font-family="sans-serif" font-size="12" fill="currentColor">'
    ]
    for path, (x, y, w, h) in layout["clusters"].items():
        parts.append(
            f'<rect x="{x - w / 2:.1f}" y="{y - h / 2:.1f}" width="{w}" height="{h}" rx="8" fill="none" '
            f'stroke="#8886"/><text x="{x - w / 2 + 10:.1f}" y="{y - h / 2 + 14:.1f}" font-size="11">'
            f"{escape(names.get(path, path))}</text>"
        )
    for number, edge in layout["edges"].items():
        dashed = ' stroke-dasharray="4 3"' if graph["edges"][int(number)][2] else ""
        parts.append(f'<path d="{edge["d"]}" fill="none" stroke="#888"{dashed}/>')
    parts += [_node(names.get(path, path), box, nodes.get(path, ["", 0, 0])) for path, box in layout["nodes"].items()]
    return "".join([*parts, "</svg>"])


def _node(name: str, box: list[float], node: list[Any]) -> str:
    x, y, width, _ = box
    state, count = node[0], node[1]
    colour = _COLOURS.get(state, "#888")
    terminal = name in (START, END)
    size = ' font-size="10"' if terminal else ""
    words = [MARKS.get(state, ""), name.strip("_").upper() if terminal else name, f"×{count}" if count > 1 else ""]
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - HEIGHT / 2:.1f}" width="{width}" height="{HEIGHT}" '
        f'rx="{HEIGHT / 2 if terminal else 6}" fill="{colour}" fill-opacity="{0.12 if state else 0}" stroke="{colour}" '
        f'stroke-width="{2 if state == "held" else 1}"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle"{size}>'
        f"{escape(' '.join(word for word in words if word))}</text>"
    )


def _card(card: Mapping[str, Any]) -> str:
    rows = "".join(
        '<tr><td style="padding:1px 10px 1px 0;vertical-align:top;text-align:left">'
        f"<code>{escape(change['key'])}</code></td>"
        f'<td style="text-align:left">{_diff(change["diff"])}</td></tr>'
        for change in card["changes"]
    )
    asked = _block(card["question"], "inherit") if card["question"] else ""
    return (
        f'<div style="padding:5px 10px"><b style="color:#a65500">◆ stopped {escape(card["title"])}</b>{asked}'
        f'<table style="margin:2px 0">{rows}</table>allowed: {escape(" ".join(card["allow"]))}</div>'
    )


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
    return {"held": "#a65500", "done": "#2e7d32", "failed": "#c62828", "running": "#1565c0"}.get(status, "inherit")
