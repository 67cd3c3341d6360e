import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TABLES, withTable } from "../../scripts/doc-tables.js";
import { parseRecord, serializeRecord } from "../../src/core/codec.js";
import { keyOfName, nameOfKey } from "../../src/core/names.js";
import { IN_FULL } from "../scale.js";
import { type Example, examplesOf, Project, type Ran } from "./examples.js";
import { blocksOf, brokenLinks, codeIn, tableAfter } from "./markdown.js";

const inFolder = (folder: string) => readdirSync(folder).flatMap((file) => (file.endsWith(".md") ? [file] : []));
const GUIDE = inFolder("docs/guide").map((file) => `docs/guide/${file}`);

/** Its examples are tests, so they run as one file of tests. */
const TESTS = "docs/guide/testing.md";
/** Its blocks are a client for each store, and the suite in a test framework of the reader's: nothing to run them on. */
const NOT_RUN = "docs/guide/stores.md";
/** Documents whose examples run one after the other, as a reader from top to bottom would try them. */
const RUNNABLE = ["README.md", ...GUIDE.filter((document) => document !== TESTS && document !== NOT_RUN)];
/** A process for each. Those of the guide are compiled always. */
const RUN = IN_FULL ? RUNNABLE : ["README.md"];

const DOCUMENTS = [
  ...inFolder("."),
  ...inFolder("docs").map((file) => `docs/${file}`),
  ...GUIDE,
  "examples/README.md",
  ...inFolder("docs/decisions").map((file) => `docs/decisions/${file}`),
];
const read = (path: string) => readFileSync(path, "utf8");

// ---------------------------------------------------------------------------------------------------------------------
// Examples

const examples = (await Promise.all(RUNNABLE.map(examplesOf))).flat();
const tests = await examplesOf(TESTS);
const TEST_FILE = "testing.test";

let project: Project;
let complaints = "";
const ran = new Map<string, Ran>();

beforeAll(async () => {
  project = await Project.create();
  for (const example of examples) await project.add(example.file, await compilable(example.code));
  await project.add(TEST_FILE, asTests(tests));
  complaints = await project.compile([...examples.map(({ file }) => file), TEST_FILE]);
  for (const document of RUN) {
    const files = examples.flatMap((example) => (example.document === document ? [example.file] : []));
    for (const [index, result] of (await project.run(files)).entries()) ran.set(files[index] as string, result);
  }
}, 120_000);
afterAll(() => project.remove());

/** What an example prints, where it prints anything. */
const PRINTED: Readonly<Record<string, readonly unknown[]>> = {
  "README.md: s3-mutex": ["1 rows, token of 13 digits"],
  "README.md: Run once": ["true 1"],
  "README.md: Fencing": ["5"],
  "README.md: Web Locks": ["true { held: [], pending: [] }"],
  "README.md: Inspecting locks": ["held, 0 wait"],
  "README.md: Testing your code": ["store-unavailable false"],
  "docs/guide/adapters.md: A store of your own": ["held: true"],
  "docs/guide/choosing-a-store.md: Asking a store": ["pass"],
  "docs/guide/cleanup.md: By hand": [
    expect.stringMatching(/^0 of \d+ locks belong to leases that have ended$/),
    "0 cleaned, 0 unreadable",
  ],
  "docs/guide/cron.md: Lambda": ["done"],
  "docs/guide/errors.md: Errors": [
    expect.stringMatching(
      /^The lock "orders" was not free within 200 ms\. It is held by .+ since \S+, until \S+ unless it is renewed\. true$/,
    ),
    expect.stringMatching(/ undefined \d{4}-/),
  ],
  "docs/guide/fencing.md: Fencing tokens":
    blocksOf(read("docs/guide/fencing.md"), "text")[0]?.trimEnd().split("\n") ?? [],
  "docs/guide/fencing.md: Objects in S3": ["the balance is 5"],
  "docs/guide/fencing.md: Two holders": [
    "1",
    "2",
    expect.stringMatching(/belongs to a newer holder of its lock.* Nothing was changed\.$/),
  ],
  "docs/guide/handing-over.md: Handing a lock over": ["imported the last batch"],
  "docs/guide/inspecting.md: Inspecting locks": ["held, 0 wait"],
  "docs/guide/locks-by-name.md: By force": ["None of them holds it any more: nothing was done."],
  "docs/guide/losing-a-lock.md: Losing a lock": [
    "imported the first batch",
    "imported the second batch",
    "imported the third batch",
  ],
  "docs/guide/migrating.md: What became exclusive": ["true", "false"],
  "docs/guide/run-once.md: Run once": ["true { rows: 1 } false { rows: 1 }"],
  "docs/guide/telemetry.md: Events": ["lock.orders.wait", "lock.orders.hold"],
  // The listeners of "Events" go on listening.
  "docs/guide/telemetry.md: Channels": ["lock.nightly.wait", "nightly: acquired", "lock.nightly.hold"],
  "docs/guide/telemetry.md: Health": ["true 0"],
  "docs/guide/waiting.md: Order": ["the boss, the first, the second"],
  "docs/guide/waiting.md: Giving up": ["aborted - the user has gone"],
  "docs/guide/waiting.md: Deadlocks": ["orders and invoices", "deadlock"],
  "docs/guide/waiting.md: Watching it": ["import: 0 ahead", "import: after a while"],
  "docs/guide/web-locks.md: Use": ["42 false shared [ 'report: shared' ]"],
};

