/** The page's copy of what the kernel folded: applied patch by patch, drawn by the parts. */

/** What keys are called that nobody named: those of an entrypoint, and the one of a state that is a single value. */
const KEYS = new Map([["__end__", "result"], ["__previous__", "kept for the next run"], ["__root__", "state"]]);

export function keyName(key: string): string {
  return KEYS.get(key) ?? key;
}

export type NodeState = "" | "running" | "held" | "done" | "failed" | "skipped";
export const MARK: Record<NodeState, string> = { "": "", running: "●", held: "◆", done: "✓", failed: "✗", skipped: "◌" };
export const WORD: Record<NodeState, string> = { "": "not run", running: "running", held: "stopped", done: "done", failed: "failed", skipped: "skipped" };

export type Segment = [sign: "=" | "-" | "+", text: string];
export interface PathChange { path: string[]; segments?: Segment[]; old?: string | null; new?: string | null }
export interface RowChange { sign: "~" | "+" | "-"; index: number; cells: string[][] }
export type Diff =
  | { kind: "text"; segments: Segment[] }
  | { kind: "rows"; columns: string[]; rows: RowChange[]; changed: number; more: number; total: [number, number] }
  | { kind: "paths"; paths: PathChange[]; more: number }
  | { kind: "value"; old: string | null; new: string };
/** One task's write to a key whose updates can't be put together; `lazy`: too large for a form. */
export interface Writer { task: string; text: string; value: unknown; lazy: boolean }
export interface Change { key: string; reducer: string | null; missing: boolean; added: number | null; diff: Diff; by?: string[]; also?: string | null; problem?: string; writers?: Writer[] }
export interface Failure { type: string; message: string; traceback: string }
export interface Problem { path: (string | number)[]; message: string }
export interface Effect { changes: Change[]; routes: string[]; known: boolean; reruns_router: boolean; errors: Problem[]; trouble: string | null }
export type Schema = { [key: string]: unknown };

export interface Card {
  id: string; title: string; place: string; node: string; path: string; step: number; index: number; router: string | null;
  /** The path of the node that stands still for it: of a called function, the node whose code has called it. */
  within: string;
  why: string; stop: string | null; allow: string[]; refused: Record<string, string>; reason: boolean;
  schema: Schema | null; respond: Schema | null; value: unknown; results: Record<string, unknown>; lazy: boolean; digest: string;
  /** The update that `respond` begins with (null: it is no update), and what may follow a rejection instead of the run's end. */
  answer: Record<string, unknown> | null; thens: string[];
  /** Of an input that is too large to be sent: each key ("" of one that has none) with the beginning of its value. */
  beginnings: [string, string][];
  /** At `step`: id and address of each task. */
  tasks: [string, string][];
  changes: Change[]; routes: string[]; alternatives: string[]; reads: [string, string][];
  question: string | null; error: Failure | null;
}
export interface Head {
  thread: string; branch: string; note: string | null; parent: [string, number] | null; status: string; step: number;
  started: number | null; ended: number | null; error: Failure | null; stats: Record<string, number>; failures: string[]; durable?: boolean;
  /** What was ordered and has yet to happen. */
  ordered?: "pause" | "cancel" | null;
  rules?: Rule[];
}
/** What a person decided for the rest of the run: the stop `stop` asks no more at `title`. */
export interface Rule { id: string; title: string; stop: string; verb: string; by: string | null; reason: string | null }
export type Step = [step: number, nodes: string[], next: string[], source: string, decisions: string[], hits: string[]];
export type Row = [seq: number, time: number, type: string, path: string, step: number, text: string];
/** A row that stands for events which are not in the page: from `seq` to `step`, both included. */
export const GAP = "gap";
export type Output = [number: number, task: string, path: string, step: number, kind: string, text: string, time: number];
export interface Stop { id: string; spec: string; kind: string; when: string | null; enabled: boolean; hits: number; allow: string[]; problem: string | null }
export interface Branch { id: string; branch: string; note: string | null; parent: [string, number] | null; status: string }
export type NodeRow = [state: NodeState, count: number, running: number];

export interface Patch {
  run?: string; head?: Head; nodes?: Record<string, NodeRow>; edges?: [string, string, number][]; steps?: Step[];
  steps_from?: [number, Step[]]; requests?: Card[]; output?: Output[]; rows?: Row[];
  /** Number of the last event whose row the kernel left out, because nobody could read so many. */
  skip?: number;
  session?: string; branches?: Branch[]; stops?: Stop[];
}
export interface Picture extends Patch { run: string; seq: number; seen: number; first?: number }

export type Section = "head" | "nodes" | "edges" | "steps" | "requests" | "output" | "rows" | "session";
const KEPT = 20_000;

