import { describe, expect, it } from "vitest";
import { begun, never, unknown } from "../../../test/protocol/calls.js";
import { S3MutexError } from "../../errors.js";
import type { UnknownOutcome } from "../../store/object-store.js";

const PLACE = { bucketName: "locks", key: "locks/a.json" };

describe("a store, or something before it, that has answered", () => {
  const answered = (why: string): UnknownOutcome => ({ ...unknown(why), timing: { sentAtMs: 1, receivedAtMs: 2 } });

  it("is quoted, and is not said to be silent", async () => {
    const { clockwork, budget, timed } = begun();
    await timed(budget.afterFailure(unknown("one")));
    await clockwork.pass(30_000);
    const said = 'No request for the lock "x" got through; the last answer: a 507';
    await expect(budget.afterFailure(answered("a 507"))).rejects.toMatchObject({ message: said });
  });

  it("has let no write through where it has answered a read", async () => {
    const { clockwork, budget, timed } = begun();
    budget.saw({ etag: '"a"' }, PLACE);
    await timed(budget.afterFailure(answered("a 507")));
    await clockwork.pass(30_000);
    const said = 'No write for the lock "x" got through; the last answer: a 507';
    await expect(budget.afterFailure(answered("a 507"))).rejects.toMatchObject({ message: said });
  });

  it("is quoted for the check of the store where that is what was asked for, and not for the lock", async () => {
    const { clockwork, budget, timed } = begun({ isOfCheck: true });
    await timed(budget.afterFailure(answered("one")));
    await clockwork.pass(30_000);
    const uncheckable = 'The lock "x" was not handed out, since the store could not be checked';
    const said = `${uncheckable}; the last answer: a 507`;
    await expect(budget.afterFailure(answered("a 507"))).rejects.toMatchObject({ message: said });
    await expect(budget.afterFailure(unknown("gone"))).rejects.toMatchObject({ message: `${uncheckable}: gone` });
  });

  it("is still quoted where there was no time for one more request", async () => {
    const { clockwork, budget, timed } = begun();
    await timed(budget.afterFailure(answered("a 507")));
    await clockwork.pass(29_500);
    const outcome = (await timed(budget.answer(never))).outcome as UnknownOutcome;
    await expect(budget.afterFailure(outcome)).rejects.toThrow("the last answer: a 507");
  });

  it("is silent where it has not answered since", async () => {
    const { clockwork, budget, timed } = begun();
    await timed(budget.afterFailure(answered("a 507")));
    await clockwork.pass(30_000);
    await expect(budget.afterFailure(unknown("gone"))).rejects.toThrow(
      'The store did not answer for the lock "x": gone',
    );
  });

  it("has answered nothing where its answer broke off", async () => {
    const { clockwork, budget, timed } = begun();
    await timed(budget.afterFailure(answered("a 507")));
    await clockwork.pass(30_000);
    const said = 'The store did not answer for the lock "x": ECONNRESET';
    await expect(budget.afterFailure({ ...answered("ECONNRESET"), brokeOff: true })).rejects.toThrow(said);
  });

  it("is warned of as one that turns requests away, also where it contradicts itself", async () => {
    const { clockwork, budget, timed, warnings } = begun();
    await timed(budget.afterFailure(answered("a 507")));
    await clockwork.pass(3000);
    await timed(budget.afterFailure(answered("a 507")));
    const stalling = begun({ outlastsStalls: true });
    for (let times = 0; times < 2; times += 1) {
      await stalling.timed(stalling.budget.afterLostRace({ etag: '"a"' }));
      stalling.budget.saw({ etag: '"a"' }, PLACE);
      await stalling.clockwork.pass(3000);
    }
    const said = [...warnings, ...stalling.warnings].map((warning) => (warning as string[])[0]);
    // The one that contradicts itself has answered reads.
    expect(said).toEqual(['no request for the lock "x" gets through', 'no write for the lock "x" gets through']);
  });
});

describe("a refusal of a request that is not over yet", () => {
  const refusal = new S3MutexError("access-denied", "400 ExpiredToken");

  it("is thrown where the time is up", async () => {
    const heard: unknown[] = [];
    const { budget, timed } = begun({ onRefusal: (error) => heard.push(error) });
    const answer = budget.answer(({ onRefusal }) => {
      onRefusal?.(refusal);
      return never();
    });
    expect(heard).toEqual([refusal]);
    expect(await timed(answer)).toEqual({ tookMs: 30_000, outcome: refusal });
  });

  it("is not where it was taken back, or there is time for another request", async () => {
    const unheard = { kind: "unknown", sent: true };
    const heard: unknown[] = [];
    const { budget, timed } = begun({ onRefusal: (error) => heard.push(error) });
    const answer = budget.answer(({ onRefusal }) => {
      onRefusal?.(refusal);
      onRefusal?.();
      return never();
    });
    expect(heard).toEqual([refusal, undefined]);
    expect((await timed(answer)).outcome).toMatchObject(unheard);
    const patient = begun({ onRefusal: () => {}, untilMs: 1_000_000 });
    const first = patient.budget.answer(({ onRefusal }) => {
      onRefusal?.(refusal);
      return never();
    });
    expect((await patient.timed(first)).outcome).toMatchObject(unheard);
  });

  it("is thrown, too, for a caller that does not listen itself", async () => {
    const { budget, timed } = begun();
    const answer = budget.answer(({ onRefusal }) => {
      onRefusal?.(refusal);
      return never();
    });
    expect(await timed(answer)).toEqual({ tookMs: 30_000, outcome: refusal });
  });
});