describe("the examples", () => {
  test("compile, strictly", () => expect(complaints).toBe(""));

  const run = examples.filter(({ document }) => RUN.includes(document));
  test.each(run.map((example) => [`${example.document}: ${example.heading}`, example] as const))(
    "%s",
    (name, { file, heading, document }) => {
      const { printed, error, left } = ran.get(file) ?? {};
      expect(error).toBeUndefined();
      expect(left).toEqual([]);
      const isOnly = examples.filter((other) => other.document === document && other.heading === heading).length === 1;
      if (isOnly) expect(printed).toEqual(PRINTED[name] ?? []);
    },
  );

  test.runIf(IN_FULL)(`${TESTS}: all of its tests pass`, { timeout: 60_000 }, async () => {
    expect(await project.test(TEST_FILE)).toBe("");
  });
});

/** Adds imports of what the example takes from its surroundings: what is exported there and not declared here. */
async function compilable(code: string): Promise<string> {
  const surroundings = read("test/readme/surroundings.ts");
  const provided = [...surroundings.matchAll(/^export (?:async )?(?:const|function) (\w+)/gm)].map(([, name]) => name);
  const used = provided.filter((name) => new RegExp(`\\b${name}\\b`).test(withoutText(code)));
  const taken = used.filter(
    (name) => !new RegExp(`\\b(const|let|function|class|using) (\\{[^}]*\\b)?${name}\\b`).test(code),
  );
  return `import { ${taken.join(", ")} } from "./surroundings.js";\n${code}\nexport {};\n`;
}

function withoutText(code: string): string {
  return code.replace(/\/\/.*$/gm, "").replace(/"[^"\n]*"/g, '""');
}

/** Makes one file of all blocks; those that are not a test themselves become one. */
function asTests(blocks: readonly Example[]): string {
  const parts = blocks.map(({ code, heading }, index) => {
    const name = JSON.stringify(`${heading} ${index}`);
    return /^(test|import)\b/m.test(code) ? code : `test(${name}, async () => {\n${code}\n});`;
  });
  return parts.join("\n");
}

// ---------------------------------------------------------------------------------------------------------------------
// What else has to stay true

