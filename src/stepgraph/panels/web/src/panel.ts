/** One view of a run: it owns what a person looks at (branch, step, tab, open form), never what the run is. */
import { Banner } from "./banner";
import { ReviewCard } from "./card";
import { SMALL, button, div, fill, h, mark, span } from "./dom";
import { ForkForm } from "./fork";
import { Graph } from "./graph";
import { RUN_VERBS, elapsed, statusLine, statusOf, whyLine } from "./head";
import { drawHelp, isTyping, keyOf } from "./keys";
import { layOutHere } from "./layout";
import type { Link } from "./link";
import { LogList, StopList, drawBranches, drawOutput } from "./lists";
import { drawMenu, moveInMenu, placeMenu } from "./menu";
import { type RunView, type Section, type Stop, WORD } from "./model";
import css from "./panel.css";
import { type Shape, above, hasSubgraphs, isSubgraph, reachable, stopMarks, targets, terminals } from "./shape";
import { Timeline } from "./timeline";
import { StateTree } from "./tree";

type Tab = "state" | "output" | "log" | "stops" | "branches";
const TABS: [Tab, string][] = [["state", "State"], ["output", "Output"], ["log", "Events"], ["stops", "Stops"], ["branches", "Branches"]];
const LAYOUTS = new WeakMap<Link, string>();

export class Panel {
  readonly root: HTMLElement;
  #run: string;
  #at: number | null = null;
  #tab: Tab | null = null;
  #frame = 0;
  #dirty = new Set<Section>();
  #undo: (() => void)[] = [];
  #cleanups: (() => void)[] = [];
  #stateDue = 0;
  #stateTimer: ReturnType<typeof setTimeout> | undefined;
  #sure = false;
  #shape: Shape | null = null;

  #statusParts = div("sg-parts");
  #why = div("sg-why");
  #runVerbs = h("div", { class: "sg-verbs sg-runverbs", role: "toolbar", "aria-label": "run" });
  #banner: Banner;
  #left = div("sg-left");
  #center = div("sg-center");
  #right = div("sg-right");
  #tabBar = h("div", { class: "sg-tabs", role: "tablist" });
  #tabArea = div("sg-tabarea");
  #voice = h("div", { class: "sg-voice", role: "status", "aria-live": "polite" });
  #over = div("sg-over");
  #panels: Record<Tab, HTMLElement>;
  #graph: Graph;
  #card: ReviewCard;
  #tree: StateTree;
  #time: Timeline;
  #stops: StopList;
  #fork: ForkForm;
  #log = new LogList((since, limit) => this.link.ask("rows", { run: this.#run, since, limit }));

