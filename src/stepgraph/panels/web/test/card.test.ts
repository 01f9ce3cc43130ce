import { describe, expect, it, vi } from "vitest";
import { ReviewCard } from "../src/card";
import type { Link } from "../src/link";
import type { Card } from "../src/model";

const CARD: Card = {
  id: "r1", title: "before:a", place: "before", node: "a", path: "a", step: 0, index: 0, router: null, why: "stop s1", stop: "s1",
  allow: ["approve", "edit", "reject"], refused: {}, reason: false, schema: null, respond: null, value: null, results: {}, lazy: false,
  beginnings: [], digest: "d", answer: {}, thens: [], tasks: [], changes: [], routes: [], alternatives: [], reads: [], question: null, error: null,
};

function drawn(given: Partial<Card>): ReviewCard {
  const acts = { run: () => "r", nodes: () => [], targets: () => ({ always: [], maybe: [] }), done: vi.fn(), announce: vi.fn() };
  const card = new ReviewCard({ ask: vi.fn() } as unknown as Link, acts);
  card.update([{ ...CARD, ...given }]);
  return card;
}

const input = (given: Partial<Card>) => [...drawn(given).el.querySelectorAll(".sg-input-view > *")].map((each) => each.textContent);

describe("the input of a task", () => {
  it("is shown whatever it is", () => {
    expect(input({ value: 5 })).toEqual(["input5"]);
    expect(input({ value: "Where is it?" })).toEqual(["inputWhere is it?"]);
    expect(input({ value: false })).toEqual(["inputfalse"]);
    expect(input({ value: null })).toEqual(["inputnull"]);
    expect(input({ value: ["a", "b"] })).toEqual(['input["a","b"]']);
    expect(input({ value: { question: "Where?", n: 0 } })).toEqual(["questionWhere?", "n0"]);
  });

  it("is told to be nothing where it has no keys", () => {
    expect(input({ value: {} })).toEqual(["It gets nothing."]);
    expect(input({ value: {}, place: "plan" })).toEqual(["The state is empty."]);
  });

  it("is shown item by item where it is a list of a few objects", () => {
    expect(input({ value: [{ a: 1 }, { a: 2, b: [3] }] })).toEqual(["0a1", "1a2b[3]"]);
  });

  it("is shown by its beginnings where it is too large to be sent", () => {
    expect(input({ lazy: true, beginnings: [["", "0, 1, 2, …"]] })).toEqual(["input0, 1, 2, …"]);
    expect(input({ lazy: true, beginnings: [["rows", "0, 1, 2, …"]] })).toEqual(["rows0, 1, 2, …"]);
  });
});
