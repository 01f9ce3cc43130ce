import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AGAIN, CommandError, Link, type Model, PATIENCE } from "../src/link";
import type { Picture } from "../src/model";

const PICTURE: Picture = {
  run: "r", seq: 5, seen: 9, session: "s", branches: [], stops: [], nodes: { a: ["done", 1, 0] }, edges: [], steps: [[0, [], ["a"], "input", [], []]],
  requests: [], output: [], rows: [],
  head: { thread: "t", branch: "main", note: null, parent: null, status: "held", step: 1, started: 1, ended: null, error: null, stats: {}, failures: [] },
};

class FakeModel implements Model {
  sent: any[] = [];
  private callbacks = new Map<string, Set<(...args: any[]) => void>>();
  get(name: string): unknown { return name === "_snapshot" ? PICTURE : { nodes: [], edges: [], collapsed: [], layout: null, dot: null }; }
  send(content: unknown): void { this.sent.push(content); }
  on(event: string, callback: (...args: any[]) => void): void { this.callbacks.set(event, (this.callbacks.get(event) ?? new Set()).add(callback)); }
  off(event: string, callback: (...args: any[]) => void): void { this.callbacks.get(event)?.delete(callback); }
  emit(event: string, ...args: unknown[]): void { for (const each of this.callbacks.get(event) ?? []) each(...args); }
  say(content: object, buffers: DataView[] = []): void { this.emit("msg:custom", content, buffers); }
  reply(index: number, seq: number, answer: object): void { this.say({ kind: "reply", re: this.sent[index].id, seq, ...answer }); }
  listeners(): number { return [...this.callbacks.values()].reduce((sum, each) => sum + each.size, 0); }
}

let model: FakeModel;
let link: Link;
beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel();
  link = new Link(model);
});
afterEach(() => vi.useRealTimers());

function hello(): void {
  model.reply(0, 6, { ok: true, value: { ...PICTURE, seq: 6 } });
}

describe("the link", () => {
  it("draws from the snapshot at once and greets the kernel", () => {
    expect(link.view("r").nodes.get("a")).toEqual(["done", 1, 0]);
    expect(model.sent[0]).toMatchObject({ cmd: "hello", run: "r" });
    expect(link.health).toBe("busy");
    hello();
    expect(link.health).toBe("live");
  });

  it("says that nobody answers when nobody does, and is live when somebody does after all", () => {
    vi.advanceTimersByTime(3_000);
    expect(link.health).toBe("still");
    hello();
    expect(link.health).toBe("live");
  });

  it("gives each command its own answer, in any order", async () => {
    hello();
    const one = link.ask("value", { position: [] });
    const two = link.ask("decide", { verb: "approve" });
    model.reply(2, 7, { ok: true, value: "second" });
    model.reply(1, 8, { ok: true, value: "first" });
    await expect(one).resolves.toBe("first");
    await expect(two).resolves.toBe("second");
  });

  it("rejects with the kernel's words and the fields they are about", async () => {
    hello();
    const asked = link.ask("decide");
    model.reply(1, 7, { ok: false, error: { type: "EditError", message: "no", errors: [{ path: ["a"], message: "int" }] } });
    const error = await asked.catch((each) => each);
    expect(error).toBeInstanceOf(CommandError);
    expect(error.problems).toEqual([{ path: ["a"], message: "int" }]);
  });

  it("shows a command without an answer as waiting and never gives it up", async () => {
    hello();
    const asked = link.ask("decide");
    vi.advanceTimersByTime(PATIENCE);
    expect(link.health).toBe("busy");
    expect(link.overdue()).toEqual(["decide"]);
    vi.advanceTimersByTime(3_600_000);
    model.reply(1, 7, { ok: true, value: "at last" });
    await expect(asked).resolves.toBe("at last");
    expect(link.health).toBe("live");
  });

  it("sends again what was not answered, under the same id, until it is", async () => {
    hello();
    const asked = link.ask("decide", { verb: "approve" });
    vi.advanceTimersByTime(PATIENCE + 2 * AGAIN);
    expect(model.sent.slice(1).map((each) => [each.cmd, each.id])).toEqual(Array.from({ length: 3 }, () => ["decide", model.sent[1].id]));
    model.reply(1, 7, { ok: true, value: null });
    await asked;
    vi.advanceTimersByTime(10 * AGAIN);
    expect(model.sent.length).toBe(4);
  });

  it("is not kept waiting by answers to another page", () => {
    hello();
    void link.ask("decide");
    model.say({ kind: "reply", re: "other:1", seq: 7, ok: true, value: null });
    vi.advanceTimersByTime(PATIENCE);
    expect(link.overdue()).toEqual(["decide"]);
  });

  it("asks for a new picture when a message is missing, once, and counts it", async () => {
    hello();
    model.say({ kind: "batch", seq: 9, patches: [] });
    model.say({ kind: "batch", seq: 12, patches: [] });
    expect(link.gaps).toBe(4);
    expect(model.sent.slice(1).map((each) => each.cmd)).toEqual(["branch"]);
    model.reply(1, 13, { ok: true, value: { ...PICTURE, seq: 13, nodes: { a: ["failed", 2, 0] } } });
    await vi.advanceTimersByTimeAsync(0);
    expect(link.view("r").nodes.get("a")).toEqual(["failed", 2, 0]);
    model.say({ kind: "batch", seq: 15, patches: [] });
    expect(model.sent.length).toBe(3);
  });

  it("refuses commands to a dead kernel and fails those that wait", async () => {
    hello();
    const asked = link.ask("decide");
    model.emit("comm_live_update");
    await expect(asked).rejects.toThrow("The kernel is gone");
    expect(link.health).toBe("dead");
    await expect(link.ask("decide")).rejects.toThrow("nothing can be decided");
  });

  it("tells listeners what changed, by run", () => {
    hello();
    const heard: [string | null, string[]][] = [];
    const leave = link.listen((run, sections) => heard.push([run, [...sections]]));
    model.say({ kind: "batch", seq: 7, patches: [{ run: "r", nodes: { a: ["held", 1, 0] } }, { stops: [], branches: [], session: "s" }] });
    leave();
    model.say({ kind: "batch", seq: 8, patches: [{ run: "r", nodes: {} }] });
    expect(heard).toEqual([["r", ["nodes"]], [null, ["session"]]]);
  });

  it("leaves nothing behind when it is closed", () => {
    link.close();
    expect(model.listeners()).toBe(0);
  });
});
