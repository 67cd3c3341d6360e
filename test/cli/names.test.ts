import { expect, test, vi } from "vitest";
import { BUCKET, startStore } from "./cli.js";
import { cliHere } from "./here.js";

/** Each process of the CLI takes a second to start, and more on a busy machine. */
vi.setConfig({ testTimeout: 60_000 });

test("C2: a name ends with no slash, and a beginning of names may", async () => {
  const { environment } = await startStore();
  expect(await cliHere(["show", "team/"], environment)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('"team/" ends with a slash, as folders do: leave it out'),
  });
  expect(await cliHere(["ls", "team/"], environment)).toMatchObject({ exitCode: 0 });
});

test("C2: names with a dot, a colon or a space inside are names", async () => {
  const { environment, server } = await startStore();
  for (const name of ["release-1.2", "job.2026", "a b", "host:9000", "jsonl/x.jsonl", "once/x", "my-bucket/x"]) {
    expect(await cliHere(["run", name, "--", "true"], environment), name).toMatchObject({ exitCode: 0 });
  }
  expect(server.objects(BUCKET).map(({ key }) => key)).toContain("locks/release-1.2e2.json");
});

test("C2: with --literal a name is what the library has, whatever it looks like", async () => {
  const { environment, mutex } = await startStore();
  for (const name of ["report.json", "./x", "/x", "locks/x", "s3://b/data/part-1", " x", "team/"]) {
    await using _lock = await mutex.acquire(name);
    const { exitCode } = await cliHere(["run", "--no-wait", "--literal", name, "--", "true"], environment);
    expect(exitCode, name).toBe(75);
  }
  const shown = await cliHere(["ls", "--literal", "--json", "./"], environment);
  expect(JSON.parse(shown.stdout).lockName).toBe("./x");
});
