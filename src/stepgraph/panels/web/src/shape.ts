/** The shape of a run's graph, as the kernel sends it, and what is asked of it. */
import type { Rule, Stop } from "./model";

export type Box = [x: number, y: number, width: number, height: number];
export interface Layout { width: number; height: number; nodes: Record<string, Box>; clusters: Record<string, Box>; edges: Record<string, { d: string; label?: [number, number] }> }
export type ShapeNode = [path: string, name: string, kind: string, parent: string | null];
export type ShapeEdge = [source: string, target: string, conditional: boolean, label: string | null];
export interface Shape { nodes: ShapeNode[]; edges: ShapeEdge[]; collapsed: string[]; layout: Layout | null; dot: string | null }

/** The paths of all START and END. */
export function terminals(shape: Shape): string[] {
  return shape.nodes.filter(isTerminal).map((node) => node[0]);
}

export function isSubgraph(shape: Shape | null, path: string): boolean {
  return shape?.nodes.some((node) => node[0] === path && node[2] === "subgraph") ?? false;
}

export function hasSubgraphs(shape: Shape | null): boolean {
  return shape?.nodes.some((node) => node[2] === "subgraph") ?? false;
}

/** The names of the nodes in the graph of a node, to which one may go from there. */
export function reachable(shape: Shape | null, path: string): string[] {
  const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : null;
  return (shape?.nodes ?? []).filter((node) => node[3] === parent && !isTerminal(node) && node[2] !== "handler").map((node) => node[1]);
}

/** The declared targets of a node: those that always follow, and those that a router may choose. */
export function targets(shape: Shape | null, path: string): { always: string[]; maybe: string[] } {
  const handlers = new Set((shape?.nodes ?? []).filter((node) => node[2] === "handler").map((node) => node[0]));
  const edges = (shape?.edges ?? []).filter((edge) => edge[0] === path && !handlers.has(edge[1]));
  const names = (conditional: boolean) => [...new Set(edges.filter((edge) => edge[2] === conditional).map((edge) => edge[1].split("/").at(-1)!))];
  return { always: names(false), maybe: names(true) };
}

/** The nodes at which something is decided for the rest of the run, or stops are: on, or all off. */
export function stopMarks(shape: Shape, stops: Stop[], rules: Rule[]): Map<string, string> {
  const found = new Map<string, string>();
  const paths = shape.nodes.map((node) => node[0]);
  for (const { title } of rules) found.set(title.split(":")[1] ?? "", "rule");
  for (const stop of stops) {
    if (rules.some((rule) => rule.stop === stop.id)) continue;
    const [, pattern] = stop.spec.split(/:(.*)/s) as [string, string | undefined];
    const node = pattern?.split("/").length === 2 && stop.spec.startsWith("edge:") ? pattern.split("/")[0]! : pattern;
    for (const path of paths) if (node === path || (node === "*" && !path.includes("__"))) found.set(path, stop.enabled ? "on" : (found.get(path) ?? "off"));
  }
  return found;
}

/** Paths of the subgraphs around a node. */
export function above(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

function isTerminal(node: ShapeNode): boolean {
  return node[2] === "start" || node[2] === "end";
}
