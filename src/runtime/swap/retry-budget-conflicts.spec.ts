import { describe, expect, it } from "vitest";
import { begun, never, unknown } from "../../../test/protocol/calls.js";
import type { UnknownOutcome } from "../../store/object-store.js";

type Stage = ReturnType<typeof begun>;

const PLACE = { bucketName: "locks", key: "locks/a.json" };

async function stall(stage: Stage, times: number, etag: string | undefined = '"a"') {
  const tookMs: number[] = [];
  for (let index = 0; index < times; index += 1) {
    tookMs.push((await stage.timed(stage.budget.afterLostRace({ etag }))).tookMs);
    stage.budget.saw({ etag }, PLACE);
  }
  return tookMs;
}

describe("a lost race", () => {
  it("is nothing to a holder, five times; then it steps back too", async () => {
    const { budget, timed } = begun();
    const tookMs: number[] = [];
    for (let race = 0; race < 7; race += 1) {
      tookMs.push((await timed(budget.afterLostRace({ etag: `"${race}"` }))).tookMs);
      budget.saw({ etag: `"${race}, changed"` }, PLACE);
    }
    expect(tookMs).toEqual([0, 0, 0, 0, 0, 1000, 1000]);
  });

  it("makes a contender step back more each time, and says whether it waited", async () => {
    const { budget, timed } = begun({ role: "contender" });
    expect(await timed(budget.afterLostRace({ etag: '"a"' }))).toEqual({ tookMs: 10, outcome: true });
    budget.saw({ etag: '"b"' }, PLACE);
    expect(await timed(budget.afterLostRace({ etag: '"b"' }))).toEqual({ tookMs: 20, outcome: true });
    const eager = begun();
    expect(await eager.timed(eager.budget.afterLostRace({ etag: '"a"' }))).toEqual({ tookMs: 0, outcome: false });
  });

  it("takes the pause that the caller wants, unless one of its own writes may have been first", async () => {
    const waiting = begun({ role: "contender", afterRaceMs: () => 777 });
    expect((await waiting.timed(waiting.budget.afterLostRace({ etag: '"a"' }))).tookMs).toBe(777);
    const doubtful = begun({ role: "contender", afterRaceMs: () => 777 });
    await doubtful.timed(doubtful.budget.afterFailure(unknown("lost")));
    expect((await doubtful.timed(doubtful.budget.afterLostRace({ etag: '"a"' }))).tookMs).toBe(10);
  });

  it("is told of, and ends with the time where no answer came afterwards: others came first", async () => {
    const races: string[] = [];
    const { budget, timed } = begun({ onLostRace: () => void races.push("lost") });
    await timed(budget.afterLostRace({ etag: '"a"' }));
    expect(races).toEqual(["lost"]);
    const outcome = (await timed(budget.answer(never))).outcome as UnknownOutcome;
    await expect(budget.afterFailure(outcome)).rejects.toThrow(
      'The lock "x" was changed by others before the one write of this call, until its time was up',
    );
  });

  it("is not why a call ends that was not answered since, several times: the store is away", async () => {
    const { clockwork, budget, timed } = begun();
    await timed(budget.afterLostRace({ etag: '"a"' }));
    await timed(budget.afterFailure(unknown("gone")));
    await clockwork.pass(25_000);
    const outcome = (await timed(budget.answer(never))).outcome as UnknownOutcome;
    await expect(budget.afterFailure(outcome)).rejects.toThrow('The store did not answer for the lock "x"');
  });

  it("is waited after no longer than there is time", async () => {
    const { clockwork, budget, timed } = begun({ role: "contender", afterRaceMs: () => 5000 });
    await clockwork.pass(29_000);
    expect((await timed(budget.afterLostRace({ etag: '"a"' }))).tookMs).toBe(1000);
  });
});

