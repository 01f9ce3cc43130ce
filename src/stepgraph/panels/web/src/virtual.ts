/** A list of any length with a screenful of elements: rows of one height, made when they come into view. */
import { div, h } from "./dom";

export class VirtualList {
  readonly el: HTMLElement;
  #space: HTMLElement;
  #shown = div("sg-window");
  #first = -1;
  #last = -1;

  constructor(private total: number, private height: number, private draw: (index: number) => HTMLElement, private room = 10) {
    this.#space = div("sg-space", this.#shown);
    this.el = h("div", { class: "sg-virtual", tabindex: -1 }, this.#space);
    this.el.addEventListener("scroll", () => this.#update(false), { passive: true });
    this.resize(total);
  }

  /** The list has another length; `end` keeps the last row in sight if it was. */
  resize(total: number, end = false): void {
    const atEnd = this.el.scrollTop + this.el.clientHeight >= this.#space.clientHeight - this.height;
    this.total = total;
    this.#space.style.height = `${total * this.height}px`;
    this.el.style.height = `${Math.min(total, this.room) * this.height + 2}px`;
    if (end && atEnd) this.el.scrollTop = total * this.height;
    this.#update(true);
  }

  /** Draw the visible rows again. */
  refresh(): void {
    this.#update(true);
  }

  #update(force: boolean): void {
    const first = Math.max(0, Math.floor(this.el.scrollTop / this.height) - 3);
    const visible = Math.ceil((this.el.clientHeight || this.room * this.height) / this.height) + 6;
    const last = Math.min(this.total, first + visible);
    if (!force && first === this.#first && last === this.#last) return;
    this.#first = first;
    this.#last = last;
    this.#shown.style.transform = `translateY(${first * this.height}px)`;
    this.#shown.replaceChildren(...Array.from({ length: last - first }, (_, i) => this.#row(first + i)));
  }

  #row(index: number): HTMLElement {
    const element = this.draw(index);
    element.style.height = `${this.height}px`;
    return element;
  }
}
