import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { cli, STORE, startCli, startStore } from "./cli.js";
import { cliHere } from "./here.js";

test.each(["SIGINT", "SIGTERM"] as const)(
  "it prints an address, serves the page there, and ends on %s",
  async (signal) => {
    const { environment, mutex } = await startStore();
    await using _held = await mutex.acquire("nightly", { label: "backup" });
    const ui = startCli(["ui"], environment);
    const [url] = await ui.says(/http:\S+/);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/);
    await ui.says(new RegExp(`Dashboard of ${STORE}\\. Ctrl-C ends it\\.`));
    expect(await (await fetch(url)).text()).toContain("<title>s3-mutex</title>");

    const { origin, searchParams } = new URL(url);
    const headers = { authorization: `Bearer ${searchParams.get("token")}` };
    const events = (await fetch(`${origin}/events`, { headers })).body
      ?.pipeThrough(new TextDecoderStream())
      .getReader();
    let told = "";
    while (!told.includes('"label":"backup"')) told += (await events?.read())?.value ?? "";
    // With a page that is open.
    ui.process.kill(signal);
    expect(await ui.ended).toMatchObject({ exitCode: 0, stderr: "" });
  },
);

test("JSON is for programs, and read-only is said", async () => {
  const { environment } = await startStore();
  const ui = startCli(["ui", "--json", "--read-only", `${STORE}te`], { ...environment, S3_MUTEX_STORE: "" });
  const [line] = await ui.says(/\{.*\}\n/);
  expect(JSON.parse(line)).toEqual({ url: expect.stringMatching(/^http:/), readOnly: true });
  ui.process.kill("SIGTERM");
  expect((await ui.ended).exitCode).toBe(0);
});

test("a port that is taken is one clear sentence", async () => {
  const { environment } = await startStore();
  const occupant = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void occupant.close());
  await new Promise((resolve) => occupant.once("listening", resolve));
  const { port } = occupant.address() as AddressInfo;
  const { exitCode, stdout, stderr } = await cli(["ui", "--port", String(port)], environment);
  const message = `s3-mutex: port ${port} on 127.0.0.1 is taken: use another --port, or none for any that is free.\n`;
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 1, stdout: "", stderr: message });
});

test.each([
  [
    ["--host", "0.0.0.0"],
    "--host 0.0.0.0 can be reached by others: forward a port with ssh -L, or add --allow-remote.",
  ],
  [["--host", "127.0.0.1.example.com"], "can be reached by others"],
  [["--port", "x"], "--port"],
  [["--interval", "1ms"], "--interval 1ms is too short"],
  [[STORE, "more"], "more is one too many."],
])("usage: %j", async (args, message) => {
  const { exitCode, stdout, stderr } = await cliHere(["ui", ...args], { S3_MUTEX_STORE: STORE });
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain(message);
});

test("without a store it says what to do", async () => {
  const { exitCode, stderr } = await cliHere(["ui"]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("Which store?");
});