describe("a conflict that nothing explains", () => {
  it("is told of as a store that contradicts itself, and is one by the fifth time, after two seconds", async () => {
    const stage = begun();
    expect(await stall(stage, 4)).toEqual([0, 80, 160, 320]);
    expect(stage.failures).toHaveLength(4);
    expect(stage.failures[0]).toContain("The store contradicts itself: within 0 ms a write was refused");
    await stage.clockwork.pass(2000);
    await expect(stall(stage, 1)).rejects.toMatchObject({ code: "store-unsafe", lockName: "x" });
    expect(stage.failures[4]).toContain("within 2960 ms 5 writes were refused");
  });

  it("is not yet one by the second time, however long that takes, and may go untold", async () => {
    const stage = begun({}, { isTold: false });
    await stall(stage, 1);
    await stage.clockwork.pass(2500);
    await expect(stall(stage, 1)).resolves.toHaveLength(1);
  });

  it("is not yet one where that takes less than two seconds", async () => {
    const stage = begun();
    await stall(stage, 6);
    expect(stage.sinceMs()).toBeLessThan(2000);
    expect(stage.failures).toHaveLength(6);
    await stage.clockwork.pass(2000);
    await expect(stall(stage, 1)).rejects.toMatchObject({ code: "store-unsafe" });
  });

  it("is forgotten when the object is seen to have changed", async () => {
    const stage = begun();
    await stall(stage, 4);
    await stage.timed(stage.budget.afterLostRace({ etag: '"a"' }));
    stage.budget.saw({ etag: '"b"' }, PLACE);
    await stage.clockwork.pass(5000);
    await stall(stage, 4, '"b"');
    expect(stage.failures).toHaveLength(8);
    expect(stage.failures[7]).toContain("4 writes were refused");
  });

  it("is ridden out by a caller that wants to, with a pause of up to a second, until the time is up", async () => {
    const stage = begun({ outlastsStalls: true });
    const tookMs = await stall(stage, 12);
    expect(Math.max(...tookMs)).toBe(1000);
    expect(Math.max(...(await stall(begun(), 6)))).toBe(400);
    await stage.clockwork.pass(30_000);
    await expect(stall(stage, 1)).rejects.toMatchObject({ code: "store-unavailable" });
  });

  it("is not the end the first time, although the time is up", async () => {
    const stage = begun();
    await stage.clockwork.pass(30_000);
    await stall(stage, 1);
    await expect(stall(stage, 1)).rejects.toMatchObject({ code: "store-unavailable" });
  });

  it("may be about an object that is not there", async () => {
    const stage = begun();
    await stall(stage, 1, undefined);
    await stage.timed(stage.budget.afterLostRace({ etag: undefined }));
    stage.budget.saw({ etag: undefined }, PLACE);
    expect(stage.failures[1]).toContain("(If-None-Match: *)");
  });

  it("is mentioned when it goes on", async () => {
    const stage = begun({ outlastsStalls: true });
    await stall(stage, 1);
    await stage.clockwork.pass(3000);
    await stall(stage, 1);
    expect(stage.warnings).toHaveLength(1);
  });
});

describe("a conflict that nothing explains, when the time is up before the next request", () => {
  it("is what the caller is told", async () => {
    const stage = begun();
    await stall(stage, 2);
    await stage.clockwork.pass(30_000);
    const outcome = (await stage.timed(stage.budget.answer(never))).outcome as UnknownOutcome;
    await expect(stage.budget.afterFailure(outcome)).rejects.toThrow(
      /^The store contradicts itself: .* 2 writes were refused/,
    );
  });

  it("is what the caller is told also where one more write was refused before that", async () => {
    const stage = begun();
    await stall(stage, 2);
    await stage.timed(stage.budget.afterLostRace({ etag: '"a"' }));
    await stage.clockwork.pass(30_000);
    const outcome = (await stage.timed(stage.budget.answer(never))).outcome as UnknownOutcome;
    await expect(stage.budget.afterFailure(outcome)).rejects.toThrow("The store contradicts itself");
  });

  it.each([
    [
      "a request was not answered since",
      async (stage: Stage) => stage.timed(stage.budget.afterFailure(unknown("a 503"))),
    ],
    [
      "the object has changed since",
      async (stage: Stage) => {
        await stage.timed(stage.budget.afterLostRace({ etag: '"a"' }));
        stage.budget.saw({ etag: '"b"' }, PLACE);
      },
    ],
  ])("is not where %s", async (_, meanwhile) => {
    const stage = begun();
    await stall(stage, 2);
    await meanwhile(stage);
    await stage.clockwork.pass(30_000);
    const outcome = (await stage.timed(stage.budget.answer(never))).outcome as UnknownOutcome;
    await expect(stage.budget.afterFailure(outcome)).rejects.toThrow("The store did not answer for the lock");
  });
});
