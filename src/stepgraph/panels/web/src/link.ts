/** Page and kernel: every command is numbered and acknowledged, every message is counted, and nothing is lost in silence. */
import { type Branch, type Patch, type Picture, RunView, type Section, type Stop } from "./model";

/** What anywidget hands over of the widget's model. */
export interface Model {
  get(name: string): any;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, callback: (...args: any[]) => void): void;
  off(event: string, callback: (...args: any[]) => void): void;
}
export type Health = "live" | "busy" | "still" | "dead";
export class CommandError extends Error {
  constructor(message: string, readonly kind: string, readonly problems: { path: (string | number)[]; message: string }[] = []) {
    super(message);
  }
}
interface Waiting { resolve(value: any): void; reject(error: Error): void; sent: number; cmd: string; timer: ReturnType<typeof setTimeout> }
type Listener = (run: string | null, sections: Set<Section>) => void;

/** Milliseconds until a command without an answer is shown as waiting. */
export const PATIENCE = 700;
/** Milliseconds until it is sent again: a subshell that was deleted loses it in silence. The kernel acts on it once. */
export const AGAIN = 5_000;

/** The one link of a model; all views in a page share it. */
export class Link {
  views = new Map<string, RunView>();
  session = "";
  branches: Branch[] = [];
  stops: Stop[] = [];
  root: string;
  health: Health = "busy";
  seq = -1;
  /** Messages that did not arrive; each gap was mended by a new picture. */
  gaps = 0;
  messages = 0;
  #waiting = new Map<string, Waiting>();
  #listeners = new Set<Listener>();
  #number = 0;
  #client = Math.random().toString(36).slice(2);
  #mending = false;
  #heard = false;

  #received = (content: any, buffers: DataView[]) => this.#receive(content, buffers);
  #redrawn = () => this.#tell(null, new Set(["session"]));
  #gone = () => this.#setHealth("dead");

  constructor(readonly model: Model) {
    const snapshot = model.get("_snapshot") as Picture;
    this.root = snapshot.run;
    this.takePicture(snapshot);
    model.on("msg:custom", this.#received);
    model.on("change:_graph", this.#redrawn);
    model.on("comm_live_update", this.#gone); // fires when the kernel is restarted, dead or gone
    this.greet();
  }

  /** Say hello; a kernel that does not answer is busy or gone. */
  greet(): void {
    void this.ask("hello", { run: this.root }).then((picture: Picture) => this.takePicture(picture), () => this.#setHealth("dead"));
    setTimeout(() => { if (!this.#heard && this.health !== "dead") this.#setHealth("still"); }, 3_000);
  }

  close(): void {
    this.model.off("msg:custom", this.#received);
    this.model.off("change:_graph", this.#redrawn);
    this.model.off("comm_live_update", this.#gone);
    for (const each of this.#waiting.values()) clearTimeout(each.timer);
  }

  view(run: string): RunView {
    let found = this.views.get(run);
    if (!found) this.views.set(run, (found = new RunView(run)));
    return found;
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Commands that have waited longer than PATIENCE. */
  overdue(): string[] {
    const now = Date.now();
    return [...this.#waiting.values()].filter((each) => now - each.sent >= PATIENCE && each.cmd !== "hello").map((each) => each.cmd);
  }

  /** Send a command; resolves with its value, rejects with what it raised. There is no time limit: a busy kernel answers later. */
  ask(cmd: string, args: Record<string, unknown> = {}): Promise<any> {
    if (this.health === "dead") return Promise.reject(new CommandError("The kernel is gone: nothing can be decided here.", "Dead"));
    const id = `${this.#client}:${++this.#number}`;
    return new Promise((resolve, reject) => {
      const content = { ...args, cmd, id, seq: this.seq };
      const waiting: Waiting = { resolve, reject, sent: Date.now(), cmd, timer: setTimeout(() => late(), PATIENCE) };
      const late = () => {
        if (this.health === "live") this.#setHealth("busy");
        else this.#tell(null, new Set(["head"]));
        waiting.timer = setTimeout(() => again(), AGAIN);
      };
      const again = () => {
        this.model.send(content);
        waiting.timer = setTimeout(() => again(), AGAIN);
      };
      this.#waiting.set(id, waiting);
      this.model.send(content);
    });
  }

  #receive(content: any, buffers: DataView[]): void {
    if (content?.kind !== "reply" && content?.kind !== "batch") return;
    this.#heard = true;
    this.messages += 1;
    if (this.health === "dead") this.health = "busy"; // it speaks again
    this.#count(content.seq);
    if (content.kind === "batch") for (const patch of content.patches as Patch[]) this.#takePatch(patch);
    else this.#settle(content, buffers);
    if (!this.overdue().length) this.#setHealth("live");
  }

  #count(seq: number): void {
    if (this.seq >= 0 && seq > this.seq + 1) {
      this.gaps += seq - this.seq - 1;
      this.#mend();
    }
    this.seq = Math.max(this.seq, seq);
  }

  #mend(): void {
    if (this.#mending) return;
    this.#mending = true;
    const runs = [...this.views.keys()];
    void Promise.all(runs.map((run) => this.ask("branch", { run }).then((picture: Picture) => this.takePicture(picture), () => undefined))).then(() => {
      this.#mending = false;
    });
  }

  #settle(content: any, buffers: DataView[]): void {
    const waiting = this.#waiting.get(content.re);
    if (!waiting) return; // another page's
    this.#waiting.delete(content.re);
    clearTimeout(waiting.timer);
    if (content.ok) waiting.resolve(buffers?.length ? buffers : content.value);
    else waiting.reject(new CommandError(content.error.message, content.error.type, content.error.errors));
  }

  /** Replace what is known of a run by a whole picture. */
  takePicture(picture: Picture): void {
    this.view(picture.run).reset(picture);
    this.#takeLists(picture);
    this.seq = Math.max(this.seq, picture.seq);
    this.#tell(picture.run, new Set(["head", "nodes", "edges", "steps", "requests", "output", "rows", "session"]));
  }

  #takePatch(patch: Patch): void {
    if (patch.run === undefined) {
      this.#takeLists(patch);
      this.#tell(null, new Set(["session"]));
    } else {
      this.#tell(patch.run, this.view(patch.run).apply(patch));
    }
  }

  #takeLists(patch: Patch): void {
    this.session = patch.session ?? this.session;
    this.branches = patch.branches ?? this.branches;
    this.stops = patch.stops ?? this.stops;
  }

  #setHealth(health: Health): void {
    if (this.health === health) return;
    this.health = health;
    if (health === "dead") {
      for (const each of this.#waiting.values()) {
        clearTimeout(each.timer);
        each.reject(new CommandError("The kernel is gone: this was not handled.", "Dead"));
      }
      this.#waiting.clear();
    }
    this.#tell(null, new Set(["head", "requests"]));
  }

  #tell(run: string | null, sections: Set<Section>): void {
    for (const listener of this.#listeners) listener(run, sections);
  }
}
