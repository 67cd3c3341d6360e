import type { GraphEdge, GraphNode, WaitGraph } from "./wait-graph.js";

export interface PlacedNode extends GraphNode {
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge extends GraphEdge {
  /** An SVG path. */
  readonly path: string;
}

export interface Picture {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
  /** How many locks found no place. */
  readonly leftOutLocks: number;
}

export const NODE_WIDTH = 156;
export const NODE_HEIGHT = 42;
const COLUMN_GAP = 48;
const ROW_GAP = 14;
const GROUP_GAP = 34;
const MARGIN = 12;
/** More than this is not a picture any more. */
const MAX_NODES = 120;
const SWEEPS = 4;

/**
 * Puts waiters left of what they wait for. Groups that have nothing to do with each other stand beside each other as long as there is
 * room, then below.
 */
export function layOut(graph: WaitGraph, roomWidth: number): Picture {
  const nodes: PlacedNode[] = [];
  const edges: PlacedEdge[] = [];
  let leftOutLocks = 0;
  let [left, top, bottom, width] = [MARGIN, MARGIN, MARGIN, 0];
  for (const group of groupsOf(graph)) {
    if (nodes.length > 0 && nodes.length + group.nodes.length > MAX_NODES) {
      leftOutLocks += group.nodes.filter((node) => node.kind === "lock").length;
      continue;
    }
    const columns = columnsOf(group);
    const groupWidth = columns.length * (NODE_WIDTH + COLUMN_GAP) - COLUMN_GAP;
    if (left > MARGIN && left + groupWidth + MARGIN > roomWidth) [left, top] = [MARGIN, bottom + GROUP_GAP];
    const placed = place(group, columns, { left, top });
    nodes.push(...placed.nodes);
    edges.push(...placed.edges);
    width = Math.max(width, left + groupWidth);
    bottom = Math.max(bottom, placed.bottom);
    left += groupWidth + GROUP_GAP;
  }
  return { nodes, edges, width: width + MARGIN, height: nodes.length === 0 ? 0 : bottom + MARGIN, leftOutLocks };
}

/** Groups what hangs together; deadlocks first, then the largest, then by name so that pictures keep still. */
function groupsOf({ nodes, edges }: WaitGraph): WaitGraph[] {
  const root = new Map(nodes.map((node) => [node.id, node.id]));
  const find = (id: string): string => {
    let found = id;
    for (let up = root.get(found); up !== undefined && up !== found; up = root.get(found)) found = up;
    root.set(id, found);
    return found;
  };
  for (const { from, to } of edges) root.set(find(from), find(to));
  const groups = new Map<string, { nodes: GraphNode[]; edges: GraphEdge[] }>();
  for (const node of nodes) {
    const group = groups.get(find(node.id)) ?? { nodes: [], edges: [] };
    group.nodes.push(node);
    groups.set(find(node.id), group);
  }
  for (const edge of edges) groups.get(find(edge.from))?.edges.push(edge);
  const rank = (group: WaitGraph) => (group.nodes.some((node) => node.fate === "cycle") ? 1 : 0);
  const name = (group: WaitGraph) => group.nodes.map((node) => node.lockName ?? "\uffff").sort()[0] ?? "";
  return [...groups.values()].sort(
    (one, other) =>
      rank(other) - rank(one) || other.nodes.length - one.nodes.length || (name(one) < name(other) ? -1 : 1),
  );
}

interface Columns {
  readonly columns: readonly (readonly GraphNode[])[];
  /** The edges that go from right to left. */
  readonly back: ReadonlySet<GraphEdge>;
  readonly length: number;
}

function columnsOf({ nodes, edges }: WaitGraph): Columns {
  const back = backEdges(nodes, edges);
  const forward = edges.filter((edge) => !back.has(edge));
  const columns = stepsOf(nodes, forward);
  untangle(columns, forward);
  return { columns, back, length: columns.length };
}

function place(
  { edges }: WaitGraph,
  { columns, back }: Columns,
  corner: { readonly left: number; readonly top: number },
) {
  const tallest = Math.max(...columns.map((column) => column.length));
  const rowHeight = NODE_HEIGHT + ROW_GAP;
  const nodes = columns.flatMap((column, index) =>
    column.map((node, row): PlacedNode => {
      const y = corner.top + ((tallest - column.length) / 2 + row) * rowHeight;
      return { ...node, x: corner.left + index * (NODE_WIDTH + COLUMN_GAP), y };
    }),
  );
  const at = new Map(nodes.map((node) => [node.id, node]));
  const floor = corner.top + tallest * rowHeight - ROW_GAP;
  let depth = 0;
  const routed = edges.flatMap((edge): PlacedEdge[] => {
    const [from, to] = [at.get(edge.from), at.get(edge.to)];
    if (from === undefined || to === undefined) return [];
    if (!back.has(edge)) return [{ ...edge, path: forwardPath(from, to) }];
    depth += 1;
    return [{ ...edge, path: backPath(from, to, floor + depth * ROW_GAP) }];
  });
  return { nodes, edges: routed, bottom: floor + depth * ROW_GAP };
}

/** Finds the edges that close a ring, when one walks from those without waiters. */
function backEdges(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): ReadonlySet<GraphEdge> {
  const leaving = new Map<string, GraphEdge[]>();
  for (const edge of edges) leaving.set(edge.from, [...(leaving.get(edge.from) ?? []), edge]);
  const entered = new Set(edges.map((edge) => edge.to));
  const back = new Set<GraphEdge>();
  const state = new Map<string, "open" | "done">();
  const visit = (id: string): void => {
    state.set(id, "open");
    for (const edge of leaving.get(id) ?? []) {
      const seen = state.get(edge.to);
      if (seen === "open") back.add(edge);
      if (seen === undefined) visit(edge.to);
    }
    state.set(id, "done");
  };
  const starts = [...nodes].sort((one, other) => Number(entered.has(one.id)) - Number(entered.has(other.id)));
  for (const { id } of starts) if (!state.has(id)) visit(id);
  return back;
}

/** Puts each node one column right of the last that leads to it. */
function stepsOf(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): GraphNode[][] {
  const column = new Map(nodes.map((node) => [node.id, 0]));
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    for (const { from, to } of edges) {
      const least = (column.get(from) ?? 0) + 1;
      if ((column.get(to) ?? 0) >= least) continue;
      column.set(to, least);
      isMoving = true;
    }
  }
  const columns: GraphNode[][] = Array.from({ length: Math.max(...column.values()) + 1 }, () => []);
  for (const node of nodes) columns[column.get(node.id) ?? 0]?.push(node);
  return columns;
}

