import { describe, expect, it } from "vitest";
import type { Stop } from "../src/model";
import { type Shape, above, hasSubgraphs, isSubgraph, reachable, stopMarks, targets, terminals } from "../src/shape";

const SHAPE: Shape = {
  nodes: [
    ["__start__", "START", "start", null], ["a", "a", "node", null], ["sub", "sub", "subgraph", null], ["sub/b", "b", "node", "sub"], ["sub/c", "c", "node", "sub"],
    ["__error_handler__a", "on error", "handler", null], ["__end__", "END", "end", null],
  ],
  edges: [["__start__", "a", false, null], ["a", "sub", false, null], ["a", "__end__", true, null], ["a", "__error_handler__a", true, null], ["sub/b", "sub/c", true, null]],
  collapsed: [], layout: null, dot: null,
};
const stop = (id: string, spec: string, enabled = true): Stop => ({ id, spec, enabled, kind: "stop", when: null, hits: 0, allow: [], problem: null });

describe("the shape of a graph", () => {
  it("tells what follows a node, without what only follows its failure", () => {
    expect(targets(SHAPE, "a")).toEqual({ always: ["sub"], maybe: ["__end__"] });
    expect(targets(SHAPE, "sub/b")).toEqual({ always: [], maybe: ["c"] });
    expect(targets(null, "a")).toEqual({ always: [], maybe: [] });
  });

  it("tells to which nodes of its own graph one may go", () => {
    expect(reachable(SHAPE, "a")).toEqual(["a", "sub"]);
    expect(reachable(SHAPE, "sub/c")).toEqual(["b", "c"]);
  });

  it("knows subgraphs and ends", () => {
    expect([isSubgraph(SHAPE, "sub"), isSubgraph(SHAPE, "a"), hasSubgraphs(SHAPE), hasSubgraphs(null)]).toEqual([true, false, true, false]);
    expect(terminals(SHAPE)).toEqual(["__start__", "__end__"]);
    expect(above("x/y/z")).toEqual(["x", "x/y"]);
  });

  it("marks the nodes that have stops, and those that are decided for the rest of the run", () => {
    const stops = [stop("s1", "after:a"), stop("s2", "edge:sub/router", false), stop("s3", "before:sub/b")];
    const marks = stopMarks(SHAPE, stops, [{ id: "r1", title: "before:sub/b", stop: "s3", verb: "approve", by: null, reason: null }]);
    expect(Object.fromEntries(marks)).toEqual({ a: "on", sub: "off", "sub/b": "rule" });
    expect([...stopMarks(SHAPE, [stop("s4", "after:*")], []).keys()]).toEqual(["a", "sub", "sub/b", "sub/c"]);
  });
});
