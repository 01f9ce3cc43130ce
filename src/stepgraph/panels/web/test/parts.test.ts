import { describe, expect, it, vi } from "vitest";
import { drawDiff, drawEffect } from "../src/diff";
import { ForkForm } from "../src/fork";
import { Graph } from "../src/graph";
import { isTyping, keyOf } from "../src/keys";
import { LogList, StopList } from "../src/lists";
import { type Card, type Row, RunView, type Step, keyName } from "../src/model";
import type { Shape } from "../src/shape";
import { Timeline } from "../src/timeline";
import { VirtualList } from "../src/virtual";

describe("the form of a fork", () => {
  it("says whether nodes run again", async () => {
    const fork = vi.fn(async () => ({ run: "run-2" }));
    const form = new ForkForm({ subject: async () => ({ schema: { type: "object", properties: { score: { type: "number" } } }, value: { score: 1 }, results: {} }), fork, made: vi.fn(), closed: vi.fn() });
    for (const [label, again] of [["Fork", false], ["Run again", true]] as const) {
      await form.open(2);
      [...form.el.querySelectorAll("button")].find((each) => each.textContent === label)!.click();
      await vi.waitFor(() => expect(form.isOpen).toBe(false));
      expect(fork).toHaveBeenLastCalledWith(2, "", {}, again);
    }
  });
});

describe("the name of a key", () => {
  it("is its own, whatever objects have of that name", () => {
    expect(["constructor", "toString", "__proto__", "__end__"].map(keyName)).toEqual(["constructor", "toString", "__proto__", "result"]);
  });
});

describe("a diff", () => {
  it("marks words in a text", () => {
    const drawn = drawDiff({ kind: "text", segments: [["=", "it is "], ["-", "Tuesday"], ["+", "Thursday"]] });
    expect(drawn.querySelector("del")!.textContent).toBe("Tuesday");
    expect(drawn.querySelector("ins")!.textContent).toBe("Thursday");
  });

  it("shows two texts without anything in common one after the other", () => {
    const drawn = drawDiff({ kind: "text", segments: [["-", "old"], ["+", "new"]] });
    expect(drawn.querySelector(".sg-arrow")).not.toBeNull();
  });

  it("marks the changed cells of changed rows", () => {
    const drawn = drawDiff({ kind: "rows", columns: ["id", "name"], rows: [{ sign: "~", index: 7, cells: [["7"], ["a", "b"]] }], changed: 1, more: 0, total: [9, 9] });
    expect(drawn.textContent).toContain("1 of 9 rows change");
    expect(drawn.querySelectorAll("td[data-touched]").length).toBe(1);
  });

  it("only counts the rows of a table beside a form", () => {
    const diff = { kind: "rows" as const, columns: ["id"], rows: [{ sign: "+" as const, index: 0, cells: [["7"]] }], changed: 1, more: 0, total: [0, 1] as [number, number] };
    const drawn = drawEffect({ key: "found", reducer: null, missing: false, added: null, diff });
    expect(drawn.querySelector("table")).toBeNull();
    expect(drawn.textContent).toContain("1 row added");
  });

  it("shows markup as text", () => {
    for (const text of ["<img src=x>", "<b>x</b>"]) {
      expect(drawDiff({ kind: "value", old: text, new: text }).querySelector("img, b")).toBeNull();
      expect(drawDiff({ kind: "paths", paths: [{ path: [text], old: text, new: null }], more: 0 }).querySelector("img, b")).toBeNull();
    }
  });
});