/** Moves each node to the middle of those that it is linked to, a few times over. */
function untangle(columns: GraphNode[][], edges: readonly GraphEdge[]): void {
  const linked = new Map<string, string[]>();
  const link = (from: string, to: string) => linked.set(from, [...(linked.get(from) ?? []), to]);
  for (const { from, to } of edges) {
    link(from, to);
    link(to, from);
  }
  const place = new Map<string, number>();
  const note = (column: readonly GraphNode[]) => {
    for (const [row, node] of column.entries()) place.set(node.id, (row + 0.5) / column.length);
  };
  for (const column of columns) note(column);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const column of sweep % 2 === 0 ? columns : columns.toReversed()) {
      const middle = new Map(
        column.map((node) => [node.id, mean((linked.get(node.id) ?? []).map((id) => place.get(id) ?? 0.5))]),
      );
      column.sort((one, other) => (middle.get(one.id) ?? 0) - (middle.get(other.id) ?? 0));
      note(column);
    }
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0.5 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function forwardPath(from: PlacedNode, to: PlacedNode): string {
  const [x1, y1] = [from.x + NODE_WIDTH, from.y + NODE_HEIGHT / 2];
  const [x2, y2] = [to.x - 2, to.y + NODE_HEIGHT / 2];
  const bend = Math.min((x2 - x1) / 2, COLUMN_GAP);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

/** Draws an edge around below, from right to left. */
function backPath(from: PlacedNode, to: PlacedNode, floor: number): string {
  const [x1, y1] = [from.x + NODE_WIDTH / 2, from.y + NODE_HEIGHT];
  const [x2, y2] = [to.x + NODE_WIDTH / 2, to.y + NODE_HEIGHT + 2];
  const corner = Math.min(8, floor - y1);
  return `M${x1} ${y1}V${floor - corner}Q${x1} ${floor} ${x1 - corner} ${floor}H${x2 + corner}Q${x2} ${floor} ${x2} ${floor - corner}V${y2}`;
}
