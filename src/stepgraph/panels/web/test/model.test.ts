import { describe, expect, it } from "vitest";
import { GAP, type Picture, type Row, RunView, type Step, edgeKey } from "../src/model";

const row = (seq: number): Row => [seq, 0, "TaskStarted", "a", 1, ""];
const step = (number: number, ...decisions: string[]): Step => [number, ["a"], ["b"], "loop", decisions, []];

function view(): RunView {
  const found = new RunView("r");
  found.reset({ run: "r", seq: 0, seen: 2, steps: [step(0), step(1)], rows: [row(1), row(2)], output: [[0, "t", "a", 1, "stdout", "x", 0]] } as Picture);
  return found;
}

describe("a run's view", () => {
  it("counts events that are missing, and only those", () => {
    const found = view();
    found.apply({ rows: [row(3), row(4)] });
    expect(found.lost).toBe(0);
    found.apply({ rows: [row(8)] });
    expect(found.lost).toBe(3);
    expect(found.seen).toBe(8);
  });

  it("tells events that were left out on purpose from those that are missing", () => {
    const found = view();
    found.apply({ skip: 50, rows: [row(51), row(52)] });
    expect([found.left, found.lost, found.seen]).toEqual([48, 0, 52]);
    found.apply({ skip: 60, rows: [row(63)] });
    expect([found.left, found.lost]).toEqual([56, 2]);
  });

  it("ignores rows and output that it has already, as after a new picture", () => {
    const found = view();
    found.apply({ rows: [row(1), row(2), row(3)], output: [[0, "t", "a", 1, "stdout", "x", 0], [1, "t", "a", 1, "stdout", "y", 0]] });
    expect(found.rows.map((each) => each[0])).toEqual([1, 2, 3]);
    expect(found.output.map((each) => each[5])).toEqual(["x", "y"]);
    expect(found.lost).toBe(0);
  });

  it("replaces the end of the step list from where it differs", () => {
    const found = view();
    found.apply({ steps_from: [1, [step(1, "edit"), step(2)]] });
    expect(found.steps).toEqual([step(0), step(1, "edit"), step(2)]);
  });

  it("says which parts must be drawn again", () => {
    const found = view();
    expect([...found.apply({ nodes: { a: ["done", 1, 0] }, edges: [["a", "b", 2]] })]).toEqual(["nodes", "edges"]);
    expect(found.edges.get(edgeKey("a", "b"))).toBe(2);
    expect([...found.apply({})]).toEqual([]);
  });

  it("keeps a bounded log", () => {
    const found = view();
    found.apply({ rows: Array.from({ length: 60_000 }, (_, i) => row(i + 3)) });
    expect(found.rows.length).toBeLessThanOrEqual(24_000);
    expect(found.rows.at(-1)![0]).toBe(60_002);
  });

  it("lists what was left out as one gap in its place, and fills it with what is fetched", () => {
    const found = view();
    found.apply({ skip: 5_000, rows: [row(5_001)] });
    found.apply({ skip: 6_000 });
    found.apply({ skip: 7_000, rows: [row(7_001)] });
    const shape = () => found.lines().map((each) => (each[2] === GAP ? `${each[0]}-${each[4]}` : each[0]));
    expect(shape()).toEqual(["0-0", 1, 2, "3-5000", 5_001, "5002-7000", 7_001]);

    found.fillIn([row(4_999), row(5_000)], 0);
    expect(shape()).toEqual(["0-0", 1, 2, "3-4998", 4_999, 5_000, 5_001, "5002-7000", 7_001]);
    found.fillIn(Array.from({ length: 1_999 }, (_, i) => row(5_002 + i)), 0);
    expect(found.rows.length).toBe(2 + 1 + 2 + 1 + 1_999 + 1);
    expect(found.left).toBe(4_996);
    expect(found.lost).toBe(0);
  });

  it("leaves out of the list what the kernel has no more", () => {
    const found = view();
    found.apply({ skip: 5_000, rows: [row(5_001)] });
    found.fillIn([row(4_999), row(5_000)], 4_000);
    expect(found.lines().map((each) => each[0])).toEqual([1, 2, 4_000, 4_999, 5_000, 5_001]);
    found.fillIn([], 5_000);
    expect(found.lines().map((each) => each[0])).toEqual([1, 2, 4_999, 5_000, 5_001]);
    expect(found.oldest).toBe(5_000);
  });

  it("begins with a gap where a page came later", () => {
    const found = new RunView("r");
    found.reset({ run: "r", seq: 0, seen: 900, first: 100, rows: [row(899), row(900)] } as Picture);
    expect(found.lines()[0]).toEqual([100, 0, GAP, "", 898, ""]);
  });
});
