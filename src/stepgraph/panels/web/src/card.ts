/** The review card: why the run stopped, what would change, where it would go, and the verbs that are allowed. */
import { drawChange, drawEffect } from "./diff";
import { SMALL, breakable, button, div, fill, h, note, noteLine, span } from "./dom";
import { EditForm, confirmButtons } from "./edit";
import { FieldError, clearProblems, makeField } from "./form";
import { CommandError, type Link } from "./link";
import type { Card, Change, Effect, Problem, Writer } from "./model";

export const VERBS: Record<string, { label: string; key?: string; form: boolean }> = {
  approve: { label: "Approve", key: "a", form: false },
  edit: { label: "Edit…", key: "e", form: true },
  respond: { label: "Respond…", key: "r", form: true },
  reject: { label: "Reject…", key: "x", form: true },
  skip: { label: "Skip", key: "k", form: false },
  redirect: { label: "Redirect…", key: "t", form: true },
  rerun: { label: "Run again", key: "j", form: false },
  suspend: { label: "Suspend", form: false },
};
/** The verbs that mean the same whatever is shown. */
const RULED = ["approve", "reject", "skip", "redirect", "rerun"];
/** How it may go on after a rejection, besides the run's end. */
const THENS: Record<string, string> = { retry: "then run the task again", route: "then go to the error handler" };
const WORDS: Record<string, (card: Card) => string> = {
  plan: (card) => `planned for step ${card.step}`,
  before: (card) => `input of ${card.node}`,
  after: (card) => `proposed by ${card.node}`,
  edge: (card) => `where ${card.node} goes`,
  step: (card) => (unfit(card).length ? `step ${card.step} can't be put together` : `step ${card.step} together`),
  committed: (card) => `after step ${card.step}`,
  error: (card) => `${card.node} failed`,
  interrupt: (card) => `${card.node} asks`,
};
export interface CardActs {
  run(): string;
  /** The nodes to which one may go from a node. */
  nodes(path: string): string[];
  /** Declared targets of a node: those that always follow, and those that a router may choose. */
  targets(path: string): { always: string[]; maybe: string[] };
  done(): void;
  announce(text: string): void;
}

export class ReviewCard {
  readonly el = h("section", { class: "sg-card", "aria-label": "review" });
  armed: string | null = null;
  #cards: Card[] = [];
  #chosen: string | null = null;
  #drawn = "";
  #mode: string | null = null;
  #sent = false;
  #submit: (() => void) | null = null;
  #lasting = h("input", { type: "checkbox" });
  #act = div("sg-act");
  #then = div("sg-then");
  #verbs = h("div", { class: "sg-verbs", role: "toolbar", "aria-label": "decide" });
  #problem = h("div", { class: "sg-problem", role: "alert" });

  constructor(private link: Link, private acts: CardActs) {}

  get card(): Card | null {
    return this.#cards.find((each) => each.id === this.#chosen) ?? this.#cards[0] ?? null;
  }

  /** What is pending now. A form that is being filled in stays as long as its request does. */
  update(cards: Card[]): void {
    this.#cards = cards;
    const card = this.card;
    const state = card ? `${card.id} ${card.digest}` : "";
    if (state === this.#drawn) {
      if (card) this.#drawHead(card); // nothing under a pointer or cursor is replaced
      return;
    }
    this.#drawn = state;
    this.close();
    this.#sent = this.#lasting.checked = false;
    if (card) this.#draw(card);
    else fill(this.el);
  }

