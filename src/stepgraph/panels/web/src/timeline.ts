/** The time line: one tick a superstep, marks for decisions, forks and stops that would have hit; only what fits is drawn. */
import { button, div, fill, h, note, pressed, span } from "./dom";
import type { Branch, Step } from "./model";

export interface Moment { steps: Step[]; at: number | null; live: number; held: boolean; branches: Branch[]; run: string; stops: Map<string, string> }
export interface TimeActs { go(at: number | null): void; fork(): void; branch(id: string): void }
/** Pixels beside the ticks: the buttons, the mark of what is stopped, and dots where there is more. */
const BESIDE = 260;

export class Timeline {
  readonly el: HTMLElement;
  #track = h("div", { class: "sg-track", role: "listbox", "aria-label": "steps" });
  #controls: HTMLButtonElement[];
  #drawn = "";
  #moment: Moment | null = null;

  constructor(private acts: TimeActs) {
    this.#controls = [
      button("|◀", () => this.jump("first"), { "aria-label": "first step", title: "Home" }),
      button("◀", () => this.jump("back"), { "aria-label": "step back", title: "[" }),
      button("▶", () => this.jump("forward"), { "aria-label": "step forward", title: "]" }),
      button("▶|", () => this.jump("live"), { "aria-label": "live", title: "End" }),
    ];
    const [first, back, forward, live] = this.#controls;
    this.el = div("sg-timeline", first, back, this.#track, forward, live);
  }

  update(moment: Moment): void {
    this.#moment = moment;
    const { steps, at, branches, run } = moment;
    const [first, back, forward, live] = this.#controls;
    const here = this.#position();
    first!.disabled = back!.disabled = !steps.length || here <= 0;
    forward!.disabled = live!.disabled = at === null;
    const width = Math.max(30, 8 * String(steps.at(-1)?.[0] ?? 0).length + 12);
    const room = Math.max(4, Math.floor(((this.el.clientWidth || 600) - BESIDE) / width));
    const start = Math.max(0, Math.min(here - Math.floor(room / 2), steps.length - room));
    const shown = steps.slice(start, start + room);
    const forks = new Map<number, Branch[]>();
    for (const branch of branches) if (branch.parent?.[0] === run) forks.set(branch.parent[1], [...(forks.get(branch.parent[1]) ?? []), branch]);
    const state = JSON.stringify([shown, at, start, moment.live, moment.held, [...forks.entries()].map(([step, found]) => [step, found.length])]);
    if (state === this.#drawn) return;
    this.#drawn = state;
    const before = start ? h("span", { class: "sg-note", title: `${start} earlier steps` }, "…") : null;
    const after = start + room < steps.length ? note("…") : null;
    const now = moment.held ? h("span", { class: "sg-tick sg-now", title: "stopped inside the next step" }, "◆") : null;
    fill(this.#track, before, ...shown.map((step) => this.#tick(step, step[0] === this.#current(), forks.get(step[0]) ?? [])), after, at === null && !after ? now : null);
  }

  /** Where the arrow buttons and keys lead. */
  jump(where: "first" | "back" | "forward" | "live" | "mark-back" | "mark-forward"): void {
    const moment = this.#moment;
    if (!moment?.steps.length) return;
    const { steps } = moment;
    const here = this.#position();
    const marked = (index: number) => Boolean(steps[index]?.[4].length || steps[index]?.[5].length);
    let next = here;
    if (where === "first") next = 0;
    else if (where === "live") return this.acts.go(null);
    else if (where === "back") next = here - 1;
    else if (where === "forward") next = here + 1;
    else for (const step = where === "mark-back" ? -1 : 1; ; ) { next += step; if (next < 0 || next >= steps.length || marked(next)) break; }
    if (next >= steps.length) return this.acts.go(null);
    const found = steps[Math.max(0, next)];
    if (found) this.acts.go(found[0]);
  }

  /** Index of the looked-at step; one past the end when live inside a step. */
  #position(): number {
    const moment = this.#moment!;
    if (moment.at === null) return moment.held ? moment.steps.length : moment.steps.length - 1;
    return moment.steps.findIndex((step) => step[0] === moment.at);
  }

  #current(): number | null {
    const moment = this.#moment!;
    return moment.at ?? (moment.held ? null : (moment.steps.at(-1)?.[0] ?? null));
  }

  #tick([step, nodes, , source, decisions, hits]: Step, current: boolean, forks: Branch[]): HTMLElement {
    const marks = decisions.length ? "☺" : hits.length ? "◇" : "";
    const told = [
      nodes.join(", ") || (step <= 0 ? "input" : source),
      decisions.length ? `decided: ${decisions.join(", ")}` : "",
      hits.length ? `would have hit: ${hits.map((id) => this.#moment!.stops.get(id) ?? id).join(", ")}` : "",
    ].filter(Boolean).join("\n");
    const tick = h("button", { type: "button", class: "sg-tick", role: "option", "aria-selected": String(current), "aria-label": `step ${step}: ${told}`, title: `step ${step}\n${told}`, "data-source": source, ...pressed(() => this.acts.go(step)) },
      h("span", { class: "sg-marks", "aria-hidden": "true" }, marks), String(step));
    const branches = forks.map((branch) => h("button", { type: "button", class: "sg-forkmark", title: `branch ${branch.branch}${branch.note ? `: ${branch.note}` : ""}`, "aria-label": `branch ${branch.branch}`, ...pressed(() => this.acts.branch(branch.id)) }, "⎇"));
    return span("sg-tickbox", tick, ...branches);
  }
}
