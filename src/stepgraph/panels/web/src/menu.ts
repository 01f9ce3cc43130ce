/** The menu of a node: stops around it, and for a subgraph whether it is open. */
import { button, div, h } from "./dom";
import type { Stop } from "./model";

const PLACES: [place: string, label: string][] = [
  ["before", "Stop before it runs"],
  ["after", "Stop after it, before its update counts"],
  ["edge", "Stop where it goes next"],
  ["error", "Stop if it fails"],
];
export interface MenuSubject { path: string; stops: Stop[]; subgraph: boolean; collapsed: boolean }
export interface MenuActs {
  close(): void;
  add(spec: string): void;
  remove(stop: Stop): void;
  enable(stop: Stop): void;
  collapse(path: string, on: boolean): void;
  /** Write a stop with a condition. */
  condition(path: string): void;
}

export function drawMenu({ path, stops, subgraph, collapsed }: MenuSubject, acts: MenuActs): HTMLElement {
  const item = (label: string, act: () => void, checked: boolean | null = null) =>
    button(label, () => { acts.close(); act(); }, { class: "sg-button sg-item", role: checked === null ? "menuitem" : "menuitemcheckbox", "aria-checked": checked === null ? null : String(checked) });
  const toggle = (place: string, label: string) => {
    const stop = stops.find((each) => each.spec === `${place}:${path}` && each.kind === "stop");
    const act = () => (!stop ? acts.add(`${place}:${path}`) : stop.enabled ? acts.remove(stop) : acts.enable(stop));
    return item(`${stop?.enabled ? "◆" : "◇"} ${label}`, act, Boolean(stop?.enabled));
  };
  return h(
    "div",
    { class: "sg-menu", role: "menu", "aria-label": path },
    div("sg-menuhead", h("strong", {}, path)),
    ...PLACES.map(([place, label]) => toggle(place, label)),
    subgraph ? item(collapsed ? "▸ Open the subgraph" : "▾ Close the subgraph", () => acts.collapse(path, !collapsed)) : null,
    item("… with a condition", () => acts.condition(path)),
  );
}

/** Below the node, inside the panel. */
export function placeMenu(menu: HTMLElement, anchor: DOMRect, frame: DOMRect): void {
  menu.style.left = `${Math.max(4, Math.min(anchor.left - frame.left, frame.width - 290))}px`;
  menu.style.top = `${anchor.bottom - frame.top + 4}px`;
}

/** Up and down in the menu, round and round. */
export function moveInMenu(over: HTMLElement, by: number): void {
  const items = [...over.querySelectorAll<HTMLElement>("button")];
  const index = items.indexOf(document.activeElement as HTMLElement);
  items[(index + by + items.length) % items.length]?.focus();
}
