/** A form made from a JSON Schema and a value. It only collects: the kernel judges, and its words appear at the field. */
import { SMALL, button, div, fill, h, note, noteLine, span } from "./dom";
import type { Problem, Schema } from "./model";
import { tableField } from "./table";

/** One part of a form. `get` gives back the very value it was made with unless somebody changed it. */
export interface Field {
  el: HTMLElement;
  get(): unknown;
  /** Show a problem at the innermost field of `path`. */
  fail(path: (string | number)[], message: string): void;
}
export interface Context { root: Schema; changed(): void }

/** What a text box holds that is no JSON. */
export class FieldError extends Error {
  constructor(readonly field: Field, message: string) {
    super(message);
  }
}

/** The field for `schema`; without one, what the value itself suggests. */
export function makeField(schema: Schema | null | undefined, value: unknown, context: Context, label = ""): Field {
  const kind = resolve(schema ?? {}, context.root);
  if (isOpaque(value)) return readOnly(String((value as { $repr: string }).$repr));
  const variants = variantsOf(kind);
  if (variants) return unionField(variants, value, context, label);
  if (Array.isArray(kind.enum)) return choiceField(kind.enum, value, context, label);
  if ("const" in kind) return choiceField([kind.const], value, context, label);
  switch (kind.type ?? typeOf(value)) {
    case "string": return textField(typeof value === "string" ? value : "", value, context, label);
    case "integer":
    case "number": return numberField(value, context, label);
    case "boolean": return boolField(value, context, label);
    case "array": return arrayField(kind, value, context, label);
    case "object": return objectField(kind, value, context, label);
    default: return jsonField(value, context, label);
  }
}

/** The same for a value that may be of another type than the schema says: as JSON then, so that it can be mended. */
export function mendField(schema: Schema | null, value: unknown, context: Context, label: string): Field {
  const kind = resolve(schema ?? {}, context.root);
  const kinds = variantsOf(kind) ?? [kind];
  return kinds.some((each) => fits(resolve(each, context.root), value, context.root)) ? makeField(schema, value, context, label) : jsonField(value, context, label);
}

/** Follow `$ref` and single `allOf`; what stands beside them wins. */
export function resolve(schema: Schema, root: Schema): Schema {
  let found = schema;
  for (let depth = 0; depth < 20; depth++) {
    const reference = found.$ref;
    const all = found.allOf;
    if (typeof reference === "string" && reference.startsWith("#/")) {
      let target: unknown = root;
      for (const part of reference.slice(2).split("/")) target = (target as Schema | undefined)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")];
      const { $ref: _, ...beside } = found;
      found = { ...((target as Schema | undefined) ?? {}), ...beside };
    } else if (Array.isArray(all) && all.length === 1) {
      const { allOf: _, ...beside } = found;
      found = { ...(all[0] as Schema), ...beside };
    } else return found;
  }
  return found;
}

/** A value to start with where there is none. */
export function blank(schema: Schema | null | undefined, root: Schema, depth = 0): unknown {
  const kind = resolve(schema ?? {}, root);
  if ("default" in kind) return kind.default;
  if ("const" in kind) return kind.const;
  if (Array.isArray(kind.enum)) return kind.enum[0];
  const variants = variantsOf(kind);
  if (variants) return variants.some((each) => each.type === "null") ? null : blank(variants[0], root, depth + 1);
  switch (kind.type) {
    case "string": return "";
    case "integer":
    case "number": return 0;
    case "boolean": return false;
    case "array": return [];
    case "object": {
      if (depth > 6) return {};
      const required = new Set((kind.required as string[] | undefined) ?? []);
      const properties = Object.entries((kind.properties as Record<string, Schema> | undefined) ?? {});
      return Object.fromEntries(properties.filter(([name]) => required.has(name)).map(([name, each]) => [name, blank(each, root, depth + 1)]));
    }
    default: return null;
  }
}

/** The members of a union, or null if it is none. */
export function variantsOf(kind: Schema): Schema[] | null {
  const listed = kind.anyOf ?? kind.oneOf;
  if (Array.isArray(listed) && listed.length) return listed as Schema[];
  if (Array.isArray(kind.type)) return (kind.type as string[]).map((type) => ({ ...kind, type }));
  return null;
}

export function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "any";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

function isOpaque(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 1 && "$repr" in value;
}

/** The frame of every leaf: control, and room for what is wrong with it. */
function framed(control: HTMLElement, get: () => unknown): Field {
  const problem = h("div", { class: "sg-problem", role: "alert" });
  const el = div("sg-field", control, problem);
  return {
    el,
    get,
    fail(_path, message) {
      fill(problem, problem.textContent ? `${problem.textContent}; ${message}` : message);
      el.setAttribute("data-wrong", "");
    },
  };
}

