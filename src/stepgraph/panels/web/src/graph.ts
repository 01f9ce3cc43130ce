/** The live graph: drawn once from the kernel's layout, then only restyled by data attributes of the nodes that differ. */
import { SMALL, button, div, fill, h, mark, note, s } from "./dom";
import { MARK, type NodeRow, type NodeState, type RunView, WORD, edgeKey } from "./model";
import { type Box, type Layout, type Shape, type ShapeNode } from "./shape";

interface Drawn { group: SVGGElement; sign: SVGTextElement; count: SVGTextElement; title: SVGTitleElement; box: Box; name: string; inside: string[] }
export interface GraphActs { menu(path: string, anchor: DOMRect): void; collapse(path: string, on: boolean): void }

const PAD = 12;
const STOPS: Record<string, string> = { on: "has a stop", off: "has a stop that is off", rule: "is decided for the rest of the run" };
const IDLE: NodeRow = ["", 0, 0];
/** Which state stands for a closed subgraph: the most urgent inside. */
const URGENCY: NodeState[] = ["", "skipped", "done", "failed", "running", "held"];

export class Graph {
  readonly el = div("sg-graph");
  selected: string | null = null;
  #pane = h("div", { class: "sg-pane", role: "img" });
  #twin = div("sg-twin");
  #nodes = new Map<string, Drawn>();
  #clusters = new Map<string, SVGGElement>();
  #edges: { path: SVGPathElement; source: string; target: string; always: boolean }[] = [];
  #shape: Shape = { nodes: [], edges: [], collapsed: [], layout: null, dot: null };
  #standsFor = new Map<string, string>();
  #scale = 1;
  #fitted = true;
  #listed = false;
  #stops = new Map<string, string>();
  #lastFollowed = "";
  #svg: SVGSVGElement | null = null;

  #lister = button("list", () => this.toggleList(), { class: SMALL, title: "L" });

