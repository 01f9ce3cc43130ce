import { describe, expect, it, vi } from "vitest";
import { EditForm } from "../src/edit";
import { FieldError, type Field, blank, makeField, resolve } from "../src/form";

const ROOT = {
  $defs: {
    Person: { type: "object", title: "Person", properties: { name: { type: "string" }, age: { anyOf: [{ type: "integer" }, { type: "null" }] } }, required: ["name"] },
    Cat: { type: "object", title: "Cat", properties: { kind: { const: "cat" }, lives: { type: "integer" } }, required: ["kind"] },
    Dog: { type: "object", title: "Dog", properties: { kind: { const: "dog" }, breed: { type: "string" } }, required: ["kind"] },
  },
};

function field(schema: object | null, value: unknown): Field {
  return makeField(schema as never, value, { root: ROOT, changed: vi.fn() }, "x");
}

function type(found: Field, text: string, selector = "input, textarea"): void {
  const control = found.el.querySelector<HTMLInputElement>(selector)!;
  control.value = text;
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

function choose(element: HTMLElement, value: string | number, selector = "select"): void {
  const control = element.querySelector<HTMLSelectElement>(selector)!;
  control.value = String(value);
  control.dispatchEvent(new Event("change", { bubbles: true }));
}

describe("a form field", () => {
  const untouched: [string, object | null, unknown][] = [
    ["text", { type: "string" }, "hello"],
    ["long text", { type: "string" }, "line\nline"],
    ["integer", { type: "integer" }, 3],
    ["number", { type: "number" }, 0.5],
    ["large integer", { type: "integer" }, 12345678901234],
    ["boolean", { type: "boolean" }, true],
    ["enum", { enum: ["a", "b", 3, null] }, 3],
    ["unknown enum value", { enum: ["a"] }, "other"],
    ["const", { const: "cat" }, "cat"],
    ["list", { type: "array", items: { type: "integer" } }, [1, 2, 3]],
    ["empty list", { type: "array", items: { type: "string" } }, []],
    ["table", { type: "array", items: { $ref: "#/$defs/Person" } }, [{ name: "Ana", age: null }, { name: "Bo", age: 3 }]],
    ["object", { $ref: "#/$defs/Person" }, { name: "Ana", age: 3 }],
    ["object with unknown keys", { type: "object" }, { a: 1, b: [true, null] }],
    ["none of a union", { anyOf: [{ type: "string" }, { type: "null" }] }, null],
    ["text of a union", { anyOf: [{ type: "null" }, { type: "string" }] }, "x"],
    ["tagged union", { oneOf: [{ $ref: "#/$defs/Cat" }, { $ref: "#/$defs/Dog" }] }, { kind: "dog", breed: "b" }],
    ["type list", { type: ["string", "null"] }, null],
    ["anything", {}, { deep: [1, { x: "y" }] }],
    ["anything at all", null, null],
    ["an object that has no JSON", {}, { $repr: "<socket>" }],
  ];
  it.each(untouched)("gives %s back as it was", (_name, schema, value) => {
    expect(field(schema, value).get()).toEqual(value);
  });

  it("keeps the type of what is typed", () => {
    const number = field({ type: "number" }, 1);
    type(number, "2.5");
    expect(number.get()).toBe(2.5);
    const text = field({ type: "string" }, "1");
    type(text, "2");
    expect(text.get()).toBe("2");
  });

  it("answers a question with an object even when nothing was filled in", () => {
    expect(field({ $ref: "#/$defs/Person" }, undefined).get()).toEqual({});
  });

  it("leaves what is no number to the kernel to refuse", () => {
    const number = field({ type: "integer" }, 1);
    type(number, "many");
    expect(number.get()).toBe("many");
  });

  it("never rounds an integer that is too large for the page", () => {
    const number = field({ type: "integer" }, 1);
    type(number, "12345678901234567890");
    expect(number.get()).toBe("12345678901234567890");
  });

  it("turns from none to a value and back", () => {
    const union = field({ anyOf: [{ type: "string" }, { type: "null" }] }, "x");
    choose(union.el, 1);
    expect(union.get()).toBeNull();
    choose(union.el, 0);
    expect(union.get()).toBe("x");
  });

  it("changes the kind of a tagged union", () => {
    const union = field({ oneOf: [{ $ref: "#/$defs/Cat" }, { $ref: "#/$defs/Dog" }] }, { kind: "cat", lives: 9 });
    choose(union.el, 1);
    expect(union.get()).toEqual({ kind: "dog" });
  });

  it("adds and removes items", () => {
    const list = field({ type: "array", items: { type: "integer" } }, [1, 2]);
    list.el.querySelector<HTMLElement>("[aria-label='remove item 0']")!.click();
    [...list.el.querySelectorAll("button")].find((each) => each.textContent === "+ item")!.click();
    expect(list.get()).toEqual([2, 0]);
  });

  it("keeps 5,000 items in a page of thirty", () => {
    const items = Array.from({ length: 5_000 }, (_, i) => i);
    const list = field({ type: "array", items: { type: "integer" } }, items);
    expect(list.el.querySelectorAll("input").length).toBe(30);
    list.fail([4_321], "too large");
    expect(list.el.textContent).toContain("too large");
    expect(list.get()).toBe(items);
  });

  it("shows a cell that may be a text, a number or nothing as one box", () => {
    const item = { type: "object", properties: { old: { anyOf: [{ type: "string" }, { type: "number" }, { type: "null" }] } } };
    const rows = [{ old: "MALE" }, { old: 59.6 }, { old: null }];
    const table = field({ type: "array", items: item }, rows);
    expect(table.el.querySelectorAll("select")).toHaveLength(0);
    expect(table.get()).toBe(rows);
    const boxes = [...table.el.querySelectorAll<HTMLInputElement>("tbody input")];
    const write = (texts: string[]) => { texts.forEach((text, i) => { boxes[i]!.value = text; }); return (table.get() as { old: unknown }[]).map((row) => row.old); };
    expect(write(["", "60.0", "12.5"])).toEqual([null, 60, 12.5]);
    expect(write(["007", "unknown", "male"])).toEqual(["007", "unknown", "male"]);
  });

  it("edits one cell of a table and leaves the other rows as they are", () => {
    const rows = [{ name: "Ana", age: null }, { name: "Bo", age: 3 }];
    const table = field({ type: "array", items: { $ref: "#/$defs/Person" } }, rows);
    const cells = table.el.querySelectorAll<HTMLInputElement>("tbody input");
    cells[1]!.value = "41";
    expect(table.get()).toEqual([{ name: "Ana", age: 41 }, { name: "Bo", age: 3 }]);
    cells[3]!.value = "";
    expect((table.get() as unknown[])[1]).toEqual({ name: "Bo", age: null });
  });

  it("shows the problem of a cell on its page", () => {
    const table = field({ type: "array", items: { $ref: "#/$defs/Person" } }, Array.from({ length: 120 }, (_, i) => ({ name: `n${i}`, age: i })));
    table.fail([99, "age"], "not an age");
    expect(table.el.querySelector("[data-wrong]")?.textContent).toContain("not an age");
  });

  it("refuses text that is no JSON where it stands", () => {
    const json = field({}, null);
    type(json, "{nope");
    expect(() => json.get()).toThrow(FieldError);
  });

  it("never parses markup", () => {
    for (const value of ["<img src=x onerror=alert(1)>", { $repr: "<b>x</b>" }, { "<b>k</b>": "<i>v</i>" }, ["<u>x</u>"]]) {
      expect(field({}, value).el.querySelector("img, b, i, u")).toBeNull();
    }
  });
});

describe("a schema", () => {
  it("is followed through references and single allOf", () => {
    expect(resolve({ allOf: [{ $ref: "#/$defs/Cat" }], description: "d" }, ROOT)).toMatchObject({ title: "Cat", description: "d" });
  });

  it("gives blanks that have what is required", () => {
    expect(blank({ $ref: "#/$defs/Person" }, ROOT)).toEqual({ name: "" });
    expect(blank({ anyOf: [{ type: "integer" }, { type: "null" }] }, ROOT)).toBeNull();
    expect(blank({ type: "integer", default: 7 }, ROOT)).toBe(7);
  });

  it("that refers to itself ends", () => {
    const root = { $defs: { Tree: { type: "object", properties: { left: { $ref: "#/$defs/Tree" } }, required: ["left"] } } };
    expect(blank({ $ref: "#/$defs/Tree" }, root)).toBeDefined();
  });
});

describe("an edit", () => {
  const schema = { type: "object", properties: { answer: { type: "string" }, messages: { type: "array", items: { type: "string" } }, score: { type: "number" } } };
  const subject = () => ({ schema, value: { answer: "old", messages: ["new"] }, results: { messages: ["first", "new"] } });
  const key = (form: EditForm, name: string) => form.el.querySelector<HTMLElement>(`[data-key="${name}"]`)!;

  it("is empty when nothing was changed", () => {
    const form = new EditForm(subject(), vi.fn());
    expect(form.get()).toEqual({});
    expect(form.dirty()).toBe(false);
  });

  it("names only what was changed", () => {
    const form = new EditForm(subject(), vi.fn());
    key(form, "answer").querySelector<HTMLInputElement>("input")!.value = "better";
    expect(form.get()).toEqual({ answer: "better" });
  });

  it("sets, appends, removes and drops where there is a reducer", () => {
    const form = new EditForm(subject(), vi.fn());
    choose(key(form, "messages"), "$set", "select.sg-op");
    expect(form.get()).toEqual({ messages: { $set: ["first", "new"] } });
    choose(key(form, "messages"), "$remove", "select.sg-op");
    key(form, "messages").querySelector<HTMLInputElement>("input[type=checkbox]")!.checked = true;
    expect(form.get()).toEqual({ messages: { $remove: ["first"] } });
    choose(key(form, "messages"), "$append", "select.sg-op");
    key(form, "messages").querySelector<HTMLElement>(".sg-pager button")!.click();
    expect(form.get()).toEqual({ messages: { $append: [""] } });
    choose(key(form, "messages"), "$drop", "select.sg-op");
    expect(form.get()).toEqual({ messages: { $drop: true } });
  });

  it("starts from $set where the proposal was one", () => {
    const form = new EditForm({ ...subject(), value: { messages: { $set: ["a"] } } }, vi.fn());
    expect(form.get()).toEqual({});
    key(form, "messages").querySelector<HTMLInputElement>("input")!.value = "b";
    expect(form.get()).toEqual({ messages: { $set: ["b"] } });
  });

  it("adds a key that was not proposed", () => {
    const form = new EditForm(subject(), vi.fn());
    choose(form.el, "score", "select[aria-label='another key']");
    expect(form.get()).toEqual({ score: 0 });
  });

  it("shows a problem at its field, also through an operation, and the rest at the top", () => {
    const form = new EditForm(subject(), vi.fn());
    choose(key(form, "messages"), "$set", "select.sg-op");
    form.show([{ path: ["messages", "$set", 1], message: "wrong item" }, { path: ["other"], message: "unknown key" }]);
    expect(key(form, "messages").querySelectorAll(".sg-item")[1]!.textContent).toContain("wrong item");
    expect(form.el.textContent).toContain("other: unknown key");
    form.show([]);
    expect(key(form, "messages").textContent).not.toContain("wrong item");
  });
});

describe("the edit of updates that can't be put together", () => {
  const schema = { type: "object", properties: { answer: { type: "string" }, items: { type: "array", items: { type: "string" } } } };
  const writers = { answer: [{ task: "left@1", text: "'l'", value: "l", lazy: false }, { task: "right@1", text: "'r'", value: "r", lazy: false }] };
  const make = (taken: Record<string, string> = {}) => new EditForm({ schema, value: { answer: "r", items: ["a"] }, results: { items: ["a"] }, writers, taken }, vi.fn());

  it("shows what each task writes, and is sent even when nothing is changed", () => {
    const form = make();
    expect([...form.el.querySelectorAll("[data-key=answer] .sg-name")].map((each) => each.textContent)).toEqual(["left", "right"]);
    expect(form.dirty()).toBe(true);
    expect(form.get()).toEqual({ answer: { $writes: {} } });
  });

  it("takes one update and drops the others", () => {
    expect(make({ answer: "left@1" }).get()).toEqual({ answer: { $writes: { "right@1": { $drop: true } } } });
  });

  it("takes another value in place of all", () => {
    const form = make();
    choose(form.el, "$set", "[data-key=answer] .sg-op");
    expect(form.get()).toEqual({ answer: { $set: "r" } });
  });

  it("puts a problem at the update that it is about", () => {
    const form = make();
    form.show([{ path: ["answer", "$writes", "right@1"], message: "no" }, { path: ["answer"], message: "one value" }]);
    expect(form.el.querySelectorAll("[data-wrong]").length).toBe(1);
    expect(form.el.textContent).toContain("one value");
  });

  it("shows an update of a wrong type as JSON", () => {
    const form = new EditForm({ schema, value: { items: ["a"] }, results: { items: ["a"] }, writers: { items: [{ task: "lone@1", text: "3", value: 3, lazy: false }] } }, vi.fn());
    expect(form.el.querySelector("textarea")!.value).toBe("3");
    expect(form.get()).toEqual({ items: { $writes: {} } });
  });
});