function readOnly(text: string): Field {
  const initial = { $repr: text };
  return framed(h("code", { class: "sg-readonly", title: "This object has no JSON form, so it can't be edited here." }, text), () => initial);
}

function textField(text: string, initial: unknown, context: Context, label: string): Field {
  const long = text.length > 60 || text.includes("\n");
  const control = long ? h("textarea", { class: "sg-input", "aria-label": label, rows: Math.min(12, Math.max(2, Math.ceil(text.length / 70) + text.split("\n").length - 1)), spellcheck: "false" })
    : h("input", { class: "sg-input", type: "text", "aria-label": label, spellcheck: "false" });
  control.value = text;
  control.addEventListener("input", context.changed);
  return framed(control, () => (control.value === text ? initial : control.value));
}

function numberField(value: unknown, context: Context, label: string): Field {
  const shown = value === null || value === undefined ? "" : String(value);
  const control = h("input", { class: "sg-input sg-number", type: "text", inputmode: "decimal", "aria-label": label });
  control.value = shown;
  control.addEventListener("input", context.changed);
  return framed(control, () => {
    const text = control.value.trim();
    if (text === shown) return value;
    const number = Number(text);
    return text === "" || !Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number)) ? text : number;
  });
}

function boolField(value: unknown, context: Context, label: string): Field {
  const control = h("input", { type: "checkbox", "aria-label": label });
  control.checked = value === true;
  const word = h("span", {}, value === true ? "true" : "false");
  control.addEventListener("change", () => { word.textContent = String(control.checked); context.changed(); });
  return framed(h("label", { class: "sg-check" }, control, word), () => control.checked);
}

function choiceField(choices: unknown[], value: unknown, context: Context, label: string): Field {
  const known = choices.some((each) => same(each, value));
  const all = known || value === undefined ? choices : [value, ...choices];
  const control = h("select", { class: "sg-input", "aria-label": label }, ...all.map((each, i) => h("option", { value: i }, typeof each === "string" ? each : JSON.stringify(each))));
  control.selectedIndex = Math.max(0, all.findIndex((each) => same(each, value)));
  control.addEventListener("change", context.changed);
  return framed(control, () => all[control.selectedIndex]);
}

/** Any JSON, as text. */
function jsonField(value: unknown, context: Context, label: string): Field {
  const text = value === undefined ? "null" : JSON.stringify(value, null, 2);
  const control = h("textarea", { class: "sg-input sg-json", "aria-label": label || "JSON", rows: Math.min(14, Math.max(1, text.split("\n").length)), spellcheck: "false" });
  control.value = text;
  control.addEventListener("input", context.changed);
  const field: Field = framed(h("div", {}, control, noteLine("JSON")), () => {
    if (control.value === text) return value ?? null;
    try {
      return JSON.parse(control.value);
    } catch (error) {
      throw new FieldError(field, `This is no JSON: ${(error as Error).message}`);
    }
  });
  return field;
}

function unionField(variants: Schema[], value: unknown, context: Context, label: string): Field {
  const kinds = variants.map((each) => resolve(each, context.root));
  const names = kinds.map((kind, i) => (kind.type === "null" ? "none" : String(kind.title ?? kind.type ?? `form ${i + 1}`)));
  let chosen = Math.max(0, kinds.findIndex((kind) => fits(kind, value, context.root)));
  let inner: Field;
  const place = div("sg-variant");
  const draw = (content: unknown) => {
    inner = kinds[chosen]!.type === "null" ? framed(note("no value"), () => null) : makeField(kinds[chosen], content, context, label);
    fill(place, inner.el);
  };
  const control = h("select", { class: "sg-input sg-kind", "aria-label": `${label} kind` }, ...names.map((name, i) => h("option", { value: i }, name)));
  control.selectedIndex = chosen;
  control.addEventListener("change", () => {
    chosen = control.selectedIndex;
    draw(fits(kinds[chosen]!, value, context.root) ? value : blank(kinds[chosen], context.root));
    context.changed();
  });
  draw(value);
  return { el: div("sg-union", control, place), get: () => inner.get(), fail: (path, message) => inner.fail(path, message) };
}

/** Whether a value looks like a member of the union: by type, then by required and constant properties. */
function fits(kind: Schema, value: unknown, root: Schema): boolean {
  if (Array.isArray(kind.enum)) return kind.enum.some((each) => same(each, value));
  if ("const" in kind) return same(kind.const, value);
  if (kind.type === "null") return value === null;
  if (kind.type === "integer") return Number.isInteger(value);
  if (kind.type === "object") {
    if (typeOf(value) !== "object") return false;
    const given = value as Record<string, unknown>;
    const properties = (kind.properties as Record<string, Schema> | undefined) ?? {};
    return ((kind.required as string[] | undefined) ?? []).every((name) => name in given)
      && Object.entries(properties).every(([name, each]) => !(name in given) || !("const" in resolve(each, root)) || same(resolve(each, root).const, given[name]));
  }
  return kind.type === undefined || kind.type === typeOf(value);
}

