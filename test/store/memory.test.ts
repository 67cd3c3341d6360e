import { expect, it } from "vitest";
import { realEffects } from "../../src/runtime/base/effects.js";
import { MemoryStore } from "../../src/store/memory.js";
import { describeContract, testAbsenceIsTold } from "./contract.js";

const REQUEST = { timeoutMs: 1 };
const ALL = ["store", "races", "locks", "1.x"] as const;

const objects = new MemoryStore({ effects: realEffects, storeClock: () => Date.now(), pageSize: 3 });
describeContract("MemoryStore", () => objects, ALL);
const undated = new MemoryStore({ effects: realEffects });
describeContract("MemoryStore without a clock", () => undated, ["store", "races"]);

it("gives equal bodies equal ETags, as stores do", async () => {
  const store = new MemoryStore({ effects: realEffects });
  const a = await store.write("a", "same", { kind: "if-absent" }, REQUEST);
  const b = await store.write("b", "same", { kind: "if-absent" }, REQUEST);
  expect(a.kind === "ok" && a.etag).toBe(b.kind === "ok" && b.etag);
});

it("dates its answers by the injected clock, to the second, and not at all without one", async () => {
  const dated = new MemoryStore({ effects: realEffects, storeClock: () => 1_234_567 });
  expect(await dated.read("a", REQUEST)).toMatchObject({ timing: { dateMs: 1_234_000 } });
  const bare = await new MemoryStore({ effects: realEffects }).read("a", REQUEST);
  expect(bare).not.toHaveProperty("timing.dateMs");
});

testAbsenceIsTold(() => new MemoryStore({ effects: realEffects }));

it("lists in pages of the length that was asked for", async () => {
  const store = new MemoryStore({ effects: realEffects, pageSize: 3 });
  for (let n = 0; n < 7; n += 1) await store.write(`p/${n}`, "x", { kind: "if-absent" }, REQUEST);
  const first = await store.list("p/", REQUEST);
  expect(first).toMatchObject({ kind: "ok", keys: ["p/0", "p/1", "p/2"], continuation: "p/2" });
  const last = await store.list("p/", { ...REQUEST, continuation: "p/5" });
  expect(last).toMatchObject({ kind: "ok", keys: ["p/6"] });
  expect(last).not.toHaveProperty("continuation");
});
