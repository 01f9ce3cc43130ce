/** The page's copy of what the kernel folded: applied patch by patch, drawn by the parts. */

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
export interface Change { key: string; reducer: string | null; missing: boolean; added: number | null; diff: Diff }
export interface Failure { type: string; message: string; traceback: string }
export interface Problem { path: (string | number)[]; message: string }
export interface Effect { changes: Change[]; routes: string[]; known: boolean; reruns_router: boolean; errors: Problem[] }
export type Schema = { [key: string]: unknown };

export interface Card {
  id: string; title: string; place: string; node: string; path: string; step: number; index: number; router: string | null;
  why: string; stop: string | null; allow: string[]; refused: Record<string, string>; reason: boolean;
  schema: Schema | null; respond: Schema | null; value: unknown; results: Record<string, unknown>; lazy: boolean; digest: string;
  changes: Change[]; routes: string[]; alternatives: string[]; reads: [string, string][];
  question: string | null; error: Failure | null;
}
export interface Head {
  thread: string; branch: string; note: string | null; parent: [string, number] | null; status: string; step: number;
  started: number | null; ended: number | null; error: Failure | null; stats: Record<string, number>; failures: string[]; durable?: boolean;
}
export type Step = [step: number, nodes: string[], next: string[], source: string, decisions: string[], hits: string[]];
export type Row = [seq: number, time: number, type: string, path: string, step: number, text: string];
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
export interface Picture extends Patch { run: string; seq: number; seen: number }

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
  /** Events whose rows were left out on purpose. */
  left = 0;

  constructor(readonly id: string) {}

  /** Start again from a whole picture. */
  reset(picture: Picture): void {
    const fresh = new RunView(this.id);
    Object.assign(this, { ...fresh, lost: this.lost });
    this.apply({ ...picture, rows: [] });
    this.rows = picture.rows ?? [];
    this.seen = picture.seen;
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
    if (patch.output) { this.takeOutput(patch.output); touched.add("output"); }
    if (patch.skip !== undefined && patch.skip > this.seen) { this.left += patch.skip - this.seen; this.seen = patch.skip; }
    if (patch.rows?.length) { this.takeRows(patch.rows); touched.add("rows"); }
    return touched;
  }

  private takeOutput(pieces: Output[]): void {
    const last = this.output.at(-1)?.[0] ?? -1;
    this.output.push(...pieces.filter((piece) => piece[0] > last));
    if (this.output.length > 2_000) this.output.splice(0, this.output.length - 2_000);
  }

  private takeRows(rows: Row[]): void {
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
