"""The graph of a run as one SVG document with everything in it: colours for light and dark, marks, no scripts.

It is shown by an `<img>`, so nothing of the page around it reaches in: it paints its own ground.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from stepgraph.core.types import END, START
from stepgraph.panels.layout import EDGE_ROOM, HEIGHT, Layout, shortened

MARKS = {"": "", "running": "●", "held": "◆", "done": "✓", "failed": "✗", "skipped": "◌"}
WORDS = {"running": "running", "held": "stopped", "done": "done", "failed": "failed", "skipped": "skipped"}
PAD = 12
_STYLE = """
svg{color-scheme:light dark;--bg:#fff;--text:#1c1e21;--dim:#5d646d;--line:#9aa0a8;
--running:#1565c0;--held:#9c4f00;--done:#2e7d32;--failed:#c62828;--skipped:#5d646d}
@media(prefers-color-scheme:dark){svg{--bg:#16181b;--text:#e6e8eb;--dim:#a2a9b3;--line:#7a818b;
--running:#64b5f6;--held:#ffb74d;--done:#81c784;--failed:#ff8a80;--skipped:#a2a9b3}}
text{font:12px system-ui,sans-serif;fill:var(--text);text-anchor:middle}
.ground{fill:var(--bg)}
.box{fill:var(--bg);stroke:var(--line)}
.box.state{fill-opacity:.14;fill:var(--now);stroke:var(--now)}
.box.held{stroke-width:2.4}
.sign{fill:var(--now)}
.count,.label{font-size:11px;fill:var(--dim);paint-order:stroke;stroke:var(--bg);stroke-width:4px}
.count{text-anchor:end}
.end{font-size:10px;letter-spacing:.06em;fill:var(--dim)}
.cluster{fill:none;stroke:var(--line);stroke-opacity:.6}
.name{font-size:11px;font-weight:600;text-anchor:start;fill:var(--dim)}
.edge{fill:none;stroke:var(--line)}
.maybe{stroke-dasharray:4 3}
.taken{stroke:var(--done);stroke-width:1.6}
marker path{fill:context-stroke}
""".replace("\n", "")
_ARROW = (
    '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .8 7.4 4 0 7.2z"/></marker></defs>'
)


def svg(layout: Layout, graph: Mapping[str, Any], picture: Mapping[str, Any]) -> str:
    """The document: `graph` is the shape that pages get, `picture` what they are told of the run."""
    width, height = layout["width"] + 2 * PAD, layout["height"] + 2 * PAD
    names = {path: name for path, name, _, _ in graph["nodes"]}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{-PAD} {-PAD} {width:.1f} {height:.1f}"><style>{_STYLE}</style>{_ARROW}'
        f'<rect class="ground" x="{-PAD}" y="{-PAD}" width="100%" height="100%" rx="6"/>'
    ]
    parts += [_cluster(names.get(path, path), box) for path, box in layout["clusters"].items()]
    parts += [_edge(graph["edges"][int(number)], edge, picture) for number, edge in layout["edges"].items()]
    still = {_drawn(card["within"], layout["nodes"]) for card in picture["requests"] if card["node"]}
    for path, box in layout["nodes"].items():
        state, count = _state(path, names.get(path, path), picture)
        parts.append(_node(names.get(path, path), box, "held" if path in still else state, count))
    return "".join([*parts, "</svg>"])


def _drawn(path: str, nodes: Mapping[str, Any]) -> str:
    """The node itself, or the innermost one around it that is drawn."""
    while path and path not in nodes:
        path = path.rpartition("/")[0]
    return path


def told(picture: Mapping[str, Any]) -> str:
    """The same in one sentence, for those who see no pictures."""
    marked = {path: node[0] for path, node in picture["nodes"].items() if node[0] and not path.endswith((START, END))}
    nodes = [f"{path} {WORDS[state]}" for path, state in marked.items()]
    more = f" and {len(nodes) - 12} more" if len(nodes) > 12 else ""
    return f"graph of {picture['session']}: {', '.join(nodes[:12]) or 'nothing has run'}{more}"


def _state(path: str, name: str, picture: Mapping[str, Any]) -> tuple[str, int]:
    """What a node does, and how often it has run. START and END of the outermost graph follow the run itself."""
    if name in (START, END):
        head = picture["head"]
        reached = path in (START, END) and (head["status"] == "done" if name == END else bool(head["started"]))
        return ("done" if reached else ""), 0
    state, count, _ = picture["nodes"].get(path, ("", 0, 0))
    return state, count


def _cluster(name: str, box: list[float]) -> str:
    x, y, width, height = box
    left, top = x - width / 2, y - height / 2
    return (
        f'<rect class="cluster" x="{left:.1f}" y="{top:.1f}" width="{width}" height="{height}" rx="8"/>'
        f'<text class="name" x="{left + 10:.1f}" y="{top + 14:.1f}">{escape(name)}</text>'
    )


def _taken(source: str, target: str, conditional: bool, picture: Mapping[str, Any]) -> bool:
    """Whether the run went this way. No event names the way to END, edges that join, and what was before a fork."""
    gone = [to for start, to, count in picture["edges"] if start == source and count]
    if target in gone:
        return True
    runs = picture["nodes"].get(source, ("", 0, 0))[1]
    if target.endswith(END):
        return runs > 0 and (not conditional or not gone)
    left = runs > 0 or source.endswith(START)
    return not conditional and left and picture["nodes"].get(target, [""])[0] != ""


def _edge(edge: list[Any], drawn: Mapping[str, Any], picture: Mapping[str, Any]) -> str:
    source, target, conditional, label = edge
    kinds = (
        "edge" + (" maybe" if conditional else "") + (" taken" if _taken(source, target, conditional, picture) else "")
    )
    path = f'<path class="{kinds}" d="{drawn["d"]}" marker-end="url(#a)"/>'
    if not label or "label" not in drawn:
        return path
    x, y = drawn["label"]
    return f'{path}<text class="label" x="{x:.1f}" y="{y + 3:.1f}">{escape(label[:EDGE_ROOM])}</text>'


def _node(name: str, box: list[float], state: str, count: int) -> str:
    x, y, width, _ = box
    left, top = x - width / 2, y - HEIGHT / 2
    terminal = name in (START, END)
    colour = f' style="--now:var(--{state})"' if state else ""
    kinds = f"box state {state}" if state else "box"
    rect = (
        f'<rect class="{kinds}"{colour} x="{left:.1f}" y="{top:.1f}" width="{width}" height="{HEIGHT}" '
        f'rx="{HEIGHT / 2 if terminal else 6}"/>'
    )
    if terminal:
        return f'{rect}<text class="end" x="{x:.1f}" y="{y + 4:.1f}">{escape(name.strip("_").upper())}</text>'
    sign = f'<text class="sign"{colour} x="{left + 14:.1f}" y="{y + 4:.1f}">{MARKS[state]}</text>' if state else ""
    times = f'<text class="count" x="{x + width / 2:.1f}" y="{top - 3:.1f}">×{count}</text>' if count > 1 else ""
    return f'{rect}{sign}<text x="{x + 6:.1f}" y="{y + 4:.1f}">{escape(shortened(name, width))}</text>{times}'