function arrayField(kind: Schema, value: unknown, context: Context, label: string): Field {
  const items = Array.isArray(value) ? value : [];
  const item = (kind.items as Schema | undefined) ?? null;
  if (items.length && items.every((each) => typeOf(each) === "object" && !isOpaque(each))) return tableField(item, items, context, label);
  return listField(item, items, context, label);
}

const LIST_PAGE = 30;

/** A list whose items can be changed, added and removed; only one page of them is in the document. */
function listField(item: Schema | null, items: unknown[], context: Context, label: string): Field {
  const entries: { initial: unknown; field: Field | null }[] = items.map((initial) => ({ initial, field: null }));
  const list = div("sg-list");
  const pager = div("sg-pager");
  let first = 0;
  const fieldAt = (index: number): Field => (entries[index]!.field ??= makeField(item, entries[index]!.initial, context, `${label} item ${index}`));
  const turn = (to: number) => { first = Math.max(0, to); draw(); };
  const draw = () => {
    const last = Math.min(entries.length, first + LIST_PAGE);
    const remove = (index: number) => button("×", () => { entries.splice(index, 1); turn(Math.min(first, entries.length - 1)); context.changed(); }, { class: SMALL, title: `remove item ${index}`, "aria-label": `remove item ${index}` });
    fill(list, ...entries.slice(first, last).map((_, i) => div("sg-item", span("sg-index", String(first + i)), fieldAt(first + i).el, remove(first + i))));
    const many = entries.length > LIST_PAGE;
    fill(
      pager,
      button("+ item", () => { entries.push({ initial: item ? blank(item, context.root) : typeof items[0] === "number" ? 0 : "", field: null }); turn(Math.floor((entries.length - 1) / LIST_PAGE) * LIST_PAGE); context.changed(); }, { class: SMALL }),
      many ? button("◀", () => turn(first - LIST_PAGE), { class: SMALL, "aria-label": "previous items" }) : null,
      many ? note(`items ${first}–${last - 1} of ${entries.length}`) : null,
      many ? button("▶", () => { if (last < entries.length) turn(last); }, { class: SMALL, "aria-label": "next items" }) : null,
    );
  };
  draw();
  return {
    el: div("sg-array", list, pager),
    get: () => { const now = entries.map((entry) => (entry.field ? entry.field.get() : entry.initial)); return same(now, items) ? items : now; },
    fail: (path, message) => {
      const index = Number(path[0]);
      if (!path.length || !entries[index]) return failAt(list, message);
      if (index < first || index >= first + LIST_PAGE) turn(Math.floor(index / LIST_PAGE) * LIST_PAGE);
      fieldAt(index).fail(path.slice(1), message);
    },
  };
}

function objectField(kind: Schema, value: unknown, context: Context, label: string): Field {
  const given = typeOf(value) === "object" ? (value as Record<string, unknown>) : {};
  const properties = (kind.properties as Record<string, Schema> | undefined) ?? {};
  const names = [...new Set([...Object.keys(given), ...Object.keys(properties)])];
  if (!names.length) return jsonField(value ?? {}, context, label);
  const extra = typeof kind.additionalProperties === "object" ? (kind.additionalProperties as Schema) : null;
  const fields = new Map(names.map((name) => [name, makeField(properties[name] ?? extra, name in given ? given[name] : blank(properties[name], context.root), context, name)]));
  const untouched = new Map(names.map((name) => [name, snapshot(fields.get(name)!)]));
  const rows = names.map((name) => div("sg-row", h("span", { class: "sg-name", title: String(properties[name]?.description ?? "") }, name), fields.get(name)!.el));
  const el = h("div", { class: "sg-object", role: "group", "aria-label": label }, ...rows);
  return {
    el,
    get: () => {
      const now: Record<string, unknown> = {};
      for (const [name, field] of fields) {
        const content = field.get();
        if (name in given || !same(content, untouched.get(name))) now[name] = content;
      }
      return value !== undefined && same(now, given) ? value : now;
    },
    fail: (path, message) => { const field = fields.get(String(path[0])); if (field) field.fail(path.slice(1), message); else failAt(el, message); },
  };
}

function snapshot(field: Field): unknown {
  return field.get();
}

export function failAt(element: HTMLElement, message: string): void {
  element.append(h("div", { class: "sg-problem", role: "alert" }, message));
}

/** Put each problem at its field; returns those that no field could take. */
export function showProblems(field: Field, problems: Problem[]): void {
  for (const problem of problems) field.fail(problem.path, problem.message);
}

/** Remove what was shown as wrong. */
export function clearProblems(element: HTMLElement): void {
  for (const each of element.querySelectorAll(".sg-problem")) each.textContent = "";
  for (const each of element.querySelectorAll("[data-wrong]")) each.removeAttribute("data-wrong");
}