  constructor(private acts: GraphActs) {
    const zoom = div("sg-zoom",
      button("+", () => this.zoom(1.25), { "aria-label": "zoom in", class: SMALL }),
      button("−", () => this.zoom(0.8), { "aria-label": "zoom out", class: SMALL }),
      button("fit", () => this.fit(), { "aria-label": "fit the graph", class: SMALL }),
      button("taller", () => this.#toggleTall(), { "aria-label": "taller or lower", class: SMALL }),
      this.#lister,
    );
    this.el.append(this.#pane, this.#twin, zoom);
    this.#dragging();
  }

  /** Draw a shape; everything after that is `restyle`. */
  show(shape: Shape, view: RunView): void {
    this.#shape = shape;
    this.#standsFor = representatives(shape);
    this.#nodes.clear();
    this.#edges = [];
    this.#clusters.clear();
    this.#svg = null;
    if (!shape.layout) {
      fill(this.#pane, h("div", { class: "sg-note sg-waiting" }, shape.dot === null ? "laying out…" : "laying out in the page…"));
    } else {
      this.#draw(shape.layout);
      this.fit();
    }
    this.restyle(view, null);
  }

  /** Bring the marks up to date; `only` limits it to the nodes that changed. */
  restyle(view: RunView, only: Iterable<string> | null, at: { ran: Set<string>; next: Set<string> } | null = null): void {
    const paths = only === null ? this.#nodes.keys() : new Set([...only].map((path) => this.#box(path)));
    const still = this.#standing(view);
    for (const path of paths) {
      const drawn = this.#nodes.get(path);
      if (!drawn) continue;
      const [known, count] = at ? past(path, drawn, at) : present(drawn, view);
      const state = !at && still.has(path) ? "held" : known;
      mark(drawn.group, "data-state", state);
      const sign = MARK[state];
      if (drawn.sign.textContent !== sign) drawn.sign.textContent = sign;
      const times = count > 1 ? `×${short(count)}` : "";
      if (drawn.count.textContent !== times) drawn.count.textContent = times;
    }
    for (const [path, group] of this.#clusters) mark(group, "data-state", at ? "" : (view.nodes.get(path)?.[0] ?? ""));
    if (this.#listed) this.#drawTwin(view);
    if (!at) this.#follow(view);
  }

  /** The box that shows a node: its own, that of a closed subgraph, or of the node whose code runs what is not drawn. */
  #box(path: string): string {
    for (let each = path; each; each = each.slice(0, Math.max(0, each.lastIndexOf("/")))) {
      const box = this.#standsFor.get(each);
      if (box !== undefined) return box;
    }
    return path;
  }

  /** The boxes of the nodes that wait for a person, also for a function or graph that their code has called. */
  #standing(view: RunView): Set<string> {
    return new Set(view.requests.filter((card) => card.node).map((card) => this.#box(card.within)));
  }

  /** Edges on which the run went. */
  traffic(view: RunView): void {
    for (const { path, source, target, always } of this.#edges) {
      const count = view.edges.get(edgeKey(source, target)) ?? unnamed(view, source, target, always);
      mark(path, "data-taken", count ? (count > 20 ? "3" : count > 3 ? "2" : "1") : null);
    }
  }

  /** Which nodes have stops (on, off, or "rule": decided for the rest of the run): shown as a notch. */
  showStops(stops: Map<string, string>): void {
    this.#stops = stops;
    for (const [path, drawn] of this.#nodes) mark(drawn.group, "data-stop", this.#stops.get(path) ?? null);
  }

  select(path: string | null): void {
    if (this.selected) this.#nodes.get(this.selected)?.group.removeAttribute("data-selected");
    this.selected = path;
    const drawn = path ? this.#nodes.get(path) : undefined;
    if (drawn) {
      drawn.group.setAttribute("data-selected", "");
      this.#reveal(drawn.box);
    }
  }

  /** The nearest node in a direction, for arrow keys. */
  move(dx: number, dy: number): void {
    const from = this.selected ? this.#nodes.get(this.selected)?.box : undefined;
    if (!from) return this.select(this.#nodes.keys().next().value ?? null);
    let best: string | null = null;
    let least = Infinity;
    for (const [path, { box }] of this.#nodes) {
      const along = (box[0] - from[0]) * dx + (box[1] - from[1]) * dy;
      const across = Math.abs((box[0] - from[0]) * dy) + Math.abs((box[1] - from[1]) * dx);
      if (path !== this.selected && along > 1 && along + 2 * across < least) { least = along + 2 * across; best = path; }
    }
    if (best) this.select(best);
  }

  openMenu(): void {
    const drawn = this.selected ? this.#nodes.get(this.selected) : undefined;
    if (drawn && this.selected) this.acts.menu(this.selected, drawn.group.getBoundingClientRect());
  }

  toggleList(view?: RunView): void {
    this.#listed = !this.#listed;
    mark(this.el, "data-list", this.#listed ? "" : null);
    this.#lister.textContent = this.#listed ? "graph" : "list";
    if (this.#listed && (view ?? this.lastView)) this.#drawTwin((view ?? this.lastView)!);
  }
  lastView: RunView | null = null;

  #toggleTall(): void {
    this.#tall = !this.#tall;
    this.fit();
  }
  #tall = false;

  /** Pixels that the drawing may take before it scrolls. */
  #room(): number {
    return this.#tall ? 620 : this.el.closest("[data-size=wide]") ? 420 : 200;
  }

  zoom(factor: number): void {
    this.#fitted = false;
    this.#resize(Math.min(3, Math.max(0.15, this.#scale * factor)));
  }

  /** The whole graph if it stays readable, else as wide as it needs. */
  fit(): void {
    const layout = this.#shape.layout;
    if (!layout) return;
    this.#fitted = true;
    const width = this.#pane.clientWidth || 640;
    const wanted = Math.min(width / (layout.width + 2 * PAD), this.#room() / (layout.height + 2 * PAD));
    this.#resize(Math.min(1, Math.max(layout.width > 4_000 ? 0.2 : 0.62, wanted)));
  }

  /** The panel has another size: what stopped must still be in sight. */
  refit(view: RunView): void {
    if (this.#fitted) this.fit();
    this.#lastFollowed = "";
    this.#follow(view);
  }

  #resize(scale: number): void {
    const layout = this.#shape.layout;
    if (!layout || !this.#svg) return;
    this.#scale = scale;
    const width = (layout.width + 2 * PAD) * scale;
    const height = (layout.height + 2 * PAD) * scale;
    this.#svg.setAttribute("width", width.toFixed(0));
    this.#svg.setAttribute("height", height.toFixed(0));
    const bar = width > this.#pane.clientWidth ? 12 : 0;
    this.#pane.style.height = `${Math.max(54, Math.min(height + bar, this.#room() + 12))}px`;
  }

  #draw(layout: Layout): void {
    const many = this.#shape.nodes.length > 150;
    const svg = s("svg", { viewBox: `${-PAD} ${-PAD} ${layout.width + 2 * PAD} ${layout.height + 2 * PAD}`, "aria-hidden": "true", "data-many": many });
    const id = `sg-arrow-${Math.random().toString(36).slice(2, 8)}`;
    const arrow = s("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, markerUnits: "userSpaceOnUse", orient: "auto" }, s("path", { d: "M0 .8 7.4 4 0 7.2z" }));
    svg.append(s("defs", {}, arrow));
    const names = new Map(this.#shape.nodes.map((node) => [node[0], node]));
    for (const [path, box] of Object.entries(layout.clusters)) svg.append(this.#cluster(path, names.get(path)?.[1] ?? path, box));
    this.#shape.edges.forEach(([source, target, conditional, label], i) => {
      const found = layout.edges[i];
      if (!found) return;
      const path = s("path", { class: "sg-edge", d: found.d, "data-conditional": conditional, "marker-end": `url(#${id})` });
      this.#edges.push({ path, source, target, always: !conditional });
      svg.append(path);
      if (label && found.label) svg.append(s("text", { class: "sg-label", x: found.label[0], y: found.label[1] + 3 }, label));
    });
    for (const [path, box] of Object.entries(layout.nodes)) {
      const node = names.get(path);
      svg.append(this.#node(path, node?.[1] ?? path, node?.[2] ?? "node", box));
    }
    this.#svg = svg;
    fill(this.#pane, svg);
    this.showStops(this.#stops);
  }

  #node(path: string, name: string, kind: string, box: Box): SVGGElement {
    const [x, y, width, height] = box;
    const terminal = name === "__start__" || name === "__end__";
    const shown = terminal ? name.slice(2, -2).toUpperCase() : name;
    const sign = s("text", { class: "sg-sign", x: x - width / 2 + 15, y: y + 4 });
    const count = s("text", { class: "sg-count", x: x + width / 2, y: y - height / 2 - 3 }); // above: beside a name there is no room for any number
    const title = s("title", {}, path);
    const label = s("text", { class: "sg-nodename", x: terminal ? x : x + 6, y: y + 4 }, terminal ? shown : shortened(shown, width));
    const notch = s("circle", { class: "sg-notch", cx: x - width / 2, cy: y - height / 2, r: 5 });
    const rect = s("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: terminal ? height / 2 : 6 });
    const group = s("g", { class: "sg-node", "data-path": path, "data-kind": terminal ? "terminal" : kind, "data-state": "" }, title, rect, sign, label, count, notch);
    if (!terminal) group.addEventListener("click", () => { this.select(path); this.openMenu(); });
    const inside = kind === "subgraph" ? this.#shape.nodes.filter((each) => each[0].startsWith(`${path}/`)).map((each) => each[0]) : [];
    this.#nodes.set(path, { group, sign, count, title, box, name, inside });
    return group;
  }

  #cluster(path: string, name: string, [x, y, width, height]: Box): SVGGElement {
    const top = y - height / 2;
    const left = x - width / 2;
    const group = s("g", { class: "sg-cluster" }, s("rect", { x: left, y: top, width, height, rx: 8 }), s("text", { x: left + 10, y: top + 14 }, `▾ ${name}`), s("title", {}, `${path}: click to close`));
    group.addEventListener("click", () => this.acts.collapse(path, true));
    this.#clusters.set(path, group);
    return group;
  }

  /** Keep what stopped, or else what runs, in sight; never fights a person who scrolls: only when the place changes. */
  #follow(view: RunView): void {
    if (!this.#svg || !this.#pane.clientWidth) return; // not in the document yet
    let found = view.requests[0]?.within ?? "";
    if (!found) for (const [path, [state]] of view.nodes) {
      if (state === "held") { found = path; break; }
      if (state === "running" && !found) found = path;
    }
    const shown = this.#box(found);
    if (!shown || shown === this.#lastFollowed) return;
    this.#lastFollowed = shown;
    const drawn = this.#nodes.get(shown);
    if (drawn && !this.#pane.matches(":hover")) this.#reveal(drawn.box);
  }

  #reveal([x, y, width, height]: Box): void {
    const pane = this.#pane;
    if (pane.scrollWidth <= pane.clientWidth && pane.scrollHeight <= pane.clientHeight) return;
    const left = (x - width / 2 + PAD) * this.#scale;
    const right = (x + width / 2 + PAD) * this.#scale;
    const top = (y - height / 2 + PAD) * this.#scale;
    const bottom = (y + height / 2 + PAD) * this.#scale;
    if (left < pane.scrollLeft || right > pane.scrollLeft + pane.clientWidth) pane.scrollLeft = (left + right - pane.clientWidth) / 2;
    if (top < pane.scrollTop || bottom > pane.scrollTop + pane.clientHeight) pane.scrollTop = (top + bottom - pane.clientHeight) / 2;
  }

  #dragging(): void {
    let from: { x: number; y: number; left: number; top: number } | null = null;
    this.#pane.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && !(event.target as Element).closest(".sg-node, .sg-cluster")) from = { x: event.clientX, y: event.clientY, left: this.#pane.scrollLeft, top: this.#pane.scrollTop };
    });
    this.#pane.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.#pane.scrollLeft = from.left + from.x - event.clientX;
      this.#pane.scrollTop = from.top + from.y - event.clientY;
    });
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) this.#pane.addEventListener(end, () => { from = null; });
  }

  /** The text twin: what the drawing shows, as an indented list. */
  #drawTwin(view: RunView): void {
    this.lastView = view;
    const below = new Map<string | null, ShapeNode[]>();
    for (const node of this.#shape.nodes) below.set(node[3], [...(below.get(node[3]) ?? []), node]);
    const targets = new Map<string, string[]>();
    for (const [source, target] of this.#shape.edges) targets.set(source, [...(targets.get(source) ?? []), plain(target)]);
    const still = this.#standing(view);
    const list = (parent: string | null): HTMLElement | null => {
      const nodes = below.get(parent)?.filter((node) => node[1] !== "__end__");
      if (!nodes?.length) return null;
      return h("ul", {}, ...nodes.map(([path, name, kind]) => {
        const [known, count] = view.nodes.get(path) ?? IDLE;
        const state = still.has(path) ? "held" : known;
        const words = `${MARK[state]} ${plain(name)}`.trim();
        const more = [name === "__start__" ? "" : WORD[state], count > 1 ? `${count} ×` : "", STOPS[this.#stops.get(path) ?? ""]].filter(Boolean).join(", ");
        const to = targets.get(path);
        const open = name === "__start__" ? null : () => this.acts.menu(path, (this.#twin.querySelector(`[data-path="${CSS.escape(path)}"]`) ?? this.#twin).getBoundingClientRect());
        const label = open ? h("button", { type: "button", class: "sg-link", "data-path": path, "data-state": state, onclick: open }, words) : h("span", {}, words);
        return h("li", {}, label, note(`${more ? ` ${more}` : ""}${to?.length ? ` → ${to.join(", ")}` : ""}`), kind === "subgraph" ? list(path) : null);
      }));
    };
    fill(this.#twin, list(null));
  }

  /** For screen readers the drawing is one sentence; the twin has the rest. */
  describe(text: string): void {
    mark(this.#pane, "aria-label", text);
  }
}

/** How often an edge was taken that no event names: to END, one of those that join, or before a fork. */
function unnamed(view: RunView, source: string, target: string, always: boolean): number {
  const runs = view.nodes.get(source)?.[1] ?? 0;
  const end = target.endsWith("__end__");
  if (always && !end) {
    const [state, count] = view.nodes.get(target) ?? IDLE;
    return state && (runs || source.endsWith("__start__")) ? Math.max(1, Math.min(runs, count)) : 0;
  }
  if (always) return runs;
  if (!end) return 0;
  let others = 0;
  for (const [key, count] of view.edges) if (key.startsWith(edgeKey(source, ""))) others += count;
  return Math.max(0, runs - others);
}

/** What of a name fits beside the mark; as the kernel measures it when it makes the boxes. */
function shortened(name: string, width: number): string {
  const room = (width - 46) / 6.9 + 0.1;
  const wide = (text: string) => [...text].reduce((sum, letter) => sum + (letter.codePointAt(0)! > 0x2e7f ? 2 : 1), 0);
  if (wide(name) <= room) return name;
  const kept = [...name];
  while (kept.length && wide(kept.join("")) + 1 > room) kept.pop();
  return `${kept.join("")}…`;
}

/** 12,345 as "12k": the list and the log have the whole number. */
function short(count: number): string {
  return count < 10_000 ? String(count) : count < 1_000_000 ? `${Math.floor(count / 1_000)}k` : `${(count / 1_000_000).toFixed(1)}M`;
}

function plain(path: string): string {
  const name = path.split("/").at(-1)!;
  return name === "__start__" ? "START" : name === "__end__" ? "END" : name;
}

function present(drawn: Drawn, view: RunView): NodeRow {
  const path = drawn.group.getAttribute("data-path")!;
  const own = view.nodes.get(path) ?? IDLE;
  if (drawn.name === "__start__" || drawn.name === "__end__") return [terminal(path, drawn.name, view) ? "done" : "", 0, 0];
  if (!drawn.inside.length) return own;
  let state = own[0];
  for (const path of drawn.inside) {
    const inner = view.nodes.get(path)?.[0] ?? "";
    if (inner === "held" || (inner === "failed" && URGENCY.indexOf(inner) > URGENCY.indexOf(state))) state = inner;
  }
  return [state, own[1], own[2]];
}

/** Whether a START was left, or an END reached, of the graph or of a subgraph. */
function terminal(path: string, name: string, view: RunView): boolean {
  const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : null;
  if (parent === null) return name === "__start__" ? Boolean(view.head?.started) : view.head?.status === "done";
  const state = view.nodes.get(parent)?.[0] ?? "";
  return name === "__start__" ? state !== "" : state === "done";
}

function past(path: string, drawn: Drawn, at: { ran: Set<string>; next: Set<string> }): NodeRow {
  if (at.ran.has(path)) return ["done", 1, 0];
  if (drawn.name === "__start__") return ["done", 1, 0];
  return [at.next.has(path) ? "running" : "", 0, 0];
}

/** Each node's path -> the box that stands for it. */
function representatives(shape: Shape): Map<string, string> {
  const closed = new Set(shape.collapsed);
  const parents = new Map(shape.nodes.map((node) => [node[0], node[3]]));
  const found = new Map<string, string>();
  for (const path of parents.keys()) {
    let box = path;
    for (let above: string | null | undefined = path; above; above = parents.get(above)) if (closed.has(above)) box = above;
    found.set(path, box);
  }
  return found;
}