test.runIf(IN_FULL).each(DOCUMENTS)(
  "%s: its links lead somewhere, its JSON is JSON, the scripts that it names are there",
  (document) => {
    expect(brokenLinks(document)).toEqual([]);
    for (const block of blocksOf(read(document), "json")) expect(() => JSON.parse(block), block).not.toThrow();
    const { scripts } = JSON.parse(read("package.json"));
    const named = [...read(document).matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  },
);

test("C7: a line for cron is silent where another process has the lock, and hides no errors", () => {
  const lines = DOCUMENTS.flatMap((document) => read(document).split("\n")).filter((line) =>
    /^[\d*]+( [\d*]+){4} +s3-mutex /.test(line),
  );
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(line).toMatch(/^[^>]* run --quiet [^>]*$/);
});

test("README.md can be read in one go: at most 250 lines", () => {
  expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(250);
});

test("README.md and the index of the guide name every page of it", () => {
  const pages = GUIDE.map((document) => document.replace("docs/guide/", "")).filter((page) => page !== "README.md");
  const missing = (text: string, folder: string) => pages.filter((page) => !text.includes(`](${folder}${page})`));
  expect(missing(read("README.md"), "docs/guide/")).toEqual([]);
  expect(missing(read("docs/guide/README.md"), "")).toEqual([]);
});

describe("the guide", () => {
  test.each(TABLES)("$page has its table as the doc comments have it (npm run doc-tables)", ({ page, lines }) => {
    expect(withTable(read(page), lines())).toBe(read(page));
  });

  test("has every option, and a default wherever a doc comment names one", () => {
    const rows = tableAfter(read("docs/guide/options.md"), "Options");
    const sources = ["mutex-options", "s3-options"].map((name) => read(`src/options/${name}.ts`)).join("");
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter(([, value]) => value !== "").length).toBe([...sources.matchAll(/@default /g)].length);
  });

  test("has all error codes, reasons of loss and events", () => {
    const errors = read("src/errors.ts");
    const typeOf = (name: string) => new RegExp(`export type ${name} =([^;]*);`).exec(errors)?.[1] ?? "";
    const members = (name: string) => [...typeOf(name).matchAll(/"([^"]+)"/g)].map(([, code]) => code);
    const firstCells = (page: string, heading: string) =>
      tableAfter(read(`docs/guide/${page}.md`), heading).map(([cell]) => codeIn(cell));
    expect(firstCells("errors", "Errors")).toEqual(members("S3MutexErrorCode"));
    expect(firstCells("losing-a-lock", "Losing a lock").toSorted()).toEqual(members("LossReason").toSorted());
    const events = [...read("src/runtime/base/events.ts").matchAll(/^ {2}(\w+): \[/gm)].map(([, event]) => event);
    const listed = tableAfter(read("docs/guide/telemetry.md"), "Events").flatMap(([cell = ""]) => [
      ...cell.matchAll(/`(\w+)`/g),
    ]);
    expect(listed.map(([, event]) => event).toSorted()).toEqual(events.toSorted());
  });
});

describe("docs/wire-format.md", () => {
  const page = read("docs/wire-format.md");
  const [body = ""] = blocksOf(page, "json");

  test("its example is a record, and says the same when it is written again", () => {
    const parsed = parseRecord(body);
    if (parsed.kind !== "record") throw new Error(JSON.stringify(parsed));
    expect(parsed.record.writeId).toBeDefined();
    expect(JSON.parse(serializeRecord(parsed.record))).toEqual(JSON.parse(body));
  });

  test("its sizes are right", () => {
    const { recent, queue, ...rest } = JSON.parse(body);
    const sizes = [recent, new Array(8).fill(recent[0])].map(
      (turns) => JSON.stringify({ ...rest, queue, recent: turns }).length,
    );
    const full = { ...rest, queue: new Array(64).fill(queue[0]), recent: new Array(8).fill(recent[0]) };
    const printed = [...sizes, JSON.stringify(full).length].map((size) => size.toLocaleString("en"));
    const section = page.slice(page.indexOf("\n## Sizes"), page.indexOf("\n## Names and keys"));
    expect([...section.matchAll(/\d+,\d{3}/g)].map(([size]) => size)).toEqual(printed);
  });

  test("explains every field of a record", () => {
    const types = read("src/core/record.ts").replace(/^export type LockRef = [\s\S]*?^\};$/m, "");
    const fields = [...types.matchAll(/^ {2}readonly (\w+)\??: /gm)].map(([, name]) => name);
    expect(fields.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test("its keys are the keys of its names", () => {
    const rows = tableAfter(page, "Names and keys");
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      const [name, key] = row.map((cell) => codeIn(cell) ?? "");
      const unescaped = JSON.parse(`"${name}"`);
      expect(keyOfName("locks/", unescaped)).toEqual({ ok: true, key });
      expect(nameOfKey("locks/", key ?? "")).toBe(unescaped);
    }
  });
});

test.concurrent.each([
  // Which of the three comes first is up to the machine.
  ["nightly-job", expect.stringMatching(/^web-\d: did it\n(web-\d: was done already\n){2}$/)],
  [
    "singleton-worker",
    expect.stringMatching(/second is at work\n.*: force-released\nthe second is at work\n.*: told to\n$/),
  ],
  [
    "migration-gate",
    expect.stringMatching(
      /^web-1 ran create-accounts\nweb-1: the machine is gone\n(web-\d) ran add-balance\n\1 ran index-balance\n(web-\d serves\n){2}web-4 does not serve: the migrations were not free within 100 ms\nthe database has create-accounts, add-balance, index-balance\n$/,
    ),
  ],
  [
    "leader",
    [
      "the first leads, with a higher token than any before",
      "the watcher sees first",
      "the first stops",
      "the second leads, with a higher token than any before",
      "the watcher sees second",
      "the second stops",
      "",
    ].join("\n"),
  ],
  [
    "lambda-handler",
    "a: did Monday; then it is frozen\nb: did Tuesday, at once: the lock was free\nb: did Thursday, after the lease of a was over: true\n",
  ],
  ["fenced-file", expect.stringMatching(/true\nrefused: .*\n.*: false, force-released\n$/)],
])("examples/%s.mjs runs", { timeout: 60_000 }, async (name, expected) => {
  const { stdout } = await promisify(execFile)(process.execPath, [`examples/${name}.mjs`]);
  expect(stdout).toEqual(expected);
});
