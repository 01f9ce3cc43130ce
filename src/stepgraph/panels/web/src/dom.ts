/** Elements without markup: text is set, never parsed. */

export type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | null | undefined | EventListener>;

/** An element; `on…` properties are listeners, everything else an attribute (null, undefined, false: absent). */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  assign(element, props);
  element.append(...present(children));
  return element;
}

/** The two kinds that are most, with nothing but a class. */
export function div(name: string, ...children: Child[]): HTMLDivElement {
  return h("div", { class: name }, ...children);
}

export function span(name: string, ...children: Child[]): HTMLSpanElement {
  return h("span", { class: name }, ...children);
}

/** A remark: what is less important than what it stands beside. */
export function note(...children: Child[]): HTMLElement {
  return span("sg-note", ...children);
}

/** The same on a line of its own. */
export function noteLine(...children: Child[]): HTMLElement {
  return div("sg-note", ...children);
}

/** The class of a small button. */
export const SMALL = "sg-button sg-small";

const SVG = "http://www.w3.org/2000/svg";

/** The same for SVG. */
export function s<K extends keyof SVGElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  assign(element, props);
  element.append(...present(children));
  return element;
}

/** Replace the children, and keep scroll position. */
export function fill(element: Element, ...children: Child[]): void {
  const { scrollTop, scrollLeft } = element;
  element.replaceChildren(...present(children));
  element.scrollTop = scrollTop;
  element.scrollLeft = scrollLeft;
}

/** Set an attribute only when it differs: an unchanged node costs no style work. */
export function mark(element: Element, name: string, value: string | null): void {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

/** A button that does `act` and says what it is; `key` is the letter that does the same. */
export function button(label: string, act: () => void, props: Props & { key?: string } = {}): HTMLButtonElement {
  const { key, ...rest } = props;
  return h(
    "button",
    { type: "button", class: "sg-button", onclick: act, "aria-keyshortcuts": key, ...rest },
    key ? h("kbd", { "aria-hidden": "true" }, key) : null,
    label,
  );
}

/** A name that may be broken after its punctuation. */
export function breakable(name: string): Child[] {
  return name.split(/(?<=[:/_.])/).flatMap((part) => [part, h("wbr")]);
}

/** Acts when the pointer goes down: while a run goes on, the element may be replaced before it comes up. Keys click. */
export function pressed(act: () => void): Record<string, EventListener> {
  return {
    onpointerdown: (event) => { if ((event as PointerEvent).button === 0) act(); },
    onclick: (event) => { if ((event as MouseEvent).detail === 0) act(); },
  };
}

function assign(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

function present(children: Child[]): (Node | string)[] {
  return children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false);
}
