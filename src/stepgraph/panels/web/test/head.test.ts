import { describe, expect, it } from "vitest";
import { whyLine } from "../src/head";
import { type Head, RunView } from "../src/model";

const head = (status: string): Head => ({ thread: "t", branch: "main", note: null, parent: null, status, step: 1, started: 1, ended: null, error: null, stats: { tasks: 1, reruns: 0 }, failures: [] });
const words = (view: RunView) => whyLine(view, head("running"), null).map((each) => each.textContent).join(" | ");

describe("the line that says what runs", () => {
  it("names the nodes and how many tasks of each", () => {
    const view = new RunView("r");
    view.apply({ nodes: { a: ["running", 0, 1], b: ["running", 0, 3], c: ["done", 1, 0] } });
    expect(words(view)).toContain("RUNNING | a, b ×3 |");
  });

  it("repeats what a running node said last, so that long work tells how far it is", () => {
    const view = new RunView("r");
    view.apply({ nodes: { a: ["running", 0, 1], c: ["done", 1, 0] }, output: [[0, "t", "a", 1, "stdout", "file 2 of 9\nfile 3 of 9\n", 0], [1, "t", "a", 1, "stdout", "\n", 0], [2, "u", "c", 1, "stdout", "other", 0]] });
    expect(words(view)).toContain("| a: file 3 of 9 |");
  });
});
