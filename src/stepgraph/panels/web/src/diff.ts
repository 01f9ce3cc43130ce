/** Before → after as elements: words in a text, rows of a table, paths in a structure. */
import { SMALL, breakable, button, div, h, note, noteLine, span } from "./dom";
import { type Change, type Diff, type PathChange, type RowChange, type Segment, type Writer, keyName } from "./model";

/** One key of a proposed update: its name, its reducer, and what changes. */
export function drawChange(change: Change, take?: (change: Change, writer: Writer) => void): HTMLElement {
  return framed(change, change.writers ? drawWriters(change, change.writers, take) : drawDiff(change.diff));
}

/** The task without its superstep, which is that of all of them. */
export function nameOf(writer: Writer): string {
  return writer.task.split("@")[0]!;
}

/** Several writes that can't be put together: who wrote what, each with a way to take it alone. */
function drawWriters(change: Change, writers: Writer[], take?: (change: Change, writer: Writer) => void): HTMLElement {
  const taken = (writer: Writer) => (take && !writer.lazy ? button("Take this…", () => take(change, writer), { class: SMALL, "aria-label": `take what ${writer.task} wrote` }) : null);
  return div("sg-writers",
    ...writers.map((writer) => div("sg-writer", h("code", { class: "sg-where", title: writer.task }, ...breakable(nameOf(writer))), h("span", { class: "sg-content", title: writer.text }, writer.text), taken(writer))),
    div("sg-problem", change.problem ?? ""),
  );
}

/** The same beside a form, where there is little room: of a table only how many rows it is about. */
export function drawEffect(change: Change): HTMLElement {
  const { diff } = change;
  return diff.kind === "rows" ? framed(change, noteLine(counted(diff))) : drawChange(change);
}

function counted({ total: [before, after], changed }: Rows): string {
  if (before === after) return `${changed} of ${after} rows change`;
  return before ? `${before} → ${after} rows` : `${after} ${after === 1 ? "row" : "rows"} added`;
}

function framed(change: Change, body: HTMLElement): HTMLElement {
  const notes = [
    change.added !== null ? `+${change.added}` : null,
    change.reducer ? `through ${change.reducer}` : null,
    change.missing ? "new" : null,
    change.also,
    change.by?.length ? `by ${change.by.join(", ")}` : null,
  ].filter(Boolean);
  return h(
    "div",
    { class: "sg-change", "data-key": change.key },
    div("sg-key", h("code", {}, keyName(change.key)), notes.length ? note(notes.join(" · ")) : null),
    div("sg-diff", body),
  );
}

export function drawDiff(diff: Diff): HTMLElement {
  switch (diff.kind) {
    case "text":
      return drawText(diff.segments);
    case "rows":
      return drawRows(diff);
    case "paths":
      return div("sg-paths",
        ...diff.paths.map(drawPath),
        diff.more ? noteLine(`and ${diff.more} more changes`) : null,
      );
    case "value":
      return drawValue(diff.old, diff.new);
  }
}

/** Old and new in one flow of text; two blocks where nothing is common. */
function drawText(segments: Segment[]): HTMLElement {
  const common = segments.some(([sign, text]) => sign === "=" && text.trim());
  if (!common) {
    const part = (sign: string) => segments.filter((each) => each[0] === sign).map((each) => each[1]).join("");
    return drawValue(part("-"), part("+"));
  }
  return div("sg-text", ...segments.map(drawSegment));
}

function drawSegment([sign, text]: Segment): Node {
  if (sign === "-") return h("del", {}, text);
  if (sign === "+") return h("ins", {}, text);
  return document.createTextNode(text);
}

function drawValue(old: string | null | undefined, fresh: string | null | undefined): HTMLElement {
  if (old !== null && old !== undefined && old === fresh) return div("sg-value", span("sg-same", old), note("unchanged"));
  const before = old === null || old === undefined ? null : h("del", { class: "sg-old" }, old === "" ? "(empty)" : old);
  const after = fresh === null || fresh === undefined ? note("removed") : h("ins", { class: "sg-new" }, fresh === "" ? "(empty)" : fresh);
  return div("sg-value", before, before ? h("span", { class: "sg-arrow", "aria-label": "becomes" }, "→") : null, after);
}

function drawPath(change: PathChange): HTMLElement {
  const content = change.segments ? drawText(change.segments) : drawValue(change.old, change.new);
  return div("sg-path", h("code", { class: "sg-where" }, change.path.join(" › ")), content);
}

type Rows = Extract<Diff, { kind: "rows" }>;

function drawRows(diff: Rows): HTMLElement {
  const touched = diff.columns.map((_, column) => diff.rows.some((row) => row.sign !== "~" || (row.cells[column]?.length ?? 0) > 1));
  const table = h(
    "table",
    { class: "sg-table" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, ""), ...diff.columns.map((name, i) => h("th", { scope: "col", "data-touched": touched[i] }, name)))),
    h("tbody", {}, ...diff.rows.map(drawRow)),
  );
  return div("sg-rows",
    diff.rows.length ? h("div", { class: "sg-scroll", tabindex: -1 }, table) : null,
    noteLine(diff.changed ? counted(diff) + (diff.more ? `, the first ${diff.rows.length} shown` : "") : "no row changes"),
  );
}

const SIGN: Record<RowChange["sign"], string> = { "~": "changed", "+": "added", "-": "removed" };

function drawRow(row: RowChange): HTMLElement {
  const head = h("th", { scope: "row", title: `row ${row.index} ${SIGN[row.sign]}` }, row.sign === "~" ? `${row.index}` : `${row.sign} ${row.index}`);
  return h("tr", { "data-sign": row.sign }, head, ...row.cells.map((cell) => drawCell(cell, row.sign)));
}

function drawCell(cell: string[], sign: string): HTMLElement {
  if (cell.length < 2) return h("td", {}, sign === "~" ? span("sg-same", cell[0] ?? "") : (cell[0] ?? ""));
  return h("td", { "data-touched": true }, cell[0] ? h("del", {}, cell[0]) : null, cell[0] ? " " : null, h("ins", {}, cell[1] || "(empty)"));
}
