/** The state as a tree: each branch is fetched when it is opened, long ones in pages, and a search runs in the kernel. */
import { SMALL, button, div, fill, h, note, noteLine, span } from "./dom";
import { keyName } from "./model";
import { VirtualList } from "./virtual";

export interface Line { label: string; type: string; text: string; size: number; cut: boolean }
export interface Part { lines: Line[]; text: string | null; offset: number; total: number; columns: string[] | null; rows: string[][] | null }
interface Hits { hits: [number[], string[], string][]; complete: boolean }
/** Ask the kernel about the state as it is looked at (live or at a step). */
export type Fetch = (cmd: "value" | "find", args: Record<string, unknown>) => Promise<any>;

const PAGE = 200;
/** How many characters the kernel counts: an emoji is one there and two here. */
const characters = (text: string | null) => [...(text ?? "")].length;

export class StateTree {
  readonly el: HTMLElement;
  #search = h("input", { class: "sg-input sg-search", type: "search", placeholder: "search the state", "aria-label": "search the state" });
  #body = h("div", { class: "sg-tree", role: "tree", "aria-label": "state" });
  #open = new Set<string>([""]);
  /** How much of long texts has been asked for: a state that is read again shows as much. */
  #asked = new Map<string, number>();
  /** What brings the texts of a drawing up to that, for one that was asked for more while the others were drawn. */
  #texts: (() => Promise<void>)[] = [];
  #turn = 0;

  constructor(private fetch: Fetch) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.#search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => void this.refresh(), 200); });
    this.el = div("sg-state", this.#search, this.#body);
  }

  focusSearch(): void {
    this.#search.focus();
  }

