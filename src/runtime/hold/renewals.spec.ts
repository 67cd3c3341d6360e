import { describe, expect, it } from "vitest";
import { settled } from "../../../test/protocol/clockwork.js";
import { attemptAt, holderOf, recordOf, T0 } from "../../../test/protocol/samples.js";
import type { Attempt } from "../../core/expiry.js";
import type { LockRecord } from "../../core/record.js";
import type { Decision } from "../../core/transition/decision.js";
import type { RenewOptions, RenewReply } from "../../core/transition/renew.js";
import type { LockObject } from "../swap/lock-object.js";
import type { SwapOptions, Swapped } from "../swap/swap-options.js";
import { WriteLog } from "../swap/write-log.js";
import { OneRenewal, OwnRenewals, Renewals } from "./renewals.js";

type Replies = ReadonlyMap<string, RenewReply>;
type Apply = (record: LockRecord, attempt: Attempt) => Decision<Replies>;

const ON_A = { kind: "if-match", etag: '"a"' } as const;
const READING = { monotonicMs: 1, wallMs: 2 };

/** Renewals over an object whose swap ends when the test says so. */
function renewing() {
  const asked: { readonly apply: Apply; readonly options: SwapOptions }[] = [];
  let end = (_: Swapped<Replies>) => {};
  let fail = (_: Error) => {};
  const object = {
    name: "x",
    swap: (apply: Apply, options: SwapOptions) => {
      asked.push({ apply, options });
      return new Promise<Swapped<Replies>>((resolve, reject) => {
        end = resolve;
        fail = reject;
      });
    },
  } as unknown as LockObject;
  const renewals = new Renewals(object);
  const member = (id: string, more: Partial<SwapOptions> = {}) => {
    const stop = new AbortController();
    const writeLog = new WriteLog();
    const options = {
      ...{ role: "holder" as const, writeLog, timeoutMs: 1000, untilMs: 5000, signal: stop.signal },
      ...more,
      signal: stop.signal,
    };
    const command = { id, token: T0, leaseMs: 10_000, onlyUnexpired: false };
    const told = renewals.add({ command, options }).catch((error: unknown) => error);
    return { told, stop, writeLog };
  };
  const holders = ["a", "b"].map((id) => holderOf({ id, leaseWriteId: `written by ${id}` }));
  /** Applies it to what is there, and answers with what comes of that; something may happen in between. */
  const answer = (meanwhile = () => {}) => {
    const decision = asked[0]?.apply(recordOf({ holders, limit: 2 }), attemptAt(T0 + 1000)) as Decision<Replies>;
    meanwhile();
    end({ reply: decision.reply, snapshot: "snapshot" as never });
    return decision;
  };
  return { asked, member, answer, fail: (error: Error) => fail(error) };
}

describe("renewals that are due together", () => {
  it("are one write, with the time of the most patient and the time-out of the least", async () => {
    const { asked, member, answer } = renewing();
    const failures: unknown[] = [];
    const onFailure = (error: Error, isAnswered: boolean) => void failures.push([error.message, isAnswered]);
    const onRefusal = (error?: Error) => void failures.push(error?.message);
    const [a, b] = [member("a", { onFailure, onRefusal }), member("b", { timeoutMs: 700, untilMs: 9000 })];
    expect(asked).toEqual([]);
    await settled();
    expect(asked).toHaveLength(1);
    expect(asked[0]?.options).toMatchObject({ role: "holder", timeoutMs: 700, untilMs: 9000 });
    asked[0]?.options.onFailure?.(new Error("no") as never, true);
    asked[0]?.options.onRefusal?.(new Error("refused") as never);
    expect(failures).toEqual([["no", true], "refused"]);
    for (const { writeLog } of [a, b]) for (const id of ["a", "b"]) writeLog.begin(`written by ${id}`, ON_A, READING);
    answer();
    for (const [one, id] of [
      [a, "a"],
      [b, "b"],
    ] as const)
      expect(await one.told).toMatchObject({
        snapshot: "snapshot",
        reply: { kind: "renewed", holder: { id, leaseMs: 10_000 } },
      });
  });

  it("are in the write log of each", async () => {
    const { asked, member } = renewing();
    const [a, b] = [member("a"), member("b")];
    await settled();
    asked[0]?.options.writeLog.begin("w", ON_A, READING);
    expect([a.writeLog.hasUnresolved, b.writeLog.hasUnresolved]).toEqual([true, true]);
  });

  it("are each judged by its own writes: what another one has written is a copy's", async () => {
    const { member, answer } = renewing();
    const [a, b] = [member("a"), member("b")];
    a.writeLog.begin("written by a", ON_A, READING);
    await settled();
    answer();
    expect(await a.told).toMatchObject({ reply: { kind: "renewed" } });
    expect(await b.told).toMatchObject({ reply: { kind: "gone", reason: "cloned" } });
  });

  it("fail together", async () => {
    const { member, fail } = renewing();
    const [a, b] = [member("a"), member("b")];
    await settled();
    fail(new Error("down"));
    expect([await a.told, await b.told]).toEqual([new Error("down"), new Error("down")]);
  });
});

