import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { environmentFor, startCli } from "./cli.js";

/** Starts a store that takes connections and says nothing, as one behind a firewall or one that hangs does. */
async function startSilentStore(): Promise<{ readonly endpoint: string; asked(): Promise<void> }> {
  let ask: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("data", ask);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked };
}

/** What a command without a signal of its own ends with. */
const INTERRUPTED = 130;

// Each waits for an answer that does not come, and holds nothing.
test.each<[string, string[], number]>([
  ["run", ["run", "a", "--", "true"], INTERRUPTED],
  ["run --no-wait", ["run", "--no-wait", "a", "--", "true"], INTERRUPTED],
  ["once", ["once", "a", "--", "true"], INTERRUPTED],
  ["elect", ["elect", "a", "--", "true"], INTERRUPTED],
  ["ls", ["ls"], INTERRUPTED],
  ["show", ["show", "a"], INTERRUPTED],
  ["watch", ["watch"], 0],
  ["graph", ["graph"], INTERRUPTED],
  ["release", ["release", "--force", "--yes", "a"], INTERRUPTED],
  ["delete", ["delete", "--yes", "a"], INTERRUPTED],
  ["cleanup", ["cleanup"], INTERRUPTED],
  ["doctor", ["doctor"], INTERRUPTED],
  ["bench", ["bench"], INTERRUPTED],
])("15.3: Ctrl-C ends %s within two seconds where the store does not answer", async (_, args, exitCode) => {
  const { endpoint, asked } = await startSilentStore();
  const command = startCli(args, environmentFor(endpoint));
  await asked();
  const startedAtMs = performance.now();
  command.process.kill("SIGINT");
  expect(await command.ended).toMatchObject({ exitCode });
  // On a machine that is busy; without a bound it is the 20 seconds that requests have, or no end.
  expect(performance.now() - startedAtMs).toBeLessThan(5000);
});