  /** Read the state again; what was open stays open. */
  async refresh(): Promise<void> {
    const turn = ++this.#turn;
    const wanted = this.#search.value.trim();
    try {
      const content = wanted ? this.#drawHits(await this.fetch("find", { text: wanted })) : await this.#branch([], 0);
      if (turn === this.#turn) fill(this.#body, content);
      await Promise.all(this.#texts.splice(0).map((catchUp) => catchUp()));
    } catch (error) {
      if (turn === this.#turn) fill(this.#body, noteLine((error as Error).message));
    }
  }

  async #branch(position: number[], offset: number): Promise<HTMLElement> {
    const part = (await this.fetch("value", { position, offset, limit: PAGE })) as Part;
    if (part.text === "{}" && !position.length) return noteLine("no state yet");
    if (part.text !== null) return this.#drawText(position, part);
    if (part.columns) return this.#drawTable(position, part);
    if (!part.total) return noteLine(position.length ? "empty" : "no state yet");
    if (part.total > PAGE) return this.#longList(position, part);
    const lines = await Promise.all(part.lines.map((line, i) => this.#item(line, [...position, i])));
    return h("ul", { role: "group" }, ...lines);
  }

  async #item(line: Line, position: number[]): Promise<HTMLElement> {
    const key = position.join(".");
    const more = line.size > 0 || line.cut;
    const below = div("sg-below");
    const head = h(
      more ? "button" : "span",
      { class: "sg-line", type: more ? "button" : null, title: line.type, "aria-expanded": more ? String(this.#open.has(key)) : null },
      h("span", { class: "sg-fold", "aria-hidden": "true" }, more ? "▸" : ""),
      span("sg-name", position.length === 1 ? keyName(line.label) : line.label),
      h("span", { class: "sg-content", "data-type": line.type }, line.text),
      line.size > 0 ? note(`${line.size}`) : null,
    );
    const show = async () => fill(below, this.#open.has(key) ? await this.#branch(position, 0).catch((error: Error) => noteLine(error.message)) : null);
    if (more) head.addEventListener("click", () => {
      if (!this.#open.delete(key)) this.#open.add(key);
      head.setAttribute("aria-expanded", String(this.#open.has(key)));
      void show();
    });
    if (more && this.#open.has(key)) await show();
    return h("li", { role: "treeitem" }, head, below);
  }

  /** More children than one page: only the visible ones are in the document, and only their pages are fetched. */
  #longList(position: number[], first: Part): HTMLElement {
    const pages = new Map<number, Line[]>([[0, first.lines]]);
    const list = new VirtualList(first.total, 22, (index) => {
      const page = Math.floor(index / PAGE);
      const line = pages.get(page)?.[index % PAGE];
      if (!line) {
        if (!pages.has(page)) {
          pages.set(page, []);
          void this.fetch("value", { position, offset: page * PAGE, limit: PAGE }).then((part: Part) => { pages.set(page, part.lines); list.refresh(); }, () => pages.delete(page));
        }
        return h("span", { class: "sg-line sg-note" }, `${index} …`);
      }
      const detail = () => void this.#detail([...position, index], line, list.el);
      return h("button", { class: "sg-line", type: "button", title: line.type, onclick: line.size || line.cut ? detail : null }, span("sg-name", line.label), h("span", { class: "sg-content", "data-type": line.type }, line.text));
    });
    return h("div", {}, list.el, h("div", { class: "sg-below sg-detail" }));
  }

  async #detail(position: number[], line: Line, list: HTMLElement): Promise<void> {
    const place = list.parentElement?.querySelector(":scope > .sg-detail");
    if (place) fill(place, noteLine(`item ${line.label}`), await this.#branch(position, 0));
  }

  async #drawText(position: number[], part: Part): Promise<HTMLElement> {
    const shown = h("pre", { class: "sg-pre", tabindex: -1 }, part.text ?? "");
    const rest = h("div", {});
    const key = position.join(".");
    let read = characters(part.text);
    const grow = async (): Promise<boolean> => {
      const next = ((await this.fetch("value", { position, offset: read })) as Part).text ?? "";
      shown.append(next);
      read += characters(next);
      return next !== "";
    };
    const more = () => {
      if (read >= part.total) return fill(rest);
      fill(rest, button(`${read.toLocaleString("en")} of ${part.total.toLocaleString("en")} characters: more`, async () => {
        await grow();
        this.#asked.set(key, read);
        more();
      }, { class: SMALL }));
    };
    const catchUp = async () => {
      while (read < Math.min(this.#asked.get(key) ?? 0, part.total) && (await grow()));
      more();
    };
    await catchUp();
    this.#texts.push(catchUp);
    return h("div", {}, shown, rest);
  }

  #drawTable(position: number[], part: Part): HTMLElement {
    const body = h("tbody");
    const rest = h("div", {});
    let shown = 0;
    const add = (rows: string[][]) => {
      body.append(...rows.map((row, i) => h("tr", {}, h("th", { scope: "row" }, String(shown + i)), ...row.map((cell) => h("td", {}, cell)))));
      shown += rows.length;
      fill(rest, shown < part.total ? button(`${shown} of ${part.total} rows: more`, async () => add(((await this.fetch("value", { position, offset: shown, limit: PAGE })) as Part).rows ?? []), { class: SMALL }) : null);
    };
    add(part.rows ?? []);
    return h("div", {}, div("sg-scroll", h("table", { class: "sg-table" }, h("thead", {}, h("tr", {}, h("th", {}, ""), ...(part.columns ?? []).map((name) => h("th", { scope: "col" }, name)))), body)), rest);
  }

  #drawHits({ hits, complete }: Hits): HTMLElement {
    const found = hits.map(([position, labels, text]) => h("li", {}, h("button", { type: "button", class: "sg-line", onclick: () => this.#goTo(position) }, span("sg-name", labels.map((label, i) => (i ? label : keyName(label))).join(" › ")), span("sg-content", text))));
    const count = hits.length ? `${hits.length} found` : "nothing found";
    return h("div", {}, noteLine(complete ? count : `${count}; there is more: search for something narrower`), h("ul", {}, ...found));
  }

  #goTo(position: number[]): void {
    for (let i = 1; i <= position.length; i++) this.#open.add(position.slice(0, i).join("."));
    this.#search.value = "";
    void this.refresh();
  }
}