describe("a renewal that is stopped", () => {
  it("is told so at once, and the others go on without it", async () => {
    const { asked, member, answer } = renewing();
    const [a, b] = [member("a"), member("b")];
    b.writeLog.begin("written by b", ON_A, READING);
    await settled();
    a.stop.abort("why");
    expect(await a.told).toMatchObject({ code: "aborted", message: "stopped", cause: "why" });
    expect(asked[0]?.options.signal?.aborted).toBe(false);
    expect([...answer().reply.keys()]).toEqual(["b"]);
    expect(await b.told).toMatchObject({ reply: { kind: "renewed" } });
  });

  it("ends the write where it was the last one", async () => {
    const { asked, member } = renewing();
    const [a, b] = [member("a"), member("b")];
    await settled();
    b.stop.abort();
    a.stop.abort();
    expect(asked[0]?.options.signal?.aborted).toBe(true);
    expect(await b.told).toMatchObject({ code: "aborted" });
  });

  it("is what one is that comes when the write was made already", async () => {
    const { member, answer } = renewing();
    member("a");
    await settled();
    let late: Promise<unknown> | undefined;
    answer(() => {
      late = member("b").told;
    });
    expect(await late).toMatchObject({ code: "aborted" });
  });

  it("afterwards ends nothing", async () => {
    const { asked, member, answer } = renewing();
    const a = member("a");
    await settled();
    answer();
    await a.told;
    a.stop.abort();
    expect(asked[0]?.options.signal?.aborted).toBe(false);
  });
});

describe("the renewals of one process", () => {
  function ofOne() {
    const ends: (() => void)[] = [];
    const object = {
      name: "x",
      swap: () => new Promise((_, reject) => ends.push(() => reject(new Error("over")))),
    } as unknown as LockObject;
    const renewals = new OwnRenewals(object);
    const renew = (id: string, tellOthers = () => {}) => {
      const { signal } = new AbortController();
      const options = { role: "holder" as const, writeLog: new WriteLog(), timeoutMs: 1000, untilMs: 5000, signal };
      const command = { id, token: T0, leaseMs: 10_000, onlyUnexpired: false };
      renewals.renew({ command, options }, tellOthers).catch(() => {});
    };
    return { ends, renewals, renew };
  }

  it("are one write with those that are told of it, and not with later ones", async () => {
    const { ends, renew } = ofOne();
    renew("a", () => renew("b"));
    await settled();
    expect(ends).toHaveLength(1);
    renew("c");
    await settled();
    expect(ends).toHaveLength(2);
  });

  it("are under way until the last of them is over", async () => {
    const { ends, renewals, renew } = ofOne();
    expect(renewals.underWay).toBeUndefined();
    renew("a");
    const first = renewals.underWay;
    renew("b");
    await settled();
    expect(renewals.underWay).toBeDefined();
    expect(renewals.underWay).not.toBe(first);
    ends[0]?.();
    await settled();
    expect(renewals.underWay).toBeDefined();
    ends[1]?.();
    await settled();
    expect(renewals.underWay).toBeUndefined();
  });
});

describe("a renewal of one hold that is asked for while another one is under way", () => {
  const PLAIN = { onlyUnexpired: false };
  const REFRESH = { onlyUnexpired: true };
  const SHARE = { onlyUnexpired: false, mode: "shared" } as const;

  /** The renewals of a hold, each of which is answered when the test says so; `asked`: what for. */
  function ofOneHold() {
    const asked: RenewOptions[] = [];
    const ends: ((error?: Error) => void)[] = [];
    const stop = new AbortController();
    const renewal = new OneRenewal({
      isHeld: true,
      standing: { quietSignal: stop.signal },
      loseIfOver: () => {},
      renewOnce: (options) => {
        asked.push(options);
        return new Promise((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
      },
    });
    return { renewal, asked, ends, stop };
  }

  it.each([
    ["the same", PLAIN, PLAIN],
    ["the same share", SHARE, SHARE],
    ["no more than that it goes on", SHARE, PLAIN],
  ])("is that one where it asks for %s", async (_, first, then) => {
    const { renewal, asked, ends } = ofOneHold();
    const answers = Promise.all([renewal.make(first), renewal.make(then)]);
    ends[0]?.();
    expect([await answers, asked]).toEqual([[true, true], [first]]);
  });

  it.each([
    ["a share", PLAIN, SHARE],
    ["a lease that has not ended", PLAIN, REFRESH],
    ["also one that has ended", REFRESH, PLAIN],
    ["a share, and that one for a lease that has not ended", REFRESH, SHARE],
  ])("is made after it where it asks for %s", async (_, first, then) => {
    const { renewal, asked, ends } = ofOneHold();
    renewal.make(first).catch(() => {});
    const made = renewal.make(then);
    await settled();
    expect(asked).toEqual([first]);
    ends[0]?.(new Error("no answer"));
    await settled();
    expect([asked, renewal.isUnderWay]).toEqual([[first, then], true]);
    ends[1]?.();
    expect([await made, renewal.isUnderWay]).toEqual([true, false]);
  });

  it("is one with all that ask for the same while it waits, and is waited for", async () => {
    const { renewal, asked, ends } = ofOneHold();
    const order: string[] = [];
    void renewal.make(PLAIN).then(() => order.push("first"));
    for (const name of ["second", "third"]) void renewal.make(SHARE).then(() => order.push(name));
    void renewal.settled().then(() => order.push("settled"));
    ends[0]?.();
    await settled();
    ends[1]?.();
    await settled();
    expect([asked, order]).toEqual([
      [PLAIN, SHARE],
      ["first", "second", "third", "settled"],
    ]);
  });

  it("is not sent where the hold was given back meanwhile", async () => {
    const { renewal, asked, ends, stop } = ofOneHold();
    renewal.make(PLAIN).catch(() => {});
    const made = renewal.make(SHARE);
    stop.abort();
    ends[0]?.(new Error("aborted"));
    expect([await made, asked]).toEqual([false, [PLAIN]]);
  });
});
