/** The small lists: branches, stops, what nodes printed, and the log of events. */
import { SMALL, breakable, button, div, fill, h, note, noteLine, pressed, span } from "./dom";
import { type Branch, GAP, type Output, type Row, type Rule, type RunView, type Stop } from "./model";
import { VirtualList } from "./virtual";

const STATUS: Record<string, string> = { running: "●", held: "◆", done: "✓", failed: "✗", cancelled: "◌", suspended: "‖", interrupted: "◆" };

export function drawBranches(branches: Branch[], current: string, choose: (id: string) => void): HTMLElement {
  const below = (parent: string | null): HTMLElement | null => {
    const found = branches.filter((each) => (each.parent?.[0] ?? null) === parent);
    if (!found.length) return null;
    return h("ul", { class: "sg-branches" }, ...found.map((each) => h(
      "li",
      {},
      h("button", { type: "button", class: "sg-line", "aria-current": each.id === current ? "true" : null, onclick: () => choose(each.id) },
        h("span", { class: "sg-mark", "data-status": each.status }, STATUS[each.status] ?? "·"),
        span("sg-name", each.branch),
        note(`${each.parent ? `from step ${each.parent[1]} · ` : ""}${each.status}`)),
      each.note ? h("div", { class: "sg-note sg-indent" }, `“${each.note}”`) : null,
      below(each.id),
    )));
  };
  return h("div", {}, below(null));
}

export interface StopActs { enable(stop: Stop, on: boolean): void; remove(stop: Stop): void; revoke(rule: Rule): void; add(spec: string, when: string): Promise<string | null> }

let lists = 0;

export class StopList {
  #list = h("ul", { class: "sg-stops" });
  #places = h("datalist", { id: `sg-places-${++lists}` });
  #form: HTMLFormElement;
  readonly el: HTMLElement;