describe("the graph", () => {
  const shape: Shape = {
    nodes: [["__start__", "__start__", "start", null], ["a", "a", "node", null], ["s", "s", "subgraph", null], ["s/b", "b", "node", "s"]],
    edges: [["__start__", "a", false, null], ["a", "s", true, "go"]],
    collapsed: ["s"],
    layout: { width: 200, height: 50, nodes: { __start__: [20, 25, 40, 30], a: [80, 25, 60, 30], s: [160, 25, 60, 30] }, clusters: {}, edges: { 0: { d: "M0 0" }, 1: { d: "M1 1", label: [5, 5] } } },
    dot: null,
  };
  const draw = () => {
    const graph = new Graph({ menu: vi.fn(), collapse: vi.fn() });
    const view = new RunView("r");
    graph.show(shape, view);
    return { graph, view, node: (path: string) => graph.el.querySelector(`[data-path="${path}"]`)! };
  };

  it("restyles only the nodes that changed", () => {
    const { graph, view, node } = draw();
    view.apply({ nodes: { a: ["running", 3, 1] } });
    const quiet = vi.spyOn(node("s"), "setAttribute");
    graph.restyle(view, ["a"]);
    expect(node("a").getAttribute("data-state")).toBe("running");
    expect(node("a").textContent).toContain("×3");
    expect(quiet).not.toHaveBeenCalled();
  });

  it("shows on a closed subgraph that something in it stopped", () => {
    const { graph, view, node } = draw();
    view.apply({ nodes: { s: ["running", 0, 1], "s/b": ["held", 0, 1] } });
    graph.restyle(view, ["s/b"]);
    expect(node("s").getAttribute("data-state")).toBe("held");
  });

  it("shows on a node that a function or graph stopped which its code has called", () => {
    const { graph, view, node } = draw();
    const card = (within: string) => ({ id: within, node: "price", within }) as Card;
    view.apply({ nodes: { a: ["running", 0, 1], price: ["held", 0, 1] }, requests: [card("a")] });
    graph.restyle(view, null);
    expect([node("a"), node("s")].map((each) => each.getAttribute("data-state"))).toEqual(["held", ""]);
    graph.toggleList(view);
    expect(graph.el.querySelector(".sg-twin")!.textContent).toContain("◆ a stopped");
    view.apply({ requests: [card("a/inner/b"), card("s/b")] });
    graph.restyle(view, null);
    expect([node("a"), node("s")].map((each) => each.getAttribute("data-state"))).toEqual(["held", "held"]);
    view.apply({ requests: [] });
    graph.restyle(view, null);
    expect([node("a"), node("s")].map((each) => each.getAttribute("data-state"))).toEqual(["running", ""]);
  });

  it("moves with the arrows to the nearest node", () => {
    const { graph } = draw();
    graph.select("a");
    graph.move(1, 0);
    expect(graph.selected).toBe("s");
    graph.move(-1, 0);
    expect(graph.selected).toBe("a");
  });

  it("has a text twin with states and targets", () => {
    const { graph, view } = draw();
    view.apply({ nodes: { a: ["held", 2, 1] } });
    graph.toggleList(view);
    expect(graph.el.querySelector(".sg-twin")!.textContent).toContain("◆ a stopped, 2 × → s");
  });
});

describe("the time line", () => {
  const steps = (count: number): Step[] => Array.from({ length: count }, (_, i) => [i, ["a"], ["a"], "loop", i === 5 ? ["edit"] : [], []]);
  const line = (count: number, at: number | null) => {
    const go = vi.fn();
    const found = new Timeline({ go, fork: vi.fn(), branch: vi.fn() });
    found.update({ steps: steps(count), at, live: count - 1, held: false, branches: [], run: "r", stops: new Map() });
    return { found, go };
  };

  it("draws a screenful of 10,000 steps", () => {
    expect(line(10_000, null).found.el.querySelectorAll(".sg-tick").length).toBeLessThan(40);
  });

  it("steps back, forward, to marks and to live", () => {
    const { found, go } = line(9, 7);
    found.jump("back");
    found.jump("mark-back");
    found.jump("first");
    found.jump("live");
    expect(go.mock.calls).toEqual([[6], [5], [0], [null]]);
  });

  it("goes live when it steps past the end", () => {
    const { found, go } = line(9, 8);
    found.jump("forward");
    expect(go).toHaveBeenCalledWith(null);
  });
});

describe("keys", () => {
  const press = (init: KeyboardEventInit) => new KeyboardEvent("keydown", init);
  it("leave chords to the notebook, except Ctrl+Enter", () => {
    expect(keyOf(press({ key: "s", ctrlKey: true }))).toBeNull();
    expect(keyOf(press({ key: "z", metaKey: true }))).toBeNull();
    expect(keyOf(press({ key: "Enter", ctrlKey: true }))).toBe("Ctrl+Enter");
    expect(keyOf(press({ key: "a" }))).toBe("a");
  });

  it("take AltGraph as no modifier", () => {
    expect(keyOf(press({ key: "[", ctrlKey: true, altKey: true, modifierAltGraph: true }))).toBe("[");
  });

  it("are not taken from text fields", () => {
    const box = document.createElement("input");
    expect(isTyping(box)).toBe(true);
    box.type = "checkbox";
    expect(isTyping(box)).toBe(false);
    expect(isTyping(document.createElement("textarea"))).toBe(true);
  });
});

describe("a virtual list", () => {
  it("has a screenful of elements for a million rows", () => {
    const list = new VirtualList(1_000_000, 20, (index) => {
      const row = document.createElement("div");
      row.textContent = String(index);
      return row;
    });
    expect(list.el.querySelectorAll(".sg-window > *").length).toBeLessThan(30);
    list.el.scrollTop = 500_000 * 20;
    list.el.dispatchEvent(new Event("scroll"));
    expect(list.el.textContent).toContain("500000");
  });
});