  choose(id: string): void {
    this.#chosen = id;
    this.update(this.#cards);
  }

  /** The next or previous pending request. */
  turn(by: number): void {
    const index = this.#cards.findIndex((each) => each.id === this.card?.id);
    const next = this.#cards[(index + by + this.#cards.length) % this.#cards.length];
    if (next) this.choose(next.id);
  }

  /** A letter was typed: forms open, plain verbs wait for Enter. */
  arm(verb: string): boolean {
    const card = this.card;
    if (!card?.allow.includes(verb) || this.#sent) return false;
    if (VERBS[verb]?.form || this.#asksMore(verb)) {
      this.#open(verb);
      return true;
    }
    this.close();
    this.armed = verb;
    this.#drawVerbs(card);
    this.acts.announce(`${VERBS[verb]?.label}: press Enter to confirm`);
    return true;
  }

  /** Enter, or Ctrl+Enter in a form. */
  confirm(): boolean {
    if (this.#submit) this.#submit();
    else if (this.armed) void this.#decide(this.armed, {});
    else return false;
    return true;
  }

  /** Close what is open; false if nothing was. */
  close(): boolean {
    const open = this.#mode !== null || this.armed !== null;
    this.#mode = this.armed = this.#submit = null;
    fill(this.#act);
    this.#problem.textContent = "";
    if (this.#verbs.isConnected) this.#verbs.after(this.#problem);
    const card = this.card;
    if (open && card) {
      this.#drawVerbs(card);
      this.#drawThen(card, null);
    }
    return open;
  }

  get editing(): boolean {
    return this.#mode !== null;
  }

  #draw(card: Card): void {
    const body = div("sg-cardbody", div("sg-changes", ...this.#content(card)), this.#then);
    fill(this.el, h("header", { class: "sg-cardhead" }), body, this.#verbs, this.#problem, this.#act);
    this.#drawHead(card);
    this.#drawThen(card, null);
    this.#drawVerbs(card);
    if (card.place === "interrupt") this.#open("respond", false);
  }

  #drawHead(card: Card): void {
    const index = this.#cards.indexOf(card);
    const several = this.#cards.length > 1 ? span("sg-several", button("‹", () => this.turn(-1), { class: SMALL, "aria-label": "previous request" }), `${index + 1} of ${this.#cards.length} waiting`, button("›", () => this.turn(1), { class: SMALL, "aria-label": "next request" })) : null;
    const head = this.el.querySelector(".sg-cardhead");
    if (head) fill(head, h("strong", {}, ...breakable((WORDS[card.place] ?? (() => card.title))(card))), note(`${card.path !== card.node ? `${card.path} · ` : ""}request ${card.id} · step ${card.step}${card.index ? ` · task ${card.index + 1}` : ""}${card.changes.length > 1 ? ` · ${card.changes.length} keys` : ""}`), several);
  }

  #content(card: Card): HTMLElement[] {
    const parts: HTMLElement[] = [];
    if (card.question !== null) parts.push(h("blockquote", { class: "sg-question" }, card.question));
    if (card.error && !unfit(card).length) parts.push(div("sg-error", h("strong", {}, card.error.type), ` ${card.error.message}`), h("details", {}, h("summary", {}, "traceback"), h("pre", { class: "sg-pre" }, card.error.traceback)));
    if (card.error && card.place === "error" && !unfit(card).length) parts.push(h("details", {}, h("summary", {}, "input"), div("sg-input-view", ...drawInput(card))));
    parts.push(...card.changes.map((change) => drawChange(change, card.allow.includes("edit") ? (each, writer) => this.#take(each.key, writer) : undefined)));
    if (!parts.length && (card.place === "before" || card.place === "plan")) parts.push(div("sg-input-view", ...drawInput(card)));
    if (!parts.length) parts.push(noteLine(card.place === "after" ? "Nothing would be written." : card.place === "committed" ? "The step is saved; nothing else is proposed." : "No change is proposed here."));
    return parts;
  }

  /** The right column: where it goes from here; with an effect, where it would go after the edit. */
  #drawThen(card: Card, effect: Effect | null): void {
    const ends = !card.routes.length && (card.place === "edge" || card.place === "committed");
    const routes = !effect ? (ends ? ["__end__"] : card.routes) : effect.known && !effect.routes.length && this.#mayEnd(card) ? ["__end__"] : effect.routes;
    const lines: (HTMLElement | null)[] = [div("sg-thenhead", effect ? "then, with this edit" : "then")];
    for (const [key, value] of card.reads) lines.push(h("div", { class: "sg-read", title: value }, "reads ", h("code", {}, key), ` = ${value}`));
    if (routes.length) lines.push(h("div", {}, card.place === "plan" ? "runs: " : "next: ", h("strong", {}, routes.map(plain).join(", "))));
    const others = card.alternatives.filter((each) => !routes.includes(each));
    if (routes.length && others.length) lines.push(noteLine(`not: ${others.map(plain).join(", ")}`));
    if (!routes.length && card.alternatives.length) lines.push(noteLine(`may go to: ${card.alternatives.map(plain).join(", ")}`));
    if (!effect && !routes.length && (card.place === "after" || card.place === "before")) lines.push(...this.#declared(card));
    if (effect?.trouble) lines.push(h("div", { class: "sg-trouble" }, `a router can't handle this edit: ${effect.trouble}`));
    else if (effect && !effect.known) lines.push(noteLine("where it goes can't be told before"));
    if (effect?.reruns_router) lines.push(noteLine("the router runs again: the edit changes what it read"));
    const proposed = new Map(card.changes.map((change) => [change.key, JSON.stringify(change.diff)]));
    const result = JSON.stringify(effect?.changes.find((change) => change.key === "__end__")?.diff);
    const other = effect?.changes.filter((change) => { const diff = JSON.stringify(change.diff); return proposed.get(change.key) !== diff && (change.key !== "__previous__" || diff !== result); }) ?? [];
    if (other.length) lines.push(div("sg-effect", ...other.map(drawEffect)));
    fill(this.#then, ...(lines.length > 1 ? lines : []));
  }

  /** Whether only routers decide what comes next, so that no route means the end. */
  #mayEnd(card: Card): boolean {
    const { always, maybe } = this.acts.targets(card.path);
    return maybe.length > 0 && always.length === 0;
  }

  #declared(card: Card): HTMLElement[] {
    const { always, maybe } = this.acts.targets(card.path);
    return [
      ...(always.length ? [h("div", {}, "next: ", h("strong", {}, always.map(plain).join(", ")))] : []),
      ...(maybe.length ? [h("div", {}, `may go to ${maybe.map(plain).join(" or ")}`), noteLine("the router runs after your decision")] : []),
    ];
  }

  #drawVerbs(card: Card): void {
    const verbs = card.allow.map((verb) => {
      const { label: word, key, form } = VERBS[verb] ?? { label: verb, form: false };
      const label = verb === "skip" && this.#asksMore(verb) ? `${word}…` : word;
      const act = () => (form || this.#asksMore(verb) ? this.#open(verb) : void this.#decide(verb, {}));
      const on = this.#mode === verb || this.armed === verb;
      return button(on && this.armed === verb ? `${label} — Enter` : label, act, { key, class: `sg-button${verb === card.allow[0] ? " sg-primary" : ""}`, "aria-pressed": on ? "true" : null, disabled: this.#sent, "data-verb": verb, "aria-label": label.replace("…", "") });
    });
    const lasting = card.stop && card.allow.some((verb) => RULED.includes(verb)) ? h("label", { class: "sg-check sg-lasting", title: "what this stop asks here later in the run is decided in the same way: approve, reject, skip, redirect or run again" }, this.#lasting, h("span", {}, "for the rest of the run")) : null;
    fill(this.#verbs, ...verbs, lasting, this.#sent ? note("sent…") : null);
  }

  #open(verb: string, focus = true): void {
    const card = this.card;
    if (!card || this.#sent) return;
    if (this.#mode === verb) { this.close(); return; }
    this.close();
    this.#mode = verb;
    this.#drawVerbs(card);
    if (verb === "edit") void this.#openEdit(card, focus);
    else if (verb === "reject") this.#openReject(card);
    else if (verb === "redirect") this.#openRedirect(card);
    else if (verb === "skip" && card.tasks.length > 1) this.#openSkip(card);
    else if (verb === "respond") this.#openRespond(card, focus);
    else this.#form(h("div", {}), VERBS[verb]?.label ?? verb, () => this.#decide(verb, {}), true);
  }

  /** Whether even a plain verb needs a form: its policy wants to know why, or it is about some of several tasks. */
  #asksMore(verb: string): boolean {
    const card = this.card;
    return (Boolean(card?.reason) && verb !== "suspend") || (verb === "skip" && (card?.tasks.length ?? 0) > 1);
  }

  /** Edit, beginning with what one task wrote to a key and nothing of the others. */
  #take(key: string, writer: Writer): void {
    const card = this.card;
    if (!card || this.#sent) return;
    this.close();
    this.#mode = "edit";
    this.#drawVerbs(card);
    void this.#openEdit(card, true, { [key]: writer.task });
  }

  /** Which tasks' updates are dropped. */
  #openSkip(card: Card): void {
    const boxes = card.tasks.map(() => h("input", { type: "checkbox" }));
    const form = h("div", { class: "sg-form sg-targets", role: "group", "aria-label": "drop the updates of" }, note("drop the updates of"), ...card.tasks.map(([, address], i) => h("label", { class: "sg-check" }, boxes[i]!, h("span", {}, address))));
    this.#form(form, "Skip", async () => {
      const value = card.tasks.filter((_, i) => boxes[i]!.checked).map(([id]) => id);
      if (!value.length) { this.#problem.textContent = "Tick the tasks whose updates are dropped."; return; }
      await this.#decide("skip", { value });
    }, card.reason);
    boxes[0]?.focus();
  }

  async #openEdit(card: Card, focus: boolean, taken: Record<string, string> = {}): Promise<void> {
    const value = card.lazy ? await this.link.ask("proposal", { run: this.acts.run(), request: card.id }) : card.value;
    if (this.#mode !== "edit" || this.card?.id !== card.id) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const preview = () => { clearTimeout(timer); timer = setTimeout(() => void this.#preview(card, form), 250); };
    const form: EditForm = new EditForm({ schema: card.schema, value, results: card.results, writers: Object.fromEntries(unfit(card).map((change) => [change.key, change.writers!])), taken, input: card.place === "before" || card.place === "error" }, preview);
    this.#form(form.el, "Apply edit", async () => {
      if (!form.dirty()) { this.#problem.textContent = "Nothing is changed yet. Approve keeps it as it is."; return; }
      await this.#decide("edit", { value: form.get() }, (problems) => form.show(problems));
    }, card.reason);
    if (focus) form.focus();
  }

  async #preview(card: Card, form: EditForm): Promise<void> {
    try {
      const value = form.get();
      const effect = (await this.link.ask("preview", { run: this.acts.run(), request: card.id, value })) as Effect;
      if (this.#mode !== "edit" || this.card?.id !== card.id) return;
      form.show(effect.errors);
      this.#problem.textContent = "";
      this.#drawThen(card, effect.errors.length ? null : effect);
    } catch (error) {
      if (this.#sent || this.#mode !== "edit" || this.card?.id !== card.id) return; // it was decided meanwhile
      if (error instanceof FieldError) { form.show([]); error.field.fail([], error.message); }
      else if (error instanceof CommandError) this.#problem.textContent = error.message;
      else throw error;
    }
  }

  #openReject(card: Card): void {
    const reason = h("textarea", { class: "sg-input", rows: 2, "aria-label": "reason", placeholder: card.reason ? "why (required)" : "why (it is kept in the record)" });
    const then = h("select", { class: "sg-input sg-kind", "aria-label": "then" }, h("option", { value: "stop" }, "then stop the run"), ...card.thens.map((each) => h("option", { value: each }, THENS[each])));
    this.#form(div("sg-form", reason, card.thens.length ? then : null), "Reject", () => this.#decide("reject", { reason: reason.value, then: then.value }));
    reason.focus();
  }

  #openRedirect(card: Card): void {
    const known = [...new Set([...card.routes, ...card.alternatives, ...this.acts.nodes(card.path), "__end__"])].filter((each) => !each.includes("("));
    const boxes = known.map((name) => { const box = h("input", { type: "checkbox" }); box.checked = card.routes.includes(name); return box; });
    const form = h("div", { class: "sg-form sg-targets", role: "group", "aria-label": "go to" }, ...known.map((name, i) => h("label", { class: "sg-check" }, boxes[i]!, h("span", {}, plain(name)))));
    this.#form(form, "Redirect", () => this.#decide("redirect", { value: known.filter((_, i) => boxes[i]!.checked) }), card.reason);
    boxes[0]?.focus();
  }

  #openRespond(card: Card, focus: boolean): void {
    const schema = card.respond ?? card.schema;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = () => { clearTimeout(timer); timer = setTimeout(() => { this.#problem.textContent = ""; }, 100); };
    if (schema?.properties && card.answer !== null) {
      const form = new EditForm({ schema, value: card.answer, results: {} }, changed);
      this.#form(form.el, "Respond", () => this.#decide("respond", { value: form.get() }, (problems) => form.show(problems)), card.reason);
      if (focus) form.focus();
      return;
    }
    const asked = card.place === "interrupt";
    const field = makeField(schema ?? (asked ? { type: "string" } : null), schema ? undefined : asked ? "" : null, { root: schema ?? {}, changed }, "answer");
    const problems = (found: Problem[]) => { for (const each of found) field.fail(each.path, each.message); };
    this.#form(div("sg-form", field.el), "Respond", () => this.#decide("respond", { value: field.get() }, problems), card.reason);
    if (focus) field.el.querySelector<HTMLElement>("input, textarea, select")?.focus();
  }

  /** Show a form with its buttons; `send` may throw FieldError. */
  #form(content: HTMLElement, label: string, send: () => Promise<void>, asksReason = false): void {
    const reason = asksReason ? h("input", { class: "sg-input", "aria-label": "reason", placeholder: "reason (required)" }) : null;
    this.#reason = reason;
    this.#submit = () => {
      this.#problem.textContent = "";
      clearProblems(this.#act);
      if (reason && !reason.value.trim()) {
        this.#problem.textContent = "Say why: this gate wants a reason.";
        return reason.focus();
      }
      try {
        void send().catch(report);
      } catch (error) {
        report(error);
      }
    };
    const report = (error: unknown) => {
      if (error instanceof FieldError) error.field.fail([], error.message);
      else this.#problem.textContent = (error as Error).message;
    };
    fill(this.#act, content, reason, this.#problem, confirmButtons(label, () => this.#submit?.(), () => { this.close(); this.acts.done(); }));
    if (!content.firstChild) reason?.focus();
  }
  #reason: HTMLInputElement | null = null;

  async #decide(verb: string, more: Record<string, unknown>, problems?: (found: Problem[]) => void): Promise<void> {
    const card = this.card;
    if (!card || this.#sent) return;
    this.#sent = true;
    this.#drawVerbs(card);
    const reason = this.#mode === verb && this.#reason ? { reason: this.#reason.value } : {};
    try {
      await this.link.ask("decide", { run: this.acts.run(), request: card.id, verb, seen: card.digest, scope: this.#lasting.checked && RULED.includes(verb) ? "run" : "once", ...reason, ...more });
      this.acts.announce(`${verb}: done`);
      this.close();
      this.acts.done();
    } catch (error) {
      this.#sent = false;
      if (this.card?.id !== card.id) return;
      const marked = error instanceof CommandError && problems ? error.problems : [];
      problems?.(marked);
      this.#problem.textContent = marked.length ? `Not accepted: ${marked.length === 1 ? "one value is" : `${marked.length} values are`} marked above. Nothing was decided.` : (error as Error).message;
      this.#drawVerbs(card);
    }
  }
}

/** The keys whose updates can't be put together. */
function unfit(card: Card): Change[] {
  return card.changes.filter((change) => change.writers);
}

export function plain(target: string): string {
  return target === "__end__" ? "END" : target;
}

/** What a task gets: an object by its keys, anything else as one value; of what is too large to be sent, the beginnings. */
function drawInput(card: Card): HTMLElement[] {
  if (card.lazy) return card.beginnings.map(([key, text]) => drawPair(key || "input", text));
  if (typeof card.value !== "object" || card.value === null || (Array.isArray(card.value) && !fewObjects(card.value))) return [drawPair("input", card.value, 0, 2_000)];
  const pairs = Object.entries(card.value).map(([key, value]) => drawPair(key, value));
  return pairs.length ? pairs : [noteLine(card.place === "plan" ? "The state is empty." : "It gets nothing.")];
}

function fewObjects(items: unknown[]): boolean {
  return items.length > 0 && items.length <= MANY && items.every((each) => typeof each === "object" && each !== null && !Array.isArray(each));
}

const DEEP = 3;
const MANY = 12;

/** A key with its value: what a small object holds, or the last object of a list, stands below it and not as JSON. */
function drawPair(key: string, value: unknown, depth = 0, most = 300): HTMLElement {
  const last = Array.isArray(value) ? value.at(-1) : value;
  const inside = typeof last === "object" && last !== null && !Array.isArray(last) ? Object.entries(last).filter(([, each]) => each !== "") : [];
  const open = inside.length > 0 && inside.length <= MANY && depth < DEEP;
  const head = Array.isArray(value) && value.length > 1 ? noteLine(`${value.length} items, the last of them:`) : null;
  return div("sg-pair", h("code", {}, key), open ? div("sg-content", head, ...inside.map(([name, each]) => drawPair(name, each, depth + 1))) : span("sg-content", clip(value, most)));
}

function clip(value: unknown, most: number): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
