import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { ROOMS_FILE, roomsSvg } from "../scripts/rooms.js";
import {
  circlesAmong,
  LISTS,
  MAY_IMPORT,
  MOST_FILES,
  refusedIn,
  roomOf,
  specifiersIn,
  targetOf,
} from "../testkit/layers.js";

const files = filesIn("src");
const sources = sourcesOf(files);
const rooms = Object.keys(MAY_IMPORT);
const map = readFileSync("ARCHITECTURE.md", "utf8");

test("every folder is a room of the table, and every room a folder", () => {
  expect([...new Set(files.map(roomOf))].sort()).toEqual([...rooms].sort());
});

test("no room may import from one below it in the table, so that there is no circle", () => {
  const up = rooms.flatMap((room, place) => {
    const above = rooms.slice(0, place);
    return (MAY_IMPORT[room] ?? []).filter((other) => !above.includes(other)).map((other) => `${room} -> ${other}`);
  });
  expect(up).toEqual([]);
});

test("no wing, a folder of `src` with all of its rooms, is part of a circle of wings", () => {
  const wingOf = (path: string) => (roomOf(path) === "ground" ? "ground" : (roomOf(path).split("/")[0] as string));
  const wings = new Map<string, string>();
  for (const [path, code] of sources) {
    const others = specifiersIn(code).map((one) => wingOf(targetOf(path, one) ?? path));
    const lines = others.filter((other) => other !== wingOf(path)).map((other) => `import "./${other}.js";`);
    wings.set(`${wingOf(path)}.ts`, [wings.get(`${wingOf(path)}.ts`) ?? "", ...lines].join("\n"));
  }
  expect(circlesAmong(wings)).toEqual([]);
});

/** A lease has a nest of holds, each of which is held under that lease: one idea in three files. */
const HOLDS = ["src/runtime/hold/hold.ts", "src/runtime/hold/lease.ts", "src/runtime/hold/nest.ts"];

test.each(["src", "sim", "model", "mutants", "chaos", "stores", "bench", "scripts", "test", "examples"])(
  "no file of %s imports itself in a circle",
  (folder) => {
    expect(circlesAmong(sourcesOf(filesIn(folder)))).toEqual(folder === "src" ? [HOLDS] : []);
  },
);

test("a circle is found wherever it is entered", () => {
  const code = (...names: readonly string[]) =>
    names.map((name) => `import type { X } from "./${name}.js";`).join("\n");
  const some = new Map([
    ["a.ts", code("b")],
    ["b.ts", code("c", "d")],
    ["c.ts", code("a")],
    ["d.ts", code("e")],
    ["e.ts", ""],
  ]);
  expect(circlesAmong(some)).toEqual([["a.ts", "b.ts", "c.ts"]]);
});

test("every import follows the table", () => {
  const refused = [...sources].flatMap(([path, code]) => refusedIn(path, code).map((one) => `${path}: ${one}`));
  expect(refused).toEqual([]);
});

