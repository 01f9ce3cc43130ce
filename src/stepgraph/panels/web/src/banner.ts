/** The line below the head: what stands between a person and the live run. */
import { SMALL, button, fill, h, mark, span } from "./dom";
import type { Link } from "./link";
import type { RunView } from "./model";

export interface BannerActs { live(): void; fork(): void; close(): void }
interface Told { kind: string; text: string; actions?: () => HTMLElement[] }

export class Banner {
  readonly el = h("div", { class: "sg-banner", role: "status", hidden: true });
  /** What went wrong when somebody acted; "" for nothing. */
  message = "";
  #text = h("span", {});
  #actions = span("sg-verbs");

  constructor(private link: Link, private acts: BannerActs) {
    this.el.append(this.#text, this.#actions);
  }

  /** `at` is the step that is looked at, null for the live one. */
  update(view: RunView, at: number | null): void {
    const told = this.#told(view, at);
    const text = told?.text ?? "";
    const kind = told?.kind ?? null;
    if (this.#text.textContent !== text) this.#text.textContent = text;
    if (this.el.getAttribute("data-kind") !== kind) fill(this.#actions, ...(told?.actions?.() ?? [])); // never under a pointer
    mark(this.el, "data-kind", kind);
    mark(this.el, "hidden", text ? null : "");
  }

  #told(view: RunView, at: number | null): Told | null {
    const { link, acts } = this;
    const { head } = view;
    if (link.health === "dead") {
      return { kind: "gone", text: `The kernel is gone; this is what was shown last. Restart it, run the cells again, and reopen the run with dbg.open("${head?.thread ?? ""}").` };
    }
    if (link.health === "still") {
      return { kind: "gone", text: "No answer from the kernel: it is busy with a cell, or this is a saved view of a run that has ended. Running the cell again shows a live panel." };
    }
    const overdue = link.overdue();
    if (overdue.length) {
      const waiting = [...new Set(overdue)].filter((each) => !["value", "find"].includes(each));
      return { kind: "busy", text: `kernel busy: handled when the cell ends${waiting.length ? ` (${waiting.join(", ")})` : ""}` };
    }
    const small = { class: SMALL };
    if (at !== null) {
      const text = `viewing step ${at} of ${view.steps.at(-1)?.[0] ?? 0}, live at ${head?.step ?? 0}`;
      return { kind: "past", text, actions: () => [button("Back to live", acts.live, small), button("Fork here…", acts.fork, small)] };
    }
    if (head?.failures.length) return { kind: "failure", text: `A listener failed and was removed: ${head.failures.join("; ")}` };
    if (this.message) return { kind: "wrong", text: this.message, actions: () => [button("×", acts.close, { ...small, "aria-label": "close" })] };
    return null;
  }
}
