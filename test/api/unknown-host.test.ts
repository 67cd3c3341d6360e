import { expect, vi } from "vitest";
import { it } from "./fixture.js";

const LOCK = "resource";

vi.mock("node:os", async (original) => ({
  ...(await original<typeof import("node:os")>()),
  /** As Deno does without `--allow-sys=hostname`. */
  hostname: () => {
    throw Object.assign(new Error('Requires sys access to "hostname", run again with the --allow-sys flag'), {
      name: "NotCapable",
    });
  },
}));

it("a process that may not know its host name has locks, under an identity without one", async ({ world }) => {
  const mutex = world.mutex({ label: "import" });
  expect(mutex.ownerId).not.toMatch(/undefined|:/);
  await mutex.withLock(LOCK, async () => {
    const [holder] = (await mutex.inspect(LOCK))?.holders ?? [];
    expect(holder).toMatchObject({ owner: mutex.ownerId, label: "import" });
    expect(holder).not.toHaveProperty("host");
    expect(holder).not.toHaveProperty("pid");
  });
});
