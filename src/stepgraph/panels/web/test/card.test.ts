import { describe, expect, it, vi } from "vitest";
import { ReviewCard } from "../src/card";
import { CommandError, type Link } from "../src/link";
import type { Card } from "../src/model";

const CARD: Card = {
  id: "r1", title: "before:a", place: "before", node: "a", path: "a", within: "a", step: 0, index: 0, router: null, why: "stop s1", stop: "s1",
  allow: ["approve", "edit", "reject"], refused: {}, reason: false, schema: null, respond: null, value: null, results: {}, lazy: false,
  beginnings: [], digest: "d", answer: {}, thens: [], tasks: [], changes: [], routes: [], alternatives: [], reads: [], question: null, error: null,
};

function drawn(given: Partial<Card>, ask = vi.fn()): ReviewCard {
  const acts = { run: () => "r", nodes: () => [], targets: () => ({ always: [], maybe: [] }), done: vi.fn(), announce: vi.fn() };
  const card = new ReviewCard({ ask } as unknown as Link, acts);
  card.update([{ ...CARD, ...given }]);
  return card;
}

const named = (card: ReviewCard, label: string) => [...card.el.querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === label)!;
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

  it("is cut only where it is long: a lone text later than one of many", () => {
    const text = "x".repeat(3_000);
    expect(input({ value: text })[0]!.length).toBe("input".length + 2_000);
    expect(input({ value: { a: text } })[0]!.length).toBe("a".length + 300);
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

describe("what a function gets and gives", () => {
  const schema = { type: "object", properties: { sku: { type: "string" }, count: { type: "integer" } } };

  it("is shown beside its failure", () => {
    const card = drawn({ place: "error", value: { sku: "cup" }, error: { type: "ValueError", message: "no", traceback: "" } });
    expect([...card.el.querySelectorAll("summary")].map((each) => each.textContent)).toEqual(["traceback", "input"]);
    expect(card.el.querySelector(".sg-input-view")!.textContent).toBe("skucup");
  });

  it("is edited by name, and may be left out", () => {
    const card = drawn({ value: { sku: "cup" }, schema });
    named(card, "Edit").click();
    return vi.waitFor(() => {
      expect([...card.el.querySelector(".sg-op")!.children].map((each) => each.textContent)).toEqual(["give", "leave out"]);
      expect(card.el.querySelector(".sg-kind")!.textContent).toContain("count");
    });
  });

  it("is one value in place of a result, of the type that is promised", () => {
    const fields = (given: Partial<Card>) => {
      const card = drawn({ allow: ["respond"], answer: null, ...given });
      named(card, "Respond").click();
      return card.el.querySelector(".sg-act")!;
    };
    expect(fields({ respond: { type: "integer" } }).querySelector("input.sg-number")).not.toBeNull();
    expect(fields({ respond: null }).querySelector("textarea.sg-json")).not.toBeNull();
    expect(fields({ respond: schema }).querySelectorAll(".sg-row").length).toBe(2);
    expect(fields({ respond: schema, answer: {} }).querySelector(".sg-kind")!.textContent).toContain("another key");
  });
});

describe("the keys of an entrypoint", () => {
  it("have names", () => {
    const diff = { kind: "value" as const, old: null, new: "3" };
    const card = drawn({ place: "after", changes: [{ key: "__end__", reducer: null, missing: true, added: null, diff, also: "and kept for the next run" }] });
    expect(card.el.querySelector(".sg-key")!.textContent).toBe("resultnew · and kept for the next run");
  });
});

describe("a preview that comes too late", () => {
  it("says nothing on the next card", async () => {
    vi.useFakeTimers();
    let refuse = (_: Error) => {};
    const ask = vi.fn((cmd: string) => (cmd === "preview" ? new Promise((_, reject) => { refuse = reject; }) : Promise.resolve(null)));
    const card = drawn({ value: { sku: "cup" } }, ask);
    named(card, "Edit").click();
    await vi.advanceTimersByTimeAsync(0);
    const field = card.el.querySelector<HTMLInputElement>(".sg-keyfield input")!;
    field.value = "pot";
    field.dispatchEvent(new Event("input"));
    await vi.advanceTimersByTimeAsync(300);
    card.update([{ ...CARD, id: "r2", digest: "e" }]);
    refuse(new CommandError("Request r1 is not pending any more", "LookupError"));
    await vi.advanceTimersByTimeAsync(0);
    vi.useRealTimers();
    expect(ask.mock.calls.map(([cmd]) => cmd)).toEqual(["preview"]);
    expect(card.el.querySelector(".sg-problem")!.textContent).toBe("");
  });
});