test.each([
  ["src/core/x.ts", 'import { randomUUID } from "node:crypto";'],
  ["src/core/x.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
  ["src/core/x.ts", 'import { S3MutexError } from "../errors.js";'],
  ["src/core/x.ts", 'import type { ObjectStore } from "../store/object-store.js";'],
  ["src/core/x.ts", 'export { x } from "../errors.js";'],
  ["src/core/x.ts", 'export const x = await import("../errors.js");'],
  ["src/core/record.ts", 'import { acquire } from "./transition/acquire.js";'],
  ["src/errors.ts", 'import type { LockRecord } from "./core/record.js";'],
  ["src/store/x.ts", 'import type { Effects } from "../runtime/base/effects.js";'],
  ["src/store/s3/x.ts", 'import { S3Mutex } from "../../mutex.js";'],
  ["src/runtime/swap/x.ts", 'import type { Lease } from "../hold/lease.js";'],
  ["src/runtime/hold/x.ts", 'import { acquire } from "../acquire/acquire.js";'],
  ["src/runtime/base/x.ts", 'import { S3Mutex } from "../../mutex.js";'],
  ["src/primitives/x.ts", 'import { Semaphore } from "./semaphore/semaphore.js";'],
  ["src/verify/checks/x.ts", 'import { MUTEX_OPTIONS } from "../../options/settings.js";'],
  ["src/otel/x.ts", 'import type { S3MutexEvents } from "../runtime/base/events.js";'],
  ["src/mutex.ts", 'import { startS3Server } from "./testing/index.js";'],
  ["src/testing/server/x.ts", 'import { S3Mutex } from "../../mutex.js";'],
  ["src/cli/base/x.ts", 'import { S3Mutex } from "../../index.js";'],
])("the law refuses in %s: %s", (path, code) => {
  expect(refusedIn(path, code)).toEqual(specifiersIn(code));
});

test.each([
  ["src/core/transition/x.ts", 'import type { LockRecord } from "../record.js";'],
  ["src/store/s3/x.ts", 'import { S3Client } from "@aws-sdk/client-s3";'],
  ["src/runtime/hold/x.ts", 'import { S3MutexError } from "../../errors.js";'],
  ["src/runtime/acquire/x.ts", 'import type { Lease } from "../hold/lease.js";'],
  ["src/cli/commands/x.ts", 'import { OK } from "../base/exit-codes.js";'],
])("the law allows in %s: %s", (path, code) => {
  expect(refusedIn(path, code)).toEqual([]);
});

test("what the table allows is made use of: a right that no room needs is taken back", () => {
  const used = new Set(
    [...sources].flatMap(([path, code]) =>
      specifiersIn(code).map((one) => `${roomOf(path)} -> ${roomOf(targetOf(path, one) ?? "")}`),
    ),
  );
  const allowed = rooms.flatMap((room) => (MAY_IMPORT[room] ?? []).map((other) => `${room} -> ${other}`));
  expect(allowed.filter((arrow) => !used.has(arrow))).toEqual([]);
});

test(`no room has more than ${MOST_FILES} files`, () => {
  const countOf = (room: string) => files.filter((path) => roomOf(path) === room).length;
  expect(rooms.filter((room) => countOf(room) > MOST_FILES && !LISTS.includes(room))).toEqual([]);
});

test.each(["sim", "model", "mutants", "chaos", "stores", "bench", "scripts", "testkit", "examples"])(
  `no folder of %s has more than ${MOST_FILES} files`,
  (folder) => {
    const folders = filesIn(folder).map((path) => dirname(path));
    const crowded = folders.filter((one, _, all) => all.filter((other) => other === one).length > MOST_FILES);
    expect([...new Set(crowded)]).toEqual([]);
  },
);

test("ARCHITECTURE.md has every room", () => {
  expect(rooms.filter((room) => !map.includes(`\`${room}\``))).toEqual([]);
});

test("ARCHITECTURE.md has every file of the rooms that it goes through, and none that is not there", () => {
  const said = [...map.matchAll(/^### `([\w/.-]+)`|^\| `([\w./-]+\.ts)` \|/gm)];
  const described = new Map<string, string[]>();
  let room = "";
  for (const [, title, file] of said) {
    if (title === undefined) {
      described.get(room)?.push(file ?? "");
      continue;
    }
    room = title;
    described.set(room, []);
  }
  for (const [name, names] of described) {
    const there = files.filter((path) => roomOf(path) === name).map((path) => path.replace(/^.*\//, ""));
    expect([name, names.toSorted()]).toEqual([name, there.toSorted()]);
  }
});

test("the picture of the rooms is drawn from the table (npm run rooms)", () => {
  expect(readFileSync(ROOMS_FILE, "utf8")).toBe(roomsSvg());
});

function filesIn(folder: string): readonly string[] {
  return execFileSync("git", ["ls-files", "-z", "-co", "--exclude-standard", folder], { encoding: "utf8" })
    .split("\0")
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".spec.ts") && existsSync(path));
}

function sourcesOf(paths: readonly string[]): ReadonlyMap<string, string> {
  return new Map(paths.map((path) => [path, readFileSync(path, "utf8")]));
}