describe("the list of events", () => {
  const row = (seq: number): Row => [seq, 0, "TaskStarted", "a", 1, ""];

  it("says in its place what was left out, and fetches it when pressed", async () => {
    const view = new RunView("r");
    view.apply({ rows: [row(0)] });
    view.apply({ skip: 700, rows: [row(701)] });
    const fetch = vi.fn(async (since: number, limit: number) => ({ rows: Array.from({ length: limit }, (_, i) => row(since + i)), first: 0 }));
    const log = new LogList(fetch);
    log.update(view);
    const gap = () => log.el.querySelector<HTMLElement>(".sg-gapline");
    expect(gap()!.textContent).toBe("700 events not listed, 1 to 700: show the last 500 of them");
    gap()!.click();
    await vi.waitFor(() => expect(view.left).toBe(200));
    expect(fetch).toHaveBeenCalledWith(201, 500);
    gap()!.click();
    await vi.waitFor(() => expect(gap()).toBeNull());
    expect(view.rows.length).toBe(702);
  });

  it("says why nothing came", async () => {
    const view = new RunView("r");
    view.apply({ skip: 9, rows: [row(10)] });
    const log = new LogList(async () => { throw new Error("The kernel is gone: nothing can be decided here."); });
    log.update(view);
    log.el.querySelector<HTMLElement>(".sg-gapline")!.click();
    await vi.waitFor(() => expect(log.el.textContent).toContain("The kernel is gone"));
  });
});

describe("the edges of the graph", () => {
  it("are marked as taken also where no event says so", () => {
    const node = (name: string, kind = "node"): Shape["nodes"][0] => [name, name, kind, null];
    const edges: Shape["edges"] = [["__start__", "a", false, null], ["a", "c", false, null], ["b", "c", false, null], ["c", "__end__", true, null], ["c", "a", true, null]];
    const box: [number, number, number, number] = [0, 0, 50, 30];
    const names = ["__start__", "a", "b", "c", "__end__"];
    const shape: Shape = {
      nodes: names.map((name) => node(name)), edges, collapsed: [], dot: null,
      layout: { width: 9, height: 9, nodes: Object.fromEntries(names.map((name) => [name, box])), clusters: {}, edges: Object.fromEntries(edges.map((_, i) => [i, { d: "M0 0" }])) },
    };
    const graph = new Graph({ menu: vi.fn(), collapse: vi.fn() });
    const view = new RunView("r");
    const taken = () => { graph.traffic(view); return [...graph.el.querySelectorAll(".sg-edge")].map((each) => each.hasAttribute("data-taken")); };
    graph.show(shape, view);
    expect(taken()).toEqual([false, false, false, false, false]);
    view.apply({ nodes: { a: ["done", 1, 0], b: ["running", 0, 1] } });
    expect(taken()).toEqual([true, false, false, false, false]);
    view.apply({ nodes: { b: ["done", 1, 0], c: ["done", 2, 0] }, edges: [["c", "a", 1]] });
    expect(taken()).toEqual([true, true, true, true, true]);
    view.apply({ edges: [["c", "a", 2]] });
    expect(taken()).toEqual([true, true, true, false, true]);
  });
});

describe("the list of stops", () => {
  const acts = () => ({ enable: vi.fn(), remove: vi.fn(), revoke: vi.fn(), add: vi.fn() });
  const stop = { id: "s1", spec: "after:draft", kind: "stop", when: null, enabled: true, hits: 2, allow: [], problem: null };
  const rule = { id: "rule 1", title: "after:draft", stop: "s1", verb: "approve", by: "ana", reason: "<b>fine</b>" };

  it("tells a decision for the rest of the run from a stop, and takes it back", () => {
    const given = acts();
    const list = new StopList(given);
    list.update([stop], [rule]);
    const drawn = list.el.querySelector("[data-rule]")!;
    expect(drawn.textContent).toContain("approve for the rest of the run · by ana · “<b>fine</b>”");
    drawn.querySelector("button")!.click();
    expect(given.revoke).toHaveBeenCalledWith(rule);
    list.update([stop], []);
    expect(list.el.querySelectorAll("li").length).toBe(1);
  });

  it("offers the nodes of the graph, each list its own", () => {
    const [one, other] = [new StopList(acts()), new StopList(acts())];
    one.offer(["draft", "research/plan"]);
    const input = one.el.querySelector("input")!;
    document.body.append(one.el, other.el);
    const offered = [...document.getElementById(input.getAttribute("list")!)!.querySelectorAll("option")].map((each) => each.value);
    expect(offered).toContain("after:research/plan");
    expect(offered.length).toBe(6);
    one.offer([]);
    expect(one.el.querySelectorAll("option").length).toBe(0);
  });
});
