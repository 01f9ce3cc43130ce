/** Keys of a panel: single letters while it has focus, never a chord that belongs to the notebook or the browser. */
import { SMALL, button, div, h, note } from "./dom";

export const KEYS: [keys: string, act: string][] = [
  ["c  p  q", "continue, pause, stop the run"],
  ["n  i  o", "next step, into a subgraph, out of it"],
  ["a  e  x  r  k  t", "approve, edit, reject, respond, skip, redirect; then Enter"],
  ["j", "run a failed task again"],
  ["v  V", "next, previous waiting request"],
  ["[  ]   h  l", "step back, step forward"],
  ["{  }   H  M", "previous, next step with a mark"],
  ["Home  End", "start, live"],
  ["f", "fork here"],
  ["arrows  Enter", "move in the graph, menu of the node"],
  ["b", "stop after the chosen node, or no more"],
  ["/", "search the state"],
  ["L", "graph as a list"],
  ["1 … 5", "tabs"],
  ["u", "undo the last act on stops or steps"],
  ["Ctrl+Enter", "confirm while typing"],
  ["Esc", "close, then give focus back to the notebook"],
  ["?", "these keys"],
];

/** The letter of a key press, or null if the notebook or browser should have it. AltGraph is no modifier. */
export function keyOf(event: KeyboardEvent): string | null {
  const altGraph = event.getModifierState?.("AltGraph") ?? false;
  if (!altGraph && (event.metaKey || event.altKey || event.ctrlKey)) {
    return event.ctrlKey && event.key === "Enter" ? "Ctrl+Enter" : null;
  }
  return event.key;
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}

export function drawHelp(close: () => void): HTMLElement {
  const rows = KEYS.map(([keys, act]) => h("tr", {}, h("td", {}, ...keys.split(/\s+/).map((key) => h("kbd", {}, key))), h("td", {}, act)));
  return h("div", { class: "sg-help", role: "dialog", "aria-label": "keys" }, div("sg-helphead", h("strong", {}, "Keys"), note("while the panel has the focus ring"), button("Close", close, { class: SMALL })), h("table", {}, h("tbody", {}, ...rows)));
}
