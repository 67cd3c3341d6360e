import { expect, it } from "vitest";
import { Scene } from "../../testkit/scene.js";

it("does not begin what was done while its process stood still, between the grant and the function", async () => {
  const scene = new Scene();
  const [slow, quick] = [scene.client({ lockTimeoutMs: 3000 }), scene.client({ lockTimeoutMs: 3000 })];
  const ran: string[] = [];
  let hasStamped = false;
  scene.fate = ({ process, operation, key }) => {
    if (process === slow.process && key.startsWith("once/")) {
      if (operation === "read" && hasStamped) {
        hasStamped = false;
        scene.world.after(5, () => process.freeze(20_000, false));
      }
      hasStamped ||= operation === "write";
    }
    return { kind: "fine" };
  };
  const run = (by: typeof slow, who: string) =>
    by.mutex.runOnce(
      "job",
      () => {
        ran.push(who);
        return who;
      },
      { timeoutMs: 30_000 },
    );
  const first = run(slow, "slow");
  await scene.pass(500);
  const second = await scene.until(run(quick, "quick"), 60_000);
  expect(second).toEqual({ ran: true, result: "quick" });
  expect(await scene.until(first, 60_000)).toEqual({ ran: false, result: "quick" });
  expect(ran).toEqual(["quick"]);
});
