import type { App } from "../base/app.js";
import { element, setText, shape } from "../base/dom.js";
import { counted, placeText, visible, whoText } from "../base/text.js";
import { layOut, NODE_HEIGHT, NODE_WIDTH, type PlacedNode } from "./graph-layout.js";
import { type GraphNode, type WaitGraph, waitGraphOfLocks } from "./wait-graph.js";

/** Fits into a node. */
const MAX_CHARACTERS = 20;
/** Below this, the smallest words could not be read any more. */
const MIN_SCALE = 0.75;

/** Who waits for whom, as a picture. */
export class GraphView {
  readonly #app: App;
  readonly #open: (lockName: string) => void;
  readonly #about = element("p", { class: "muted about" });
  readonly #canvas = element("div", { class: "canvas", tabindex: 0, role: "region", "aria-label": "Wait-for graph" });
  #graph: WaitGraph = { nodes: [], edges: [] };
  #drawn = "";

  constructor(root: HTMLElement, app: App, open: (lockName: string) => void) {
    this.#app = app;
    this.#open = open;
    root.append(this.#about, this.#canvas);
  }

  /** Counts the parties that are in deadlocks; whether or not the picture is in sight. */
  deadlocked(): number {
    this.#graph = waitGraphOfLocks(this.#app.history.locks, this.#app.nowMs());
    return this.#graph.nodes.filter((node) => node.kind === "party" && node.fate === "cycle").length;
  }

  /** Draws the picture, after {@link deadlocked} has read what is in it. */
  update(): void {
    const graph = this.#filtered();
    // The picture is built anew only when it is another: what has the focus keeps it.
    const roomWidth = this.#canvas.parentElement?.clientWidth ?? 0;
    const content = JSON.stringify([this.#app.status?.isRead, roomWidth, graph]);
    if (content === this.#drawn) return;
    this.#drawn = content;
    const { nodes, edges, width, height, leftOutLocks } = layOut(graph, roomWidth);
    setText(this.#about, this.#aboutText(nodes, leftOutLocks));
    this.#canvas.hidden = nodes.length === 0;
    const scale = Math.max(MIN_SCALE, Math.min(1, (roomWidth - 2) / width));
    const picture = shape("svg", {
      width: width * scale,
      height: height * scale,
      viewBox: `0 0 ${width} ${height}`,
      role: "group",
      "aria-label": "Graph",
    });
    picture.append(arrowHeads());
    for (const edge of edges) {
      const kind = `edge ${edge.kind}${edge.isInCycle ? " cycle" : ""}`;
      picture.append(
        shape("path", { class: kind, d: edge.path, "marker-end": `url(#arrow${edge.isInCycle ? "-cycle" : ""})` }),
      );
    }
    for (const node of nodes) picture.append(this.#node(node));
    this.#canvas.replaceChildren(picture);
  }

  /** Filters by whole groups: half a cycle would be a lie. */
  #filtered(): WaitGraph {
    const { filter, show } = this.#app;
    if (filter === "" && show === "all") return this.#graph;
    const wanted = new Set(this.#app.filtered().map((lock) => lock.name));
    const kept = new Set(this.#graph.nodes.flatMap((node) => (wanted.has(node.lockName ?? "") ? [node.id] : [])));
    for (let before = -1; before !== kept.size; ) {
      before = kept.size;
      for (const { from, to } of this.#graph.edges) {
        if (kept.has(from)) kept.add(to);
        if (kept.has(to)) kept.add(from);
      }
    }
    const has = ({ from }: { readonly from: string }) => kept.has(from);
    return { nodes: this.#graph.nodes.filter((node) => kept.has(node.id)), edges: this.#graph.edges.filter(has) };
  }

  #aboutText(nodes: readonly GraphNode[], leftOutLocks: number): string {
    if (this.#app.status?.isRead !== true) return "Reading the store…";
    if (nodes.length === 0)
      return this.#graph.nodes.length === 0 ? "No waiters." : "No waiters for what the filter leaves.";
    const cycle = nodes.filter((node) => node.kind === "party" && node.fate === "cycle").length;
    const words = ["An arrow leads from a waiter to the lock, and from the lock to its holder."];
    if (cycle > 0) words.push(`${cycle} wait for each other in a circle; the library makes one of them give way.`);
    if (leftOutLocks > 0) words.push(`${counted(leftOutLocks, "more lock")} with waiters not drawn: use the filter.`);
    return words.join(" ");
  }

  #node(node: PlacedNode): SVGElement {
    const [title, subtitle] = textsOf(node);
    const group = shape(
      "g",
      { class: `node ${node.kind} ${node.fate}`, transform: `translate(${node.x} ${node.y})` },
      shape("rect", { width: NODE_WIDTH, height: NODE_HEIGHT, rx: node.kind === "lock" ? 3 : NODE_HEIGHT / 2 }),
      shape("text", { x: NODE_WIDTH / 2, y: subtitle === "" ? 26 : 18 }, shortened(title)),
      shape("text", { x: NODE_WIDTH / 2, y: 33, class: "sub" }, shortened(subtitle)),
      shape("title", {}, [title, subtitle].filter(Boolean).join("\n")),
    );
    const { lockName } = node;
    if (lockName === undefined) return group;
    for (const [name, value] of [
      ["tabindex", "0"],
      ["role", "button"],
      ["aria-label", [`Lock ${title}`, subtitle].filter(Boolean).join(", ")],
    ] as const) {
      group.setAttribute(name, value);
    }
    group.addEventListener("click", () => this.#open(lockName));
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.#open(lockName);
      }
    });
    return group;
  }
}

function textsOf({ lockName, party, count, fate }: GraphNode): readonly [string, string] {
  const state = fate === "cycle" ? "deadlock" : fate === "behind" ? "behind a deadlock" : "";
  if (lockName !== undefined) return [visible(lockName), state];
  if (party === undefined) return ["", ""];
  if (count !== undefined) return [`${count} more wait`, "and hold nothing"];
  const title = whoText(party);
  const place = placeText(party) ?? "";
  return [title, place === title ? state : place];
}

/** Cuts a text in its middle: the end of a name tells more. */
function shortened(text: string): string {
  const characters = [...text];
  if (characters.length <= MAX_CHARACTERS) return text;
  return `${characters.slice(0, 10).join("")}…${characters.slice(-(MAX_CHARACTERS - 11)).join("")}`;
}

function arrowHeads(): SVGElement {
  const heads = ["arrow", "arrow-cycle"].map((id) =>
    shape(
      "marker",
      {
        id,
        viewBox: "0 0 8 8",
        refX: 7,
        refY: 4,
        markerWidth: 9,
        markerHeight: 9,
        markerUnits: "userSpaceOnUse",
        orient: "auto",
      },
      shape("path", { d: "M0 0L8 4L0 8z", class: id }),
    ),
  );
  return shape("defs", {}, ...heads);
}