/** One branch: what a panel shows of one run. */
export class RunView {
  head: Head | null = null;
  nodes = new Map<string, NodeRow>();
  edges = new Map<string, number>();
  steps: Step[] = [];
  requests: Card[] = [];
  output: Output[] = [];
  rows: Row[] = [];
  seen = -1;
  /** Events whose number was skipped: anything but 0 is a fault of the way from kernel to page. */
  lost = 0;
  /** The oldest event that the kernel still has, as far as the page knows. */
  oldest = 0;

  constructor(readonly id: string) {}

  /** Start again from a whole picture. */
  reset(picture: Picture): void {
    const fresh = new RunView(this.id);
    Object.assign(this, { ...fresh, lost: this.lost });
    this.apply({ ...picture, rows: [] });
    this.rows = picture.rows ?? [];
    this.seen = picture.seen;
    this.oldest = picture.first ?? 0;
  }

  /** Take a patch in; says which sections it touched. */
  apply(patch: Patch): Set<Section> {
    const touched = new Set<Section>();
    if (patch.head) { this.head = patch.head; touched.add("head"); }
    if (patch.nodes) { for (const [path, node] of Object.entries(patch.nodes)) this.nodes.set(path, node); touched.add("nodes"); }
    if (patch.edges) { for (const [from, to, count] of patch.edges) this.edges.set(edgeKey(from, to), count); touched.add("edges"); }
    if (patch.steps) { this.steps = patch.steps; touched.add("steps"); }
    if (patch.steps_from) { this.steps = [...this.steps.slice(0, patch.steps_from[0]), ...patch.steps_from[1]]; touched.add("steps"); }
    if (patch.requests) { this.requests = patch.requests; touched.add("requests"); }
    if (patch.output) { this.#takeOutput(patch.output); touched.add("output"); }
    if (patch.skip !== undefined && patch.skip > this.seen) { this.#leaveOut(this.seen + 1, patch.skip); touched.add("rows"); }
    if (patch.rows?.length) { this.#takeRows(patch.rows); touched.add("rows"); }
    return touched;
  }

  #takeOutput(pieces: Output[]): void {
    const last = this.output.at(-1)?.[0] ?? -1;
    this.output.push(...pieces.filter((piece) => piece[0] > last));
    if (this.output.length > 2_000) this.output.splice(0, this.output.length - 2_000);
  }

  /** Events known to be missing from the list, apart from those before its first row. */
  get left(): number {
    return this.rows.reduce((sum, row) => sum + (row[2] === GAP ? row[4] - row[0] + 1 : 0), 0);
  }

  /** The list as it is drawn: it begins with a gap if earlier rows are not in the page. */
  lines(): Row[] {
    const first = this.rows[0]?.[0] ?? this.seen + 1;
    return first > this.oldest ? [[this.oldest, 0, GAP, "", first - 1, ""], ...this.rows] : this.rows;
  }

  /** Put rows that were fetched into the gap they belong to; `oldest` is the oldest event that the kernel still has. */
  fillIn(rows: Row[], oldest: number): void {
    const first = rows[0]?.[0] ?? oldest;
    const last = rows.at(-1)?.[0] ?? oldest - 1;
    const around = this.lines().flatMap((row): Row[] => {
      if (row[2] !== GAP) return [row];
      const from = Math.max(row[0], oldest);
      if (row[4] < first || row[0] > last) return row[4] < from ? [] : [[from, 0, GAP, "", row[4], ""]];
      const parts: Row[] = [];
      if (from < first) parts.push([from, 0, GAP, "", first - 1, ""]);
      parts.push(...rows.filter((each) => each[0] >= row[0] && each[0] <= row[4]));
      if (last < row[4]) parts.push([last + 1, 0, GAP, "", row[4], ""]);
      return parts;
    });
    this.oldest = Math.max(this.oldest, oldest);
    this.rows = around[0]?.[2] === GAP ? around.slice(1) : around;
  }

  #leaveOut(from: number, to: number): void {
    const before = this.rows.at(-1);
    if (before?.[2] === GAP) before[4] = to;
    else this.rows.push([from, 0, GAP, "", to, ""]);
    this.seen = to;
  }

  #takeRows(rows: Row[]): void {
    for (const row of rows) {
      if (row[0] <= this.seen) continue;
      if (this.seen >= 0 && row[0] !== this.seen + 1) this.lost += row[0] - this.seen - 1;
      this.seen = row[0];
      this.rows.push(row);
    }
    if (this.rows.length > KEPT * 1.2) this.rows.splice(0, this.rows.length - KEPT);
  }
}

export function edgeKey(from: string, to: string): string {
  return `${from}\u0000${to}`;
}