  constructor(private acts: StopActs) {
    const spec = h("input", { class: "sg-input", name: "spec", placeholder: "after:draft", "aria-label": "where to stop", list: this.#places.id });
    const when = h("input", { class: "sg-input", name: "when", placeholder: "only if, e.g. len(q.new) > 500", "aria-label": "condition" });
    const problem = h("div", { class: "sg-problem", role: "alert" });
    this.#form = h("form", { class: "sg-stopform" }, spec, this.#places, when, h("button", { type: "submit", class: SMALL }, "Add stop"), problem);
    this.#form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!spec.value.trim()) return;
      const wrong = await this.acts.add(spec.value.trim(), when.value.trim());
      problem.textContent = wrong ?? "";
      if (!wrong) spec.value = when.value = "";
    });
    this.el = h("div", {}, this.#list, this.#form);
  }

  /** Put a place into the form and wait for the condition. */
  suggest(spec: string): void {
    (this.#form.elements.namedItem("spec") as HTMLInputElement).value = spec;
    (this.#form.elements.namedItem("when") as HTMLInputElement).focus();
  }

  /** The nodes that the form offers places of. */
  offer(nodes: string[]): void {
    fill(this.#places, ...["after", "before", "error"].flatMap((place) => nodes.map((node) => h("option", { value: `${place}:${node}` }))));
  }

  update(stops: Stop[], rules: Rule[]): void {
    const drawn = [...stops.map((stop) => this.#item(stop)), ...rules.map((rule) => this.#rule(rule))];
    fill(this.#list, ...drawn, stops.length ? null : h("li", { class: "sg-note" }, "No stops. Click a node to set one."));
  }

  /** What is decided without asking in this run, until it is taken back. */
  #rule(rule: Rule): HTMLElement {
    return h(
      "li",
      { "data-rule": rule.id },
      span("sg-check", span("sg-mark", "☺"), h("code", {}, ...breakable(rule.title))),
      button("×", () => this.acts.revoke(rule), { class: SMALL, "aria-label": `ask again at ${rule.title}`, title: "ask again" }),
      noteLine([`${rule.verb} for the rest of the run`, rule.by ? `by ${rule.by}` : "", rule.reason ? `“${rule.reason}”` : ""].filter(Boolean).join(" · ")),
    );
  }

  #item(stop: Stop): HTMLElement {
    const box = h("input", { type: "checkbox", "aria-label": `${stop.spec} on` });
    box.checked = stop.enabled;
    box.addEventListener("change", () => this.acts.enable(stop, box.checked));
    const notes = [stop.when ? `if ${stop.when}` : "", stop.hits === 1 ? "1 hit" : `${stop.hits} hits`, stop.allow.length ? `allows ${stop.allow.join(" ")}` : ""];
    return h(
      "li",
      { "data-off": !stop.enabled },
      h("label", { class: "sg-check" }, box, span("sg-mark", stop.kind === "gate" ? "▣" : "◆"), h("code", {}, ...breakable(stop.spec))),
      button("×", () => this.acts.remove(stop), { class: SMALL, "aria-label": `remove ${stop.spec}`, title: "remove" }),
      noteLine(notes.filter(Boolean).join(" · ")),
      stop.problem ? div("sg-problem", stop.problem) : null,
    );
  }
}

/** What nodes said, newest task last; neighbours of one task under one head. */
export function drawOutput(pieces: Output[]): HTMLElement {
  const groups: { task: string; path: string; step: number; parts: Output[] }[] = [];
  for (const piece of pieces.slice(-400)) {
    const last = groups.at(-1);
    if (last && last.task === piece[1]) last.parts.push(piece);
    else groups.push({ task: piece[1], path: piece[2], step: piece[3], parts: [piece] });
  }
  if (!groups.length) return noteLine("Nothing printed or logged yet.");
  return div("sg-output", ...groups.map((group) => div("sg-said",
    noteLine(`${group.path} · step ${group.step}`),
    h("pre", { class: "sg-pre" }, ...joined(group.parts).map(([kind, text]) => h("span", { "data-kind": kind }, text))),
  )));
}

/** Prints come in pieces: text and line end apart. */
function joined(parts: Output[]): [string, string][] {
  const found: [string, string][] = [];
  for (const [, , , , kind, text] of parts) {
    const last = found.at(-1);
    const line = kind === "stdout" || kind === "stderr" ? text : `${kind}: ${text}\n`;
    if (last && last[0] === kind) last[1] += line;
    else found.push([kind, line]);
  }
  return found;
}

/** Rows fetched for one press on a gap. */
const FETCHED = 500;
/** Rows from number `since` on, and the number of the oldest event that the kernel keeps. */
export type FetchRows = (since: number, limit: number) => Promise<{ rows: Row[]; first: number }>;

/** Every event in one line. Where there were too many to send, a line says how many, and fetches them. */
export class LogList {
  readonly el: HTMLElement;
  #list: VirtualList;
  #view: RunView | null = null;
  #lines: Row[] = [];
  #note = div("sg-note");

  constructor(private fetch: FetchRows) {
    this.#list = new VirtualList(0, 20, (index) => this.#draw(this.#lines[index]), 12);
    this.#list.el.classList.add("sg-log");
    this.el = h("div", {}, this.#note, this.#list.el);
  }

  /** `follow` keeps the last line in sight if it was. */
  update(view: RunView, follow = true): void {
    this.#view = view;
    this.#lines = view.lines();
    const left = this.#lines.reduce((sum, row) => sum + (row[2] === GAP ? row[4] - row[0] + 1 : 0), 0);
    const gone = view.oldest ? `; the kernel keeps them from ${number(view.oldest)} on` : "";
    this.#note.textContent = view.seen < 0 ? "No events yet." : `${number(view.seen + 1)} events${left ? `, ${number(left)} of them not listed` : ""}${gone}`;
    this.#list.resize(this.#lines.length, follow);
  }

  #draw(row: Row | undefined): HTMLElement {
    if (!row) return h("div", {});
    const [seq, , type, path, step, text] = row;
    if (type === GAP) return this.#gap(seq, step);
    return h("div", { class: "sg-event", title: text }, span("sg-index", String(seq)), span("sg-at", `step ${step}`), h("span", { class: "sg-type", "data-type": type }, type), path ? span("sg-name", path) : null, span("sg-content", text));
  }

  #gap(first: number, last: number): HTMLElement {
    const count = last - first + 1;
    const words = count > FETCHED ? `${number(count)} events not listed, ${number(first)} to ${number(last)}: show the last ${FETCHED} of them` : `${number(count)} events not listed: show them`;
    return h("button", { type: "button", class: "sg-line sg-gapline", ...pressed(() => void this.#load(first, last)) }, words);
  }

  async #load(first: number, last: number): Promise<void> {
    const view = this.#view;
    const since = Math.max(first, last - FETCHED + 1);
    try {
      const found = await this.fetch(since, last - since + 1);
      view?.fillIn(found.rows, found.first);
    } catch (error) {
      this.#note.textContent = (error as Error).message;
      return;
    }
    if (view && view === this.#view) this.update(view, false);
  }
}

function number(value: number): string {
  return value.toLocaleString("en");
}