  constructor(private link: Link, el: HTMLElement) {
    this.#run = link.root;
    this.#graph = new Graph({ menu: (path, anchor) => this.#menu(path, anchor), collapse: (path, on) => this.#command("collapse", { path, on }) });
    this.#card = new ReviewCard(link, { run: () => this.#run, nodes: (path) => reachable(this.#shape, path), targets: (path) => targets(this.#shape, path), done: () => this.root.focus(), announce: (text) => this.#announce(text) });
    this.#banner = new Banner(link, { live: () => this.#goTo(null), fork: () => void this.#openFork(), close: () => this.#say("") });
    this.#tree = new StateTree((cmd, args) => link.ask(cmd, { run: this.#run, at: this.#at, ...args }));
    this.#time = new Timeline({ go: (at) => this.#goTo(at), fork: () => this.#openFork(), branch: (id) => this.#show(id) });
    this.#stops = new StopList({ enable: (stop, on) => this.#enable(stop, on), remove: (stop) => this.#removeStop(stop), revoke: (rule) => void this.#command("revoke", { rule: rule.id }).catch(() => undefined), add: (spec, when) => this.#addStop(spec, when) });
    this.#fork = new ForkForm({
      subject: (at) => link.ask("schema", { run: this.#run, at }),
      fork: (at, note, updates, again) => link.ask("fork", { run: this.#run, at, note, updates, again }),
      made: (run) => this.#show(run),
      closed: () => this.root.focus(),
    });
    const panel = (tab: Tab, label: string, ...content: Node[]) => h("section", { class: "sg-panel", "data-panel": tab, role: "tabpanel", "aria-label": label }, h("h4", {}, label), ...content);
    this.#panels = {
      state: panel("state", "State", this.#tree.el),
      output: panel("output", "Output", div("sg-slot")),
      log: panel("log", "Events", this.#log.el),
      stops: panel("stops", "Stops", this.#stops.el),
      branches: panel("branches", "Branches", div("sg-slot")),
    };
    this.#center.append(this.#graph.el, this.#card.el);
    this.root = h(
      "div",
      { class: "sg-root", tabindex: 0, role: "region", "aria-label": `run of ${link.session}` },
      div("sg-status", this.#statusParts, button("?", () => this.#help(), { class: SMALL, "aria-label": "keys" })),
      div("sg-bar", this.#why, this.#runVerbs),
      this.#banner.el,
      div("sg-main", this.#left, this.#center, this.#right),
      this.#time.el,
      this.#fork.el,
      this.#tabBar,
      this.#tabArea,
      this.#voice,
      this.#over,
    );
    style(el);
    el.append(this.root);
    this.#arrange("mid");
    this.#listen();
    this.#drawAll();
  }

  remove(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#stateTimer);
    for (const cleanup of this.#cleanups) cleanup();
    this.root.remove();
  }

  get #view(): RunView {
    return this.link.view(this.#run);
  }

  #listen(): void {
    this.#cleanups.push(this.link.listen((run, sections) => this.#happened(run, sections)));
    this.root.addEventListener("keydown", (event) => this.#key(event));
    const watch = new ResizeObserver(([entry]) => this.#resized(entry!.contentRect.width));
    watch.observe(this.root);
    const clock = setInterval(() => this.#drawClock(), 1_000);
    const away = (event: Event) => { if (!this.#over.contains(event.target as Node)) this.#closeOver(); };
    this.root.addEventListener("pointerdown", away);
    this.#cleanups.push(() => watch.disconnect(), () => clearInterval(clock));
  }

  // What changed is gathered and drawn once a frame.

  #happened(run: string | null, sections: Set<Section>): void {
    if (run !== null && run !== this.#run) return;
    for (const section of sections) this.#dirty.add(section);
    mark(this.root, "data-seq", String(this.link.seq));
    if (!this.#frame) this.#frame = requestAnimationFrame(() => { this.#frame = 0; this.#draw(); });
  }

  #draw(): void {
    const [dirty, view] = [this.#dirty, this.#view];
    this.#dirty = new Set();
    const rules = JSON.stringify(view.head?.rules ?? []);
    if (dirty.has("session") || rules !== this.#rules) { this.#rules = rules; this.#drawGraph(); this.#drawLists(); }
    if (dirty.has("requests")) this.#drawCard();
    if (dirty.has("head") || dirty.has("requests") || dirty.has("session") || (dirty.has("output") && view.head?.status === "running")) this.#drawHead();
    if (dirty.has("requests") && this.#at === null) this.#graph.restyle(view, null);
    else if (dirty.has("nodes") && this.#at === null) this.#graph.restyle(view, this.#changedNodes());
    if (dirty.has("edges") || dirty.has("nodes")) this.#graph.traffic(view);
    if (dirty.has("steps") || dirty.has("head") || dirty.has("session") || dirty.has("requests")) this.#drawTime();
    if (dirty.has("output") && this.#shown("output")) this.#drawOutput();
    if (dirty.has("rows") && this.#shown("log")) this.#log.update(view);
    if ((dirty.has("steps") || dirty.has("requests")) && this.#at === null) this.#refreshState(false);
    mark(this.root, "data-events", String(view.seen + 1));
    mark(this.root, "data-lost", String(view.lost));
    mark(this.root, "data-left", String(view.left));
    mark(this.root, "data-gaps", String(this.link.gaps));
    mark(this.root, "data-messages", String(this.link.messages));
  }

  #rules = "[]";

  #changedNodes(): string[] | null {
    const view = this.#view;
    const changed: string[] = [];
    for (const path of view.nodes.keys()) {
      const now = view.nodes.get(path)!.join();
      if (this.#last.get(path) !== now) { this.#last.set(path, now); changed.push(path, ...above(path)); }
    }
    return [...changed, ...this.#terminals];
  }
  #last = new Map<string, string>();
  #terminals: string[] = [];

  #drawAll(): void {
    this.#last.clear();
    this.#dirty = new Set(["head", "nodes", "edges", "steps", "requests", "output", "rows", "session"]);
    this.#shape = null;
    this.#draw();
    this.#refreshState(true);
  }

  #drawGraph(): void {
    const shape = this.link.model.get("_graph") as Shape;
    this.#graph.showStops(stopMarks(shape, this.link.stops, this.#view.head?.rules ?? []));
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.#terminals = terminals(shape);
    this.#stops.offer(shape.nodes.filter(([, , kind]) => kind !== "start" && kind !== "end").map(([path]) => path));
    this.#last.clear();
    this.#graph.show(shape, this.#view);
    this.#graph.traffic(this.#view);
    if (shape.dot !== null && LAYOUTS.get(this.link) !== shape.dot) {
      LAYOUTS.set(this.link, shape.dot);
      layOutHere(this.link, shape.dot).catch((error: Error) => { this.#say(`The graph could not be laid out (${error.message}); it is shown as a list.`); this.#graph.toggleList(this.#view); });
    }
  }

  #drawHead(): void {
    const { link } = this;
    const view = this.#view;
    const head = view.head;
    mark(this.root, "data-health", link.health);
    mark(this.root, "data-status", head?.status ?? "");
    mark(this.root, "data-run", view.id);
    if (!head) return;
    const [, word] = statusOf(head);
    this.#clock.textContent = this.#elapsed();
    fill(this.#statusParts, ...statusLine(link.session, head, view.requests.length, link.health === "live", this.#clock));
    fill(this.#why, ...whyLine(view, head, this.#card.card ?? view.requests[0] ?? null));
    this.#drawRunVerbs(head.status);
    this.#graph.describe(`graph of ${link.session}: ${[...view.nodes].filter(([path, node]) => node[0] && !path.endsWith("__start__")).map(([path, node]) => `${path} ${WORD[node[0]]}`).slice(0, 12).join(", ") || "nothing has run"}; key L shows it as a list`);
    const card = view.requests[0];
    const told = `${head.status} ${card?.id ?? ""}`;
    if (told !== this.#told && (card || head.status !== "held")) { // the card of a stop comes a moment after it
      this.#told = told;
      this.#banner.message = ""; // it was about what is over
      this.#announce(card ? `${word}: ${card.title}, ${card.allow.join(" ")}` : `run ${word}`);
    }
    this.#drawBanner();
  }
  #told = "";
  #clock = span("sg-clock");

  #drawRunVerbs(status: string): void {
    const dead = this.link.health === "dead";
    const found = RUN_VERBS.filter(([verb, , , when]) => when.includes(status) && !dead && (verb === "into" || verb === "out" ? hasSubgraphs(this.#shape) : true));
    const { ordered } = this.#view.head!;
    const key = found.map(([verb]) => verb).join() + this.#sure + dead + ordered;
    if (key === this.#drawnVerbs) return;
    this.#drawnVerbs = key;
    fill(this.#runVerbs, ...found.map(([verb, label, letter]) => button(verb !== "cancel" ? label : this.#sure ? "Really stop?" : ordered === verb ? "Break off…" : label, () => this.#go(verb), { key: letter, "data-verb": verb, "aria-label": label, "aria-pressed": ordered === verb ? "true" : null, title: verb === "cancel" && ordered === verb ? "raise Cancelled in the node's thread" : null })),
      dead ? null : button("Fork…", () => this.#openFork(), { key: "f", "aria-label": "Fork" }));
  }
  #drawnVerbs = "";

  #drawBanner(): void {
    this.#banner.update(this.#view, this.#at);
  }

  #elapsed(): string {
    return elapsed(this.#view.head, this.link.health === "live" || this.link.health === "busy");
  }

  #drawClock(): void {
    if (!this.#view.head?.ended) this.#clock.textContent = this.#elapsed();
  }

  #drawCard(): void {
    const live = this.#at === null && this.link.health !== "dead";
    this.#card.update(live ? this.#view.requests : []);
  }

  #drawTime(): void {
    const head = this.#view.head;
    this.#time.update({
      steps: this.#view.steps, at: this.#at, live: head?.step ?? 0, held: head?.status === "held", branches: this.link.branches, run: this.#run,
      stops: new Map(this.link.stops.map((stop) => [stop.id, stop.spec])),
    });
    if (this.#at !== null) this.#drawBanner();
  }

  #drawLists(): void {
    this.#stops.update(this.link.stops, this.#view.head?.rules ?? []);
    fill(this.#panels.branches.querySelector(".sg-slot")!, drawBranches(this.link.branches, this.#run, (id) => this.#show(id)));
    this.#drawTabs();
  }

  #drawOutput(): void {
    const slot = this.#panels.output.querySelector(".sg-slot")!;
    fill(slot, drawOutput(this.#at === null ? this.#view.output : this.#view.output.filter((piece) => piece[3] <= this.#at!)));
  }

  #drawTabs(): void {
    const inTabs = TABS.filter(([tab]) => this.#panels[tab].parentElement === this.#tabArea);
    const count: Partial<Record<Tab, number>> = { stops: this.link.stops.length + (this.#view.head?.rules?.length ?? 0), branches: this.link.branches.length > 1 ? this.link.branches.length : 0 };
    const key = JSON.stringify([inTabs, count, this.#tab]);
    if (key === this.#drawnTabs) return;
    this.#drawnTabs = key;
    fill(this.#tabBar, ...inTabs.map(([tab, label]) => h("button", { type: "button", class: "sg-tab", role: "tab", "aria-selected": String(tab === this.#tab), onclick: () => this.#openTab(tab === this.#tab ? null : tab) }, count[tab] ? `${label} ${count[tab]}` : label)));
    for (const [tab] of TABS) mark(this.#panels[tab], "data-open", tab === this.#tab ? "" : null);
  }
  #drawnTabs = "";

  #openTab(tab: Tab | null): void {
    this.#tab = tab;
    this.#drawTabs();
    if (tab === "output") this.#drawOutput();
    if (tab === "log") this.#log.update(this.#view);
    if (tab === "state") this.#refreshState(true);
  }

  #shown(tab: Tab): boolean {
    return this.#panels[tab].parentElement !== this.#tabArea || this.#tab === tab;
  }

  /** Read the state again: at once, or at most twice a second while a run goes on. */
  #refreshState(now: boolean): void {
    if (!this.#shown("state") || this.link.health === "dead") return;
    clearTimeout(this.#stateTimer);
    const wait = now ? 0 : Math.max(0, this.#stateDue - Date.now());
    this.#stateTimer = setTimeout(() => {
      const begin = Date.now();
      // a state that is slow to read is read less often
      void this.#tree.refresh().then(() => { this.#stateDue = Date.now() + Math.max(500, 4 * (Date.now() - begin)); });
    }, wait);
  }

  // Size

  #resized(width: number): void {
    const size = width >= 1_000 ? "wide" : width < 560 ? "narrow" : "mid";
    if (size !== this.root.getAttribute("data-size")) this.#arrange(size);
    this.#graph.refit(this.#view);
    this.#drawTime();
  }

  /** Wide: rails left and right. Otherwise what is in them becomes tabs. */
  #arrange(size: "wide" | "mid" | "narrow"): void {
    this.root.setAttribute("data-size", size);
    const { state, output, log, stops, branches } = this.#panels;
    if (size === "wide") {
      this.#left.append(branches, stops);
      this.#right.append(state);
      this.#tabArea.append(output, log);
      if (this.#tab !== "output" && this.#tab !== "log") this.#tab = null;
      this.#refreshState(true);
    } else {
      this.#tabArea.append(state, output, log, stops, branches);
    }
    this.#drawTabs();
  }

  // Acts

  #command(cmd: string, args: Record<string, unknown> = {}): Promise<any> {
    return this.link.ask(cmd, { run: this.#run, ...args }).catch((error: Error) => { this.#say(error.message); throw error; });
  }

  #say(message: string): void {
    this.#banner.message = message;
    if (message) this.#announce(message);
    this.#drawBanner();
  }

  #announce(text: string): void {
    this.#voice.textContent = text;
  }

  #go(verb: string): void {
    if (verb === "cancel" && !this.#sure) {
      this.#sure = true;
      this.#drawHead();
      this.#announce("press again to stop the run");
      setTimeout(() => { this.#sure = false; this.#drawHead(); }, 4_000);
      return;
    }
    this.#sure = false;
    this.#banner.message = "";
    void this.#command("go_on", { verb, force: verb === "cancel" && this.#view.head?.ordered === verb }).catch(() => undefined);
  }

  /** Look at a step, or live again (null). Looking never changes the run. */
  #goTo(at: number | null): void {
    const before = this.#at;
    if (before === at) return;
    this.#undo.push(() => this.#goTo(before));
    this.#at = at;
    const step = this.#view.steps.find((each) => each[0] === at);
    if (at !== null && step) {
      this.#graph.restyle(this.#view, null, { ran: new Set(step[1]), next: new Set(step[2]) });
      this.#announce(`viewing step ${at}: ${step[1].join(", ")}`);
    } else {
      this.#graph.restyle(this.#view, null);
      this.#announce("live");
    }
    mark(this.root, "data-at", at === null ? null : String(at));
    this.#drawCard();
    this.#drawTime();
    this.#drawBanner();
    if (this.#shown("output")) this.#drawOutput();
    if (at !== null && this.root.getAttribute("data-size") !== "wide" && this.#tab === null) this.#openTab("state");
    this.#refreshState(true);
  }

  /** Look at another branch. */
  #show(run: string): void {
    if (run === this.#run) return;
    const before = this.#run;
    void this.link.ask("branch", { run }).then((picture) => {
      this.#undo.push(() => this.#show(before));
      this.#run = run;
      this.#at = null;
      mark(this.root, "data-at", null);
      this.link.takePicture(picture);
      this.#drawAll();
      this.#announce(`branch ${this.#view.head?.branch ?? run}`);
    }, (error: Error) => this.#say(error.message));
  }

  async #openFork(): Promise<void> {
    if (this.#fork.isOpen) return this.#fork.close();
    const at = this.#at ?? this.#view.steps.at(-1)?.[0];
    if (at === undefined) return this.#say("There is no finished step to fork from yet.");
    await this.#fork.open(at).catch((error: Error) => this.#say(error.message));
  }

  // Stops

  #menu(path: string, anchor: DOMRect): void {
    const subject = {
      path,
      stops: this.link.stops,
      subgraph: isSubgraph(this.#shape, path),
      collapsed: this.#shape?.collapsed.includes(path) ?? false,
    };
    const menu = drawMenu(subject, {
      close: () => this.#closeOver(),
      add: (spec) => void this.#addStop(spec, ""),
      remove: (stop) => this.#removeStop(stop),
      enable: (stop) => this.#enable(stop, true),
      collapse: (subgraph, on) => void this.#command("collapse", { path: subgraph, on }).catch(() => undefined),
      condition: (node) => { this.#openStops(); this.#stops.suggest(`after:${node}`); },
    });
    placeMenu(menu, anchor, this.root.getBoundingClientRect());
    fill(this.#over, menu);
    menu.querySelector<HTMLElement>("button")?.focus();
  }

  #openStops(): void {
    if (!this.#shown("stops")) this.#openTab("stops");
  }

  async #addStop(spec: string, when: string): Promise<string | null> {
    try {
      const made = await this.link.ask("stop", { run: this.#run, spec, when: when || null });
      this.#undo.push(() => void this.link.ask("unstop", { run: this.#run, stop: made.id }).catch(() => undefined));
      this.#announce(`stop ${spec}`);
      return null; // what is to be said of it stands in the list
    } catch (error) {
      if (!this.#shown("stops")) this.#say((error as Error).message);
      return (error as Error).message;
    }
  }

  #removeStop(stop: Stop): void {
    this.#undo.push(() => void this.#addStop(stop.spec, stop.when ?? ""));
    void this.#command("unstop", { stop: stop.id }).catch(() => undefined);
  }

  #enable(stop: Stop, on: boolean): void {
    this.#undo.push(() => this.#enable(stop, !on));
    void this.#command("enable", { stop: stop.id, on }).catch(() => undefined);
  }

  // Keys

  #key(event: KeyboardEvent): void {
    const key = keyOf(event);
    if (key === null) return;
    event.stopPropagation(); // the notebook listens further up: `d d` would delete the cell
    const typing = isTyping(event.target);
    if (key === "Escape") { event.preventDefault(); this.#escape(typing); return; }
    if (key === "Ctrl+Enter") { event.preventDefault(); this.#confirm(); return; }
    if (key === "Enter" && event.shiftKey) { event.preventDefault(); return; }
    if (typing || key === "Tab") return;
    const onControl = event.target !== this.root && event.target instanceof HTMLElement && event.target.matches("button, summary, input");
    if (onControl && (key === "Enter" || key === " ")) return;
    if (this.#over.querySelector(".sg-menu") && key.startsWith("Arrow")) { event.preventDefault(); return moveInMenu(this.#over, key === "ArrowDown" ? 1 : -1); }
    if (this.#act(key)) event.preventDefault();
  }

  #act(key: string): boolean {
    const verb = { a: "approve", e: "edit", x: "reject", r: "respond", k: "skip", t: "redirect", j: "rerun" }[key];
    if (verb) return this.#card.arm(verb) || (this.#announce(`${verb} is not allowed here`), true);
    const run = RUN_VERBS.find((each) => each[2] === key);
    if (run) {
      if (run[3].includes(this.#view.head?.status ?? "")) this.#go(run[0]);
      return true;
    }
    switch (key) {
      case "Enter": if (!this.#card.confirm()) this.#graph.openMenu(); return true;
      case "[": case "h": this.#time.jump("back"); return true;
      case "]": case "l": this.#time.jump("forward"); return true;
      case "{": case "H": this.#time.jump("mark-back"); return true;
      case "}": case "M": this.#time.jump("mark-forward"); return true;
      case "Home": this.#time.jump("first"); return true;
      case "End": this.#time.jump("live"); return true;
      case "f": void this.#openFork(); return true;
      case "b": this.#toggleStop(); return true;
      case "v": this.#card.turn(1); return true;
      case "V": this.#card.turn(-1); return true;
      case "/": if (!this.#shown("state")) this.#openTab("state"); this.#tree.focusSearch(); return true;
      case "L": this.#graph.toggleList(this.#view); return true;
      case "u": this.#undo.pop()?.(); this.#undo.splice(0, Math.max(0, this.#undo.length - 50)); return true;
      case "?": this.#help(); return true;
      case "ArrowLeft": this.#graph.move(-1, 0); return true;
      case "ArrowRight": this.#graph.move(1, 0); return true;
      case "ArrowUp": this.#graph.move(0, -1); return true;
      case "ArrowDown": this.#graph.move(0, 1); return true;
    }
    const tab = TABS[Number(key) - 1];
    if (tab && /^[1-5]$/.test(key)) { this.#openTab(this.#tab === tab[0] ? null : tab[0]); return true; }
    return key.length === 1;
  }

  #toggleStop(): void {
    const path = this.#graph.selected ?? this.#card.card?.path;
    if (!path) return this.#announce("choose a node with the arrow keys first");
    const known = this.link.stops.find((stop) => stop.spec === `after:${path}`);
    if (known?.enabled) this.#removeStop(known);
    else void this.#addStop(`after:${path}`, "");
  }

  #confirm(): void {
    if (this.#fork.hasFocus) this.#fork.confirm();
    else if (!this.#card.confirm()) (document.activeElement?.closest("form") as HTMLFormElement | null)?.requestSubmit();
  }

  /** Out of a text field, then out of what is open, then out of the panel. */
  #escape(typing: boolean): void {
    if (typing) return this.root.focus();
    if (this.#over.firstChild) { this.#closeOver(); return this.root.focus(); }
    if (this.#card.close()) return this.root.focus();
    if (this.#fork.isOpen) return this.#fork.close();
    const cell = this.root.closest<HTMLElement>(".jp-Notebook, .jp-WindowedPanel-outer");
    this.root.blur();
    (document.activeElement as HTMLElement | null)?.blur?.();
    cell?.focus();
  }

  #help(): void {
    if (this.#over.querySelector(".sg-help")) return this.#closeOver();
    fill(this.#over, drawHelp(() => { this.#closeOver(); this.root.focus(); }));
  }

  #closeOver(): void {
    if (this.#over.firstChild) fill(this.#over);
  }
}

/** One style element in each document or shadow root that has a panel. */
function style(el: HTMLElement): void {
  const home = el.getRootNode();
  const place = home instanceof ShadowRoot ? home : document.head;
  if (!place.querySelector("style[data-stepgraph]")) place.append(h("style", { "data-stepgraph": "" }, css.replaceAll("^", ".sg-").replaceAll("$", "var(--s"))); // the build has shortened it
}
