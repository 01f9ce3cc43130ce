/** The form of an edit: one field a key, an operation for keys with a reducer; only what was changed is sent. */
import { breakable, button, div, fill, h, mark, note } from "./dom";
import { nameOf } from "./diff";
import { type Context, type Field, FieldError, blank, clearProblems, failAt, makeField, mendField, same } from "./form";
import { type Problem, type Schema, type Writer, keyName } from "./model";

type Operation = "" | "$append" | "$set" | "$remove" | "$drop" | "$writes";
const NAMES: Record<Operation, string> = { "": "write", $append: "also append", $set: "replace the value by", $remove: "remove items", $drop: "write nothing", $writes: "write by write" };
/** The same of what a task gets. */
const INPUT: Partial<Record<Operation, string>> = { "": "give", $drop: "leave out" };
export interface Subject {
  schema: Schema | null;
  value: unknown;
  /** Keys with a reducer, and the value that each would have. */
  results: Record<string, unknown>;
  /** Keys whose updates can't be put together, so that they have to be edited, and who wrote what. */
  writers?: Record<string, Writer[]>;
  /** Of such a key: the one task whose update is taken to begin with. */
  taken?: Record<string, string>;
  /** Whether it is what a task gets, and not what it writes. */
  input?: boolean;
}

interface Row { key: string; el: HTMLElement; get(): unknown; changed(): boolean; fail(path: (string | number)[], message: string): void }

export class EditForm {
  readonly el = div("sg-form");
  #rows: Row[] = [];
  #whole: Field | null = null;
  #context: Context;
  #list = div("sg-keys");

