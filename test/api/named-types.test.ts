import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const read = (report: string) => readFileSync(`api/${report}`, "utf8");
const reports = readdirSync("api").filter((name) => name.endsWith(".api.md"));

/** What public signatures name and the entry does not export, as `npm run api` finds it. */
const notExported = (report: string) =>
  [...read(report).matchAll(/\(ae-forgotten-export\) The symbol "(\w+)"/g)].map(([, name = ""]) => name);

/** What an entry exports, by its report. */
const exportedBy = (report: string) =>
  [...read(report).matchAll(/^export (?:abstract )?(?:class|interface|type|function|const) (\w+)/gm)].map(
    ([, name]) => name,
  );

describe("each type that a public signature names can be imported", () => {
  test.each(["s3-mutex.api.md", "s3-mutex-port.api.md"])("from the entry itself: %s", (report) => {
    expect(exportedBy(report).length).toBeGreaterThan(50);
    expect(notExported(report)).toEqual([]);
  });

  test.each(reports)("from the entry or from s3-mutex: %s", (report) => {
    const main = exportedBy("s3-mutex.api.md");
    expect(notExported(report).filter((name) => !main.includes(name))).toEqual([]);
  });
});
