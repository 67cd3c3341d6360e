import { expect, it } from "vitest";
import { realEffects } from "../../src/runtime/base/effects.js";
import { MemoryStore } from "../../src/store/memory.js";
import { describeObjectStore } from "./contract.js";

describeObjectStore(
  "MemoryStore",
  () => {
    const store = new MemoryStore({ effects: realEffects, storeClock: () => Date.now(), pageSize: 3 });
    return {
      store,
      async plant(key, body) {
        await store.write(key, body, { kind: "if-absent" }, { timeoutMs: 1 });
      },
    };
  },
  { dates: true, pageSize: 3 },
);

it("gives equal bodies equal ETags, as stores do", async () => {
  const store = new MemoryStore({ effects: realEffects });
  const a = await store.write("a", "same", { kind: "if-absent" }, { timeoutMs: 1 });
  const b = await store.write("b", "same", { kind: "if-absent" }, { timeoutMs: 1 });
  expect(a.kind === "ok" && a.etag).toBe(b.kind === "ok" && b.etag);
});

it("dates its answers by the injected clock, to the second, and not at all without one", async () => {
  const dated = new MemoryStore({ effects: realEffects, storeClock: () => 1_234_567 });
  expect(await dated.read("a", { timeoutMs: 1 })).toMatchObject({ timing: { dateMs: 1_234_000 } });
  const undated = await new MemoryStore({ effects: realEffects }).read("a", { timeoutMs: 1 });
  expect(undated).not.toHaveProperty("timing.dateMs");
});