  constructor(private subject: Subject, changed: () => void) {
    const schema = subject.schema ?? {};
    this.#context = { root: schema, changed };
    const { value } = subject;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.#whole = makeField(subject.schema, value, this.#context, "value");
      this.el.append(this.#whole.el);
      return;
    }
    const given = value as Record<string, unknown>;
    for (const key of Object.keys(given)) this.#add(key, given[key]);
    this.el.append(this.#list);
    const more = Object.keys(this.#properties()).filter((key) => !(key in given));
    if (more.length) this.el.append(this.#adder(more));
  }

  /** The edit: changed keys only. Throws FieldError where a text is no JSON. */
  get(): unknown {
    if (this.#whole) return this.#whole.get();
    return Object.fromEntries(this.#rows.filter((row) => row.changed()).map((row) => [row.key, row.get()]));
  }

  /** Whether there is anything to send. */
  dirty(): boolean {
    try {
      return this.#whole ? !same(this.#whole.get(), this.subject.value) : this.#rows.some((row) => row.changed());
    } catch (error) {
      if (error instanceof FieldError) return true;
      throw error;
    }
  }

  show(problems: Problem[]): void {
    clearProblems(this.el);
    for (const { path, message } of problems) {
      const row = this.#rows.find((each) => each.key === path[0]);
      if (row) row.fail(path.slice(1), message);
      else if (this.#whole) this.#whole.fail(path, message);
      else failAt(this.el, path.length ? `${path.join(".")}: ${message}` : message);
    }
  }

  focus(): void {
    this.el.querySelector<HTMLElement>("textarea, input, select:not(.sg-op)")?.focus();
  }

  #properties(): Record<string, Schema> {
    return (this.subject.schema?.properties as Record<string, Schema> | undefined) ?? {};
  }

  #add(key: string, proposed: unknown): void {
    const row = this.#row(key, proposed);
    this.#rows.push(row);
    this.#list.append(row.el);
  }

  #adder(keys: string[]): HTMLElement {
    const select = h("select", { class: "sg-input sg-kind", "aria-label": "another key" }, h("option", { value: "" }, "+ another key"), ...keys.map((key) => h("option", { value: key }, keyName(key))));
    select.addEventListener("change", () => {
      const key = select.value;
      if (!key) return;
      this.#add(key, undefined);
      select.selectedOptions[0]?.remove();
      select.value = "";
      this.#context.changed();
    });
    return select;
  }

  #row(key: string, proposed: unknown): Row {
    const schema = this.#properties()[key] ?? null;
    const reduced = key in this.subject.results;
    const operation = operationOf(proposed);
    const known = this.subject.writers?.[key] ?? null;
    const writers = known?.some((each) => each.lazy) ? null : known;
    const initial: Operation = writers ? "$writes" : operation?.[0] ?? "";
    const inner = operation ? operation[1] : proposed;
    let chosen = initial;
    let field: Field;
    const place = div("sg-keyfield");
    const make = () => {
      const base = chosen === initial || (writers && chosen === "$set" && !reduced) ? (proposed === undefined ? blank(schema, this.#context.root) : inner) : chosen === "$set" ? this.subject.results[key] : chosen === "$append" ? emptyLike(this.subject.results[key]) : inner;
      if (chosen === "$writes") field = writersField(writers!, this.subject.taken?.[key] ?? null, schema, this.#context);
      else field = chosen === "$drop" ? nothing(this.subject.input) : chosen === "$remove" ? picker(this.subject.results[key], this.#context) : makeField(schema, base, this.#context, key);
      fill(place, field.el);
    };
    const options: Operation[] = writers ? ["$writes", "$set", "$drop"] : reduced ? ["", "$append", "$set", "$remove", "$drop"] : ["", "$drop"];
    const select = h("select", { class: "sg-input sg-op", "aria-label": `what to do with ${key}` }, ...options.map((each) => h("option", { value: each }, (this.subject.input && INPUT[each]) || NAMES[each])));
    select.value = initial;
    const quiet = () => mark(select, "data-plain", select.value === "" ? "" : null);
    quiet();
    select.addEventListener("change", () => { chosen = select.value as Operation; quiet(); make(); this.#context.changed(); });
    make();
    return {
      key,
      el: h("div", { class: "sg-keyrow", "data-key": key }, div("sg-keyhead", h("code", {}, keyName(key)), select), place),
      get: () => (chosen === "" ? field.get() : { [chosen]: chosen === "$drop" ? true : field.get() }),
      changed: () => proposed === undefined || known !== null || chosen !== initial || !same(field.get(), inner),
      fail: (path, message) => field.fail(String(path[0] ?? "").startsWith("$") ? path.slice(1) : path, message),
    };
  }
}

/** What each of several tasks writes to one key, to be changed or left out. */
function writersField(writers: Writer[], taken: string | null, schema: Schema | null, context: Context): Field {
  const rows = writers.map((writer) => {
    const field = mendField(schema, writer.value, context, `what ${writer.task} writes`);
    const drop = h("input", { type: "checkbox", "aria-label": `drop what ${writer.task} writes` });
    drop.checked = taken !== null && writer.task !== taken;
    const el = div("sg-row", h("span", { class: "sg-name", title: writer.task }, ...breakable(nameOf(writer))), div("sg-writeredit", field.el, h("label", { class: "sg-check" }, drop, h("span", {}, "drop"))));
    const quiet = () => mark(el, "data-dropped", drop.checked ? "" : null);
    drop.addEventListener("change", () => { quiet(); context.changed(); });
    quiet();
    return { writer, field, drop, el };
  });
  const problem = h("div", { class: "sg-problem", role: "alert" });
  return {
    el: div("sg-object", ...rows.map((row) => row.el), problem),
    get: () => Object.fromEntries(rows.flatMap(({ writer, field, drop }) => {
      const value = drop.checked ? { $drop: true } : field.get();
      return same(value, writer.value) ? [] : [[writer.task, value]];
    })),
    fail: (path, message) => {
      const row = rows.find(({ writer }) => writer.task === path[0]);
      if (row) row.field.fail(path.slice(1), message);
      else fill(problem, message);
    },
  };
}

function operationOf(value: unknown): [Operation, unknown] | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  const [first] = entries;
  return entries.length === 1 && first && first[0] in NAMES && first[0] !== "" ? [first[0] as Operation, first[1]] : null;
}

function emptyLike(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return typeof value === "string" ? "" : typeof value === "number" ? 0 : typeof value === "object" ? {} : null;
}

function nothing(input = false): Field {
  const problem = h("div", { class: "sg-problem", role: "alert" });
  return { el: h("div", {}, note(input ? "it does not get this" : "this key keeps its value"), problem), get: () => true, fail: (_, message) => fill(problem, message) };
}

/** Tick what goes: items of a list, keys of an object. */
function picker(value: unknown, context: Context): Field {
  const items: [string, unknown][] = Array.isArray(value) ? value.map((each) => [typeof each === "string" ? each : JSON.stringify(each), each]) : Object.keys((value ?? {}) as object).map((key) => [key, key]);
  const boxes = items.map(() => h("input", { type: "checkbox" }));
  for (const box of boxes) box.addEventListener("change", context.changed);
  const problem = h("div", { class: "sg-problem", role: "alert" });
  return {
    el: div("sg-picker", ...items.map(([text], i) => h("label", { class: "sg-check" }, boxes[i]!, h("span", {}, text.slice(0, 120)))), problem),
    get: () => items.filter((_, i) => boxes[i]!.checked).map(([, each]) => each),
    fail: (_, message) => fill(problem, message),
  };
}

/** What may stand beside an edit. */
export function confirmButtons(label: string, confirm: () => void, cancel: () => void): HTMLElement {
  return div("sg-confirm", button(label, confirm, { class: "sg-button sg-primary", title: "Ctrl+Enter" }), button("Cancel", cancel, { title: "Esc" }));
}
