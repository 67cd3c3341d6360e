// Runs worker.mjs in workerd, by miniflare: two Workers with one R2 bucket, beside the server for tests. Node 22 or later; started by
// test/runtimes/workerd.ts in a project that has s3-mutex, miniflare and aws4fetch. Ends with "workerd passed".
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { startS3Server } from "s3-mutex/testing";

const [ESBUILD, TOOLS] = process.argv.slice(2);
const { build } = await import(pathToFileURL(ESBUILD).href);
const { Miniflare } = await import(pathToFileURL(createRequire(`${TOOLS}/`).resolve("miniflare")).href);

const NEWEST = "2026-07-01";
/** From here on there is `node:os`; timers are numbers until 2026. */
const OLDEST = "2025-09-15";
const RACERS = 12;
const ROUNDS = 20;
const CHECKS_AT_ONCE = 4;
const RESPONSE_TIME = 30;

/** As users bundle it: nothing of the SDK is there, and what names it is not loaded. */
const WITHOUT_SDK = {
  name: "without-sdk",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@aws-sdk\// }, ({ path }) => ({ path, namespace: "without-sdk" }));
    onLoad({ filter: /.*/, namespace: "without-sdk" }, () => ({ contents: "module.exports = {};" }));
  },
};
const bundle = await build({
  entryPoints: ["worker/worker.mjs"],
  bundle: true,
  write: false,
  format: "esm",
  target: "es2022",
  external: ["node:*"],
  conditions: ["workerd", "worker"],
  nodePaths: [`${TOOLS}/node_modules`],
  plugins: [WITHOUT_SDK],
  logLevel: "error",
});
const [{ text: contents }] = bundle.outputFiles;

const server = await startS3Server({ buckets: ["locks"] });
const { endpoint } = server.clientConfig();

function worker(name, compatibilityDate, compatibilityFlags = ["nodejs_compat"]) {
  const modules = [{ type: "ESModule", path: "worker.mjs", contents }];
  const bindings = { ENDPOINT: endpoint };
  return { name, modules, compatibilityDate, compatibilityFlags, r2Buckets: { LOCKS: "locks" }, bindings };
}

const miniflare = new Miniflare({ workers: [worker("one", NEWEST), worker("other", NEWEST), worker("old", OLDEST)] });
const [one, other, old] = await Promise.all(["one", "other", "old"].map((name) => miniflare.getWorker(name)));

async function ask(what, query, by = one) {
  const response = await by.fetch(`http://worker/${what}?${new URLSearchParams(query)}`);
  const said = await response.json();
  if (said?.error !== undefined && said.kind === undefined) throw new Error(`${what}: ${said.error}`);
  return said;
}

/** Each check in a request of its own, as a Worker would have it. */
async function conform(store) {
  const waiting = [...(await ask("checks", { store })).entries()];
  let passed = 0;
  const checker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [n, name] = next;
      const { reason } = await ask("check", { store, n });
      assert.equal(reason, undefined, `over ${store}, not so: ${name} (${reason})`);
      passed += 1;
    }
  };
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, checker));
  return passed;
}

const racers = (ask) => Promise.all(Array.from({ length: RACERS }, (_, n) => ask(n % 2 === 0 ? one : other)));

/** Requests of two Workers that write the same key at the same moment: one creates it, one replaces that version. */
async function race(store) {
  for (let round = 0; round < ROUNDS; round += 1) {
    const write = { store, key: `races/${round}` };
    const created = await racers((by) => ask("put", { ...write, at: Date.now() + RESPONSE_TIME }, by));
    const [first] = won(created, `${store}, creation ${round}`);
    const replacing = { ...write, etag: first.etag };
    won(
      await racers((by) => ask("put", { ...replacing, at: Date.now() + RESPONSE_TIME }, by)),
      `${store}, replacement ${round}`,
    );
  }
}

function won(answers, what) {
  const winners = answers.filter(({ kind }) => kind === "ok");
  const kinds = answers.map(({ kind }) => kind);
  assert.deepEqual(
    [winners.length, kinds.filter((kind) => kind === "conflict").length],
    [1, RACERS - 1],
    `${what}: ${kinds}`,
  );
  return winners;
}

/** What each request read and wrote under the lock counts: none is lost, and tokens rise. */
async function count(store) {
  const counted = await racers((by) => ask("count", { store }, by));
  const byToken = counted.toSorted((a, b) => a.token - b.token).map(({ total }) => total);
  assert.deepEqual(
    byToken,
    byToken.toSorted((a, b) => a - b),
    `${store}: ${JSON.stringify(counted)}`,
  );
  assert.equal((await ask("counted", { store })).total, RACERS, `${store}: an update under the lock was lost`);
}

/** A lock whose request has ended is not renewed any more, unless `ctx.waitUntil` was told of it. */
async function outlive(store) {
  const left = await ask("hold", { store, name: "left" });
  const taken = await ask("take", { store, name: "left", within: 10_000 }, other);
  assert.ok(taken.token > left.token, `${store}: what a request left behind was not free after its lease`);
  assert.ok(taken.waitedMs > 1000, `${store}: what a request left behind was free after ${taken.waitedMs} ms`);
  await ask("hold", { store, name: "kept", wait: 5000 });
  const early = await ask("take", { store, name: "kept", within: 3000 }, other);
  assert.equal(early.token, undefined, `${store}: a lock that was kept by waitUntil was taken`);
  assert.ok((await ask("take", { store, name: "kept", within: 10_000 }, other)).token !== undefined);
}

for (const store of ["fetch", "r2"]) {
  console.log(`conformance over ${store}: ${await conform(store)} passed`);
  await race(store);
  await count(store);
  await outlive(store);
  const { token } = await ask("take", { store, name: "old", within: 5000 }, old);
  assert.ok(token > 0, `${store}: no lock with a compatibility date of ${OLDEST}`);
}
assert.equal((await ask("shared", { store: "r2" })).said, "had it");
assert.match((await ask("shared", { store: "r2" })).said, /on behalf of a different request/);
const clocks = await ask("clocks", {});
console.log(`clocks: ${JSON.stringify(clocks)}`);
assert.ok(clocks.isWallClock, "performance.now() is not the wall clock any more: docs/guide/edge.md says so");
await miniflare.dispose();
await server.close();
console.log("workerd passed");
