/** A list of objects as a table whose cells are edited in place; only the rows of one page are in the document. */
import { SMALL, button, div, fill, h, note } from "./dom";
import { type Context, type Field, blank, failAt, makeField, resolve, same, variantsOf } from "./form";
import type { Schema } from "./model";

const PAGE = 50;
type Item = Record<string, unknown>;
interface Line { initial: Item | null; cells: Map<string, Field> | null; problems: [(string | number)[], string][] }

/** `item` is the schema of a row, if there is one. */
export function tableField(item: Schema | null, rows: Item[], context: Context, label: string): Field {
  const kind = resolve(item ?? {}, context.root);
  const properties = (kind.properties as Record<string, Schema> | undefined) ?? {};
  const columns = [...new Set([...rows.slice(0, 500).flatMap((row) => Object.keys(row)), ...Object.keys(properties)])];
  const lines: Line[] = rows.map((initial) => ({ initial, cells: null, problems: [] }));
  const body = h("tbody");
  const pager = div("sg-pager");
  let first = 0;

  const cellsOf = (line: Line): Map<string, Field> =>
    (line.cells ??= new Map(columns.map((name) => [name, makeCell(properties[name], line.initial ? (line.initial[name] ?? null) : blank(properties[name], context.root), context, `${label} ${name}`)])));

  const draw = () => {
    first = Math.min(first, Math.max(0, Math.floor((lines.length - 1) / PAGE) * PAGE));
    const shown = lines.slice(first, first + PAGE);
    fill(body, ...shown.map((line, i) => drawLine(line, first + i)));
    const last = Math.min(lines.length, first + PAGE);
    fill(
      pager,
      button("+ row", () => { lines.push({ initial: null, cells: null, problems: [] }); first = lines.length - 1; draw(); context.changed(); }, { class: SMALL }),
      lines.length > PAGE ? button("◀", () => { first = Math.max(0, first - PAGE); draw(); }, { class: SMALL, "aria-label": "previous rows" }) : null,
      lines.length > PAGE ? note(`rows ${first}–${last - 1} of ${lines.length}`) : null,
      lines.length > PAGE ? button("▶", () => { if (first + PAGE < lines.length) { first += PAGE; draw(); } }, { class: SMALL, "aria-label": "next rows" }) : null,
    );
  };
  const drawLine = (line: Line, index: number): HTMLElement => {
    const cells = cellsOf(line);
    const remove = button("×", () => { lines.splice(lines.indexOf(line), 1); draw(); context.changed(); }, { class: SMALL, "aria-label": `remove row ${index}`, title: `remove row ${index}` });
    return h("tr", {}, h("th", { scope: "row" }, String(index)), ...columns.map((name) => h("td", {}, cells.get(name)!.el)), h("td", {}, remove));
  };
  const read = (line: Line): Item => {
    if (!line.cells) return line.initial ?? {};
    const now: Item = {};
    for (const [name, field] of line.cells) {
      const content = field.get();
      if (line.initial === null || name in line.initial || (content !== null && content !== "")) now[name] = content;
    }
    return line.initial !== null && same(now, line.initial) ? line.initial : now;
  };
  draw();
  const el = div("sg-rows",
    div("sg-scroll", h("table", { class: "sg-table sg-edit" }, h("thead", {}, h("tr", {}, h("th", {}, ""), ...columns.map((name) => h("th", { scope: "col" }, name)), h("th", {}, ""))), body)),
    pager,
  );
  return {
    el,
    get: () => { const now = lines.map(read); return same(now, rows) ? rows : now; },
    fail: (path, message) => {
      const index = Number(path[0]);
      const line = lines[index];
      if (!line) return failAt(el, message);
      if (index < first || index >= first + PAGE) { first = Math.floor(index / PAGE) * PAGE; draw(); }
      const cell = cellsOf(line).get(String(path[1]));
      if (cell) cell.fail(path.slice(2), message);
      else failAt(el, `row ${index}: ${message}`);
    },
  };
}

/** In a table a nullable text or number is one box, where empty means none, and so is a choice of texts and numbers. */
function makeCell(schema: Schema | undefined, value: unknown, context: Context, label: string): Field {
  const variants = (schema ? variantsOf(resolve(schema, context.root)) : null)?.map((each) => resolve(each, context.root)) ?? [];
  const kinds = new Set(variants.map((each) => (each.enum || "const" in each ? "other" : String(each.type))));
  if (kinds.size < 2 || ![...kinds].every((kind) => ["null", "string", "number", "integer"].includes(kind))) return makeField(schema, value, context, label);
  const [first, ...more] = variants.filter((each) => each.type !== "null");
  if (more.length) return scalarCell(kinds, value, context, label);
  const field = makeField(first, value, context, label);
  return { ...field, get: () => { const content = field.get(); return content === "" && value !== "" ? null : content; } };
}

/** Numbers stay numbers; other values become numbers only if they are written as numbers are. */
function scalarCell(kinds: Set<string>, value: unknown, context: Context, label: string): Field {
  const text = value === null || value === undefined ? "" : String(value);
  const field = makeField({ type: "string" }, text, context, label);
  return {
    ...field,
    get: () => {
      const now = String(field.get());
      if (now === text) return value ?? null;
      if (now.trim() === "") return kinds.has("null") ? null : now;
      const number = Number(now);
      const numeric = (kinds.has("number") || kinds.has("integer")) && Number.isFinite(number) && (typeof value === "number" || !kinds.has("string") || String(number) === now);
      return numeric ? number : now;
    },
  };
}
