import { expect, test } from "vitest";
import { StateTree, type Part } from "../src/tree";

const TEXT = "fox ".repeat(50_000);
const PIECE = 65_536;

/** As the kernel does, which counts characters and not units of UTF-16. */
function fetched(_: string, { position, offset }: any, whole = TEXT): Promise<Part> {
  const nothing = { lines: [], text: null, offset: 0, total: 0, columns: null, rows: null };
  const all = [...whole];
  if (position.length) return Promise.resolve({ ...nothing, text: all.slice(offset, offset + PIECE).join(""), offset, total: all.length });
  return Promise.resolve({ ...nothing, lines: [{ label: "text", type: "str", text: "fox …", size: 1, cut: true }], total: 1 });
}
const soon = () => new Promise((done) => setTimeout(done));
const said = (tree: StateTree) => [...tree.el.querySelectorAll("button")].map((each) => each.textContent).join("\n");

test("a state that is read again shows as much of a long text as before", async () => {
  const tree = new StateTree(fetched);
  await tree.refresh();
  (tree.el.querySelector("button.sg-line") as HTMLElement).click();
  await soon();
  expect(said(tree)).toContain("65,536 of 200,000 characters: more");

  ([...tree.el.querySelectorAll("button")].at(-1) as HTMLElement).click();
  await soon();
  expect(said(tree)).toContain("131,072 of 200,000 characters: more");

  await tree.refresh();
  expect(said(tree)).toContain("131,072 of 200,000 characters: more");
  expect(tree.el.querySelector("pre")?.textContent).toBe(TEXT.slice(0, 2 * PIECE));
});

test("more that is asked for while the state is read again is shown too", async () => {
  let release = () => {};
  const held = new Promise<void>((done) => { release = done; });
  let slow = false;
  const tree = new StateTree(async (cmd, args: any) => {
    const part = await fetched(cmd, args);
    if (slow && args.position.length && !args.offset) await held;
    return part;
  });
  await tree.refresh();
  (tree.el.querySelector("button.sg-line") as HTMLElement).click();
  await soon();
  slow = true;
  const again = tree.refresh();
  await soon();
  ([...tree.el.querySelectorAll("button")].at(-1) as HTMLElement).click();
  await soon();
  release();
  await again;
  expect(said(tree)).toContain("131,072 of 200,000 characters: more");
});

test("a long text of emoji is read to its end, nothing left out and nothing twice", async () => {
  const foxes = "🦊 fox ".repeat(20_000);
  const tree = new StateTree((cmd, args) => fetched(cmd, args, foxes));
  await tree.refresh();
  (tree.el.querySelector("button.sg-line") as HTMLElement).click();
  await soon();
  expect(said(tree)).toContain("65,536 of 120,000 characters: more");
  ([...tree.el.querySelectorAll("button")].at(-1) as HTMLElement).click();
  await soon();
  expect(tree.el.querySelector("pre")?.textContent).toBe(foxes);
  expect(said(tree)).not.toContain("more");
});

test("a state that holds nothing is no value to be read", async () => {
  const tree = new StateTree(() => Promise.resolve({ lines: [], text: "{}", offset: 0, total: 2, columns: null, rows: null }));
  await tree.refresh();
  expect(tree.el.querySelector(".sg-tree")!.textContent).toBe("no state yet");
});
