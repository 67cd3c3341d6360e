import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import { expect, test } from "vitest";
import { ROOMS_FILE, roomsSvg } from "../scripts/rooms.js";
import { GROUND, LISTS, MAY_IMPORT, MOST_FILES, PURE } from "./layers.js";

const files = execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard", "src"], { encoding: "utf8" })
  .split("\0")
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".spec.ts") && existsSync(path));
const imports = new Map(files.map((path) => [path, importsOf(path)]));
const rooms = Object.keys(MAY_IMPORT);

test("every folder is a room of the table, and every room a folder", () => {
  expect([...new Set(files.map(roomOf))].sort()).toEqual([...rooms].sort());
});

test("no room may import from one below it in the table, so that there is no circle", () => {
  const up = rooms.flatMap((room, place) =>
    (MAY_IMPORT[room] ?? [])
      .filter((other) => !rooms.slice(0, place).includes(other))
      .map((other) => `${room} -> ${other}`),
  );
  expect(up).toEqual([]);
});

test("every import follows the table", () => {
  const forbidden = arrows().filter(({ from, to }) => to !== "ground" && !MAY_IMPORT[from]?.includes(to));
  expect(forbidden.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
});

test("what the table allows is made use of: a right that nobody needs is taken back", () => {
  const used = new Set(arrows().map(({ from, to }) => `${from} -> ${to}`));
  const allowed = rooms.flatMap((room) => (MAY_IMPORT[room] ?? []).map((other) => `${room} -> ${other}`));
  expect(allowed.filter((arrow) => !used.has(arrow))).toEqual([]);
});

test("what is pure imports nothing from outside", () => {
  const outside = files
    .filter((path) => PURE.includes(roomOf(path)))
    .flatMap((path) =>
      specifiersOf(path)
        .filter((specifier) => !specifier.startsWith("."))
        .map((one) => `${path}: ${one}`),
    );
  expect(outside).toEqual([]);
});

test(`no room has more than ${MOST_FILES} files`, () => {
  const countOf = (room: string) => files.filter((path) => roomOf(path) === room).length;
  expect(rooms.filter((room) => countOf(room) > MOST_FILES && !LISTS.includes(room))).toEqual([]);
});

test("ARCHITECTURE.md has every room", () => {
  const map = readFileSync("ARCHITECTURE.md", "utf8");
  expect(rooms.filter((room) => !map.includes(`\`${room}\``))).toEqual([]);
});

test("the picture of the rooms is drawn from the table (npm run rooms)", () => {
  expect(readFileSync(ROOMS_FILE, "utf8")).toBe(roomsSvg());
});

test("ARCHITECTURE.md names no file that is not there", () => {
  const map = readFileSync("ARCHITECTURE.md", "utf8");
  const named = [...map.matchAll(/^### `([\w/.-]+)`|^\| `([\w./-]+\.ts)` \|/gm)];
  let room = "";
  const missing: string[] = [];
  for (const [, title, file] of named) {
    if (title !== undefined) room = title;
    else if (!files.some((path) => roomOf(path) === room && path.endsWith(`/${file}`)))
      missing.push(`${room}: ${file}`);
  }
  expect(missing).toEqual([]);
});

function arrows() {
  return [...imports].flatMap(([file, targets]) =>
    targets
      .map((target) => ({ file, target, from: roomOf(file), to: roomOf(target) }))
      .filter(({ from, to }) => from !== to),
  );
}

function roomOf(path: string): string {
  if (GROUND.includes(path)) return "ground";
  return dirname(path).replace(/^src\/?/, "") || "mutex";
}

function specifiersOf(path: string): string[] {
  const found = readFileSync(path, "utf8").matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([^"]+)"/g);
  return [...found].map(([, specifier]) => specifier ?? "");
}

/** Imports of our own files, types included. */
function importsOf(path: string): string[] {
  return specifiersOf(path)
    .filter((specifier) => specifier.startsWith(".") && specifier.endsWith(".js"))
    .map((specifier) => posix.join(dirname(path), specifier.replace(/\.js$/, ".ts")))
    .filter((target) => files.includes(target));
}
