import { describe, expect, it } from "vitest";
import {
  ABSENT,
  answering,
  bare404,
  CONFLICT,
  done,
  REFUSED,
  SHOWN_BARE,
  shows,
  TIMING,
  UNKNOWN,
} from "../../../../test/store/probes.js";
import type { AbsenceState } from "../client/client-state.js";
import { Absence } from "./absence.js";

const OURS = bare404("ours");

function judging(...answers: readonly object[]) {
  const state: AbsenceState = {};
  const store = answering(...answers);
  return { state, subject: new Absence(state, store.deps), ...store };
}

/** Three times: a fresh key is answered like this, and the probe object is still shown. */
const rounds = (...looks: readonly string[]) => looks.flatMap((one) => [bare404(one), shows()]);

it("a bare 404 is believed where a probe is answered alike, three times, beside an object that is there", async () => {
  const { subject, state, options, log, keys } = judging(done(), ...rounds("ours", "ours", "ours"), done());
  expect(await subject.judge(OURS, options)).toEqual({ kind: "absent", timing: TIMING });
  expect(log).toEqual(["create *", "read", "read", "read", "read", "read", "read", "delete anyway"]);
  expect(keys.size).toBe(4);
  expect(state).toEqual({ looks: "ours", probe: undefined });
  // The next one needs no probe.
  expect(await subject.judge(OURS, options)).toEqual({ kind: "absent", timing: TIMING });
  expect(await subject.judge(bare404("another"), options)).toEqual(bare404("another").outcome);
});

it("is believed by no timing that there was not", async () => {
  const { subject, state, options } = judging();
  state.looks = "ours";
  const outcome = { ...UNKNOWN };
  expect(await subject.judge({ ...OURS, outcome }, options)).toBe(outcome);
});

it("needs one probe for all who ask at the same time", async () => {
  const { subject, options, isSpent } = judging(done(), ...rounds("ours", "ours", "ours"), done());
  const both = await Promise.all([subject.judge(OURS, options), subject.judge(OURS, options)]);
  expect(both.map(({ kind }) => kind)).toEqual(["absent", "absent"]);
  expect(isSpent()).toBe(true);
});

describe("a bare 404 is not believed", () => {
  it.each<[string, object[]]>([
    ["where the probe could not be created", [REFUSED]],
    ["where the probe was never sent", [{ ...UNKNOWN, sent: false }]],
    ["where it is not known whether there is a probe", [UNKNOWN, done()]],
    ["where something was there already", [CONFLICT]],
    ["where fresh keys are answered otherwise", [done(), ...rounds("theirs", "theirs", "theirs"), done()]],
    ["where fresh keys are answered in two ways", [done(), ...rounds("ours", "ours", "theirs"), done()]],
    ["where a fresh key has no answer", [done(), UNKNOWN, done()]],
    ["where the probe is shown without its ETag", [done(), OURS, SHOWN_BARE, done()]],
    ["where the probe is not shown any more", [done(), bare404("ours"), ABSENT, done()]],
    ["where something else is shown in its place", [done(), bare404("ours"), done(), done()]],
  ])("%s", async (_, answers) => {
    const { subject, state, options, isSpent } = judging(...answers);
    expect(await subject.judge(OURS, options)).toBe(OURS.outcome);
    expect(isSpent()).toBe(true);
    expect(state.probe).toBeUndefined();
  });

  it("where the probe takes longer than a request may", async () => {
    const { subject, state, options, clockwork, deps } = judging(done(), bare404("ours"), shows(), done());
    const { get } = deps.requests;
    Object.assign(deps.requests, {
      get: (...args: Parameters<typeof get>) => {
        clockwork.monotonicMs += options.timeoutMs;
        return get(...args);
      },
    });
    expect(await subject.judge(OURS, options)).toBe(OURS.outcome);
    expect(state.looks).toBeUndefined();
  });

  it("by a store that has said NoSuchKey, to the probe or to another request meanwhile", async () => {
    const named = judging(done(), ABSENT, done());
    expect(await named.subject.judge(OURS, named.options)).toBe(OURS.outcome);
    expect(named.state.looks).toBe("named");
    const meanwhile = judging(done(), ...rounds("ours", "ours", "ours"), done());
    const judged = meanwhile.subject.judge(OURS, meanwhile.options);
    meanwhile.subject.named();
    expect(await judged).toBe(OURS.outcome);
    expect(meanwhile.state.looks).toBe("named");
    expect(await meanwhile.subject.judge(OURS, meanwhile.options)).toBe(OURS.outcome);
  });

  it("and the next one asks again where the probe has said nothing", async () => {
    const { subject, options } = judging(UNKNOWN, done(), done(), ...rounds("ours", "ours", "ours"), done());
    expect(await subject.judge(OURS, options)).toBe(OURS.outcome);
    expect(await subject.judge(OURS, options)).toMatchObject({ kind: "absent" });
  });
});
