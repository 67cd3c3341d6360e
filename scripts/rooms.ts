// npm run rooms      draws the rooms of `src` and what they import, as docs/images/rooms.svg
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { MAY_IMPORT } from "../testkit/layers.js";

/** Wings that only stand on the others: each is drawn as one room. */
const WINGS: readonly string[] = ["cli", "testing", "verify", "primitives", "store/s3"];
const WIDTH = 1120;
const ROOM = { width: 150, height: 34, gap: 16, floor: 84 };

export const ROOMS_FILE = "docs/images/rooms.svg";

/** Draws the house, the ground at the bottom. Arrows that follow from others are left out. */
export function roomsSvg(): string {
  const graph = wingsOf(MAY_IMPORT);
  const places = placed(floorsOf(graph));
  const height = Math.max(...[...places.values()].map(({ y }) => y)) + ROOM.height + 20;
  const arrows = [...graph].flatMap(([room, targets]) =>
    [...targets].filter((target) => !isImplied(graph, room, target)).map((target) => arrow(places, room, target)),
  );
  const boxes = [...places].map(([room, { x, y }]) => box(room, x, y));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Rooms of the source and what they import" font-family="system-ui, sans-serif" font-size="12">`,
    `<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#64748b"/></marker></defs>`,
    `<rect width="${WIDTH}" height="${height}" fill="#f8fafc"/>`,
    ...arrows,
    ...boxes,
    "</svg>",
  ].join("\n")}\n`;
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;
type Places = ReadonlyMap<string, { readonly x: number; readonly y: number }>;

function wingsOf(table: Readonly<Record<string, readonly string[]>>): Graph {
  const wingOf = (room: string) => WINGS.find((wing) => room === wing || room.startsWith(`${wing}/`)) ?? room;
  const graph = new Map<string, Set<string>>();
  for (const [room, targets] of Object.entries(table)) {
    if (room === "ground") continue;
    const own = graph.get(wingOf(room)) ?? new Set();
    graph.set(wingOf(room), own);
    for (const target of targets) if (wingOf(target) !== wingOf(room)) own.add(wingOf(target));
  }
  return graph;
}

/** Puts each room one floor above the highest that it imports. */
function floorsOf(graph: Graph): readonly (readonly string[])[] {
  const floorOf = (room: string): number => Math.max(-1, ...[...(graph.get(room) ?? [])].map(floorOf)) + 1;
  const floors: string[][] = [];
  for (const room of graph.keys()) {
    const floor = floorOf(room);
    floors[floor] = [...(floors[floor] ?? []), room];
  }
  return floors;
}

function placed(floors: readonly (readonly string[])[]): Places {
  const places = new Map<string, { x: number; y: number }>();
  for (const [floor, rooms] of floors.entries()) {
    const width = rooms.length * (ROOM.width + ROOM.gap) - ROOM.gap;
    // Alternating floors stand a little aside, so that arrows past a floor are seen.
    const left = (WIDTH - width) / 2 + (floor % 2 === 0 ? -60 : 60);
    for (const [place, room] of rooms.entries()) {
      places.set(room, { x: left + place * (ROOM.width + ROOM.gap), y: 20 + (floors.length - 1 - floor) * ROOM.floor });
    }
  }
  return places;
}

function isImplied(graph: Graph, room: string, target: string): boolean {
  const reaches = (from: string): boolean => from === target || [...(graph.get(from) ?? [])].some(reaches);
  return [...(graph.get(room) ?? [])].some((other) => other !== target && reaches(other));
}

function box(room: string, x: number, y: number): string {
  const label = WINGS.includes(room) ? `${room}/…` : room;
  return `<g><rect x="${x}" y="${y}" width="${ROOM.width}" height="${ROOM.height}" rx="6" fill="#fff" stroke="#334155"/><text x="${x + ROOM.width / 2}" y="${y + ROOM.height / 2 + 4}" text-anchor="middle" fill="#0f172a">${label}</text></g>`;
}

function arrow(places: Places, room: string, target: string): string {
  const from = places.get(room) ?? { x: 0, y: 0 };
  const to = places.get(target) ?? { x: 0, y: 0 };
  const [x1, y1] = [from.x + ROOM.width / 2, from.y + ROOM.height];
  const [x2, y2] = [to.x + ROOM.width / 2, to.y];
  const bend = (y2 - y1) / 2;
  return `<path d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}" fill="none" stroke="#94a3b8" marker-end="url(#head)"/>`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(ROOMS_FILE, roomsSvg());
