/** The first two lines of a panel: what runs or why it stopped, in words, marks and colours. */
import { breakable, h, note, span } from "./dom";
import type { Card, Head, RunView } from "./model";

const STATUS: Record<string, [mark: string, word: string]> = {
  running: ["●", "running"], held: ["◆", "stopped"], paused: ["◆", "paused"], done: ["✓", "done"], failed: ["✗", "failed"],
  cancelled: ["◌", "cancelled"], suspended: ["‖", "suspended"], interrupted: ["◆", "interrupted"],
};
/** The run's own verbs: name, label, key, and the statuses in which they exist. */
export const RUN_VERBS: [verb: string, label: string, key: string, when: string[]][] = [
  ["go", "Continue", "c", ["held", "suspended", "interrupted"]],
  ["next", "Next", "n", ["held"]],
  ["into", "Into", "i", ["held"]],
  ["out", "Out", "o", ["held"]],
  ["pause", "Pause", "p", ["running"]],
  ["cancel", "Stop run", "q", ["running", "held"]],
];

export function statusOf(head: Head): [mark: string, word: string] {
  return STATUS[head.status] ?? ["·", head.status];
}

/** Name, branch, status, step, clock, and how many requests wait. */
export function statusLine(title: string, head: Head, waiting: number, live: boolean, clock: HTMLElement): HTMLElement[] {
  const [sign] = statusOf(head);
  const note = head.note ? ` “${head.note}”` : "";
  const parts = [
    h("strong", { class: "sg-title", title }, title),
    h("span", { class: "sg-note sg-branchname" }, `thread ${head.thread} · branch ${head.branch}${note}`),
    ...(head.durable === false ? [h("span", { class: "sg-note", title: "The graph has no checkpointer: the run ends with this process." }, "not durable")] : []),
    span("sg-gap"),
    h("span", { class: "sg-badge", "data-status": head.status }, `${live ? "live " : ""}${sign}`),
    h("span", {}, `step ${Math.max(0, head.step)}`),
    clock,
  ];
  if (waiting) parts.push(h("span", { class: "sg-bell", title: `${waiting} waiting` }, `☺ ${waiting} waiting`));
  return parts;
}

/** Why it stopped, what failed, or what runs. */
export function whyLine(view: RunView, head: Head, card: Card | null): HTMLElement[] {
  const [sign, status] = statusOf(head);
  const word = head.ordered ? { pause: "pausing", cancel: "ending" }[head.ordered] : status;
  const { stats } = head;
  const counts = `runs ${stats.tasks ?? 0} · run again ${stats.reruns ?? 0}${stats.retries ? ` · retries ${stats.retries}` : ""}`;
  return [
    h("span", { class: "sg-badge", "data-status": head.status }, `${sign} ${word.toUpperCase()}`),
    ...reason(view, head, card),
    h("span", { class: "sg-note sg-counts" }, counts),
  ];
}

function reason(view: RunView, head: Head, card: Card | null): HTMLElement[] {
  if (card) return [h("strong", { class: "sg-where" }, ...breakable(card.title)), h("span", { class: "sg-note", title: card.why }, card.why)];
  if (head.error) return [h("span", { class: "sg-errortext", title: head.error.message }, `${head.error.type}: ${head.error.message}`)];
  if (head.status === "suspended" || head.status === "interrupted") {
    return [note(`Continue goes on${head.durable === false ? "" : `, in another process dbg.open("${head.thread}")`}`)];
  }
  if (head.status !== "running") return [];
  const soon = head.ordered === "pause" ? "holds at the next place · " : head.ordered === "cancel" ? "waits for the end of its node · " : "";
  return [note(soon + runningWords(view))];
}

/** Which nodes run, and what one of them said last: long work tells how far it is. */
function runningWords(view: RunView): string {
  const running = [...view.nodes].filter(([, node]) => node[0] === "running").map(([path, node]) => (node[2] > 1 ? `${path} ×${node[2]}` : path));
  const names = running.length > 4 ? `${running.slice(0, 4).join(", ")} and ${running.length - 4} more` : running.join(", ");
  const said = [...view.output.slice(-50)].reverse().find((piece) => piece[5].trim() && view.nodes.get(piece[2])?.[0] === "running");
  return said ? `${names}: ${said[5].trim().split("\n").at(-1)!.slice(0, 120)}` : names;
}

/** Minutes and seconds since the start; of a run nobody can ask about, nothing. */
export function elapsed(head: Head | null, asking: boolean): string {
  if (!head?.started) return "0:00";
  const end = head.ended ?? (asking ? Date.now() / 1_000 : head.started);
  const seconds = Math.max(0, Math.floor(end - head.started));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
