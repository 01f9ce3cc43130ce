/** The form of a fork: a note, and keys to change before the branch goes on. */
import { button, fill, h } from "./dom";
import { EditForm, confirmButtons, type Subject } from "./edit";
import { FieldError } from "./form";
import { CommandError } from "./link";

export interface ForkActs {
  /** Schema and values of the state after a step. */
  subject(at: number): Promise<Subject>;
  /** Without updates the next step is decided anew and runs no node again, unless `again`. */
  fork(at: number, note: string, updates: unknown, again: boolean): Promise<{ run: string }>;
  made(run: string): void;
  closed(): void;
}

export class ForkForm {
  readonly el = h("div", { class: "sg-forkform" });
  #send: ((again: boolean) => void) | null = null;

  constructor(private acts: ForkActs) {}

  get isOpen(): boolean {
    return this.el.firstChild !== null;
  }

  /** Whether the person is typing in it. */
  get hasFocus(): boolean {
    return this.el.contains(document.activeElement);
  }

  async open(at: number): Promise<void> {
    const form = new EditForm(await this.acts.subject(at), () => undefined);
    const note = h("input", { class: "sg-input", placeholder: "what this branch tries", "aria-label": "note" });
    const problem = h("div", { class: "sg-problem", role: "alert" });
    this.#send = (again) => void this.#submit(at, note.value.trim(), form, problem, again);
    const buttons = confirmButtons("Fork", () => this.confirm(), () => this.close());
    buttons.lastChild!.before(button("Run again", () => this.#send?.(true), { title: "a branch on which the nodes after this step run again, even if nothing is changed" }));
    fill(
      this.el,
      h("header", {}, h("strong", {}, `fork after step ${at}`), h("span", { class: "sg-note" }, "a branch of its own; this run stays as it is")),
      note,
      h("details", {}, h("summary", {}, "change keys first"), form.el),
      problem,
      buttons,
    );
    note.focus();
  }

  confirm(): void {
    this.#send?.(false);
  }

  close(): void {
    this.#send = null;
    fill(this.el);
    this.acts.closed();
  }

  async #submit(at: number, note: string, form: EditForm, problem: HTMLElement, again: boolean): Promise<void> {
    problem.textContent = "";
    try {
      const made = await this.acts.fork(at, note, form.get(), again);
      this.close();
      this.acts.made(made.run);
    } catch (error) {
      if (error instanceof FieldError) return error.field.fail([], error.message);
      if (error instanceof CommandError) form.show(error.problems);
      problem.textContent = (error as Error).message;
    }
  }
}
