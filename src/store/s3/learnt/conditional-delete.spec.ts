import type { S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { settled } from "../../../../test/protocol/clockwork.js";
import {
  ABSENT,
  answering,
  bare404,
  CONFLICT,
  done,
  REFUSED,
  SHOWN_BARE,
  shows,
  UNKNOWN,
  UNSAFE,
} from "../../../../test/store/probes.js";
import { THROTTLE_PAUSE_MS } from "../../object-store.js";
import { stateOf } from "../client/client-state.js";
import { Absence } from "./absence.js";
import { conditionalDeleteSupport, programIn, removeIfHonoured } from "./conditional-delete.js";
import { EtagForms } from "./etag-form.js";
import { Versions } from "./versions.js";

/** Asks a store that lets the client delete: what it says first is that there is nothing of the kind. */
function asking(...answers: readonly object[]) {
  return askingFirst(ABSENT, ...answers);
}

function askingFirst(...answers: readonly object[]) {
  const state = stateOf({} as S3Client, 1).bucket("locks");
  state.etagForm.settled = true;
  const store = answering(...answers);
  let name: string | undefined;
  const probe = {
    server: () => name,
    forms: new EtagForms(state.etagForm, store.deps),
    absence: new Absence(state.absence, store.deps),
    deps: store.deps,
  };
  const call = (server: string | undefined) => {
    name = server;
  };
  const remove = () => removeIfHonoured({ key: "locks/a", etag: '"a"' }, new Versions({}), state, probe, store.options);
  return { state, call, remove, support: () => conditionalDeleteSupport(state, probe, store.options), ...store };
}

const NOTHING = 'delete "5c9d1f0e7b3a48628e41d07c2ab6f935"';
const NO_RIGHT = { ...REFUSED, about: "permissions" } as const;
const BEGUN = [done('"1"'), done('"2"')];
/** Up to the deletion under the right condition. */
const KEPT = [...BEGUN, CONFLICT, shows('"2"')];

it("is honoured where a stale condition fails and keeps the object, and the right one removes it: asked once", async () => {
  const { support, log } = asking(...KEPT, done(), ABSENT);
  expect(await Promise.all([support(), support()])).toEqual([{ kind: "honoured" }, { kind: "honoured" }]);
  expect(await support()).toEqual({ kind: "honoured" });
  expect(log).toEqual([NOTHING, "create *", 'replace "1"', 'delete "1"', "read", 'delete "2"', "read"]);
});

it("is asked once more where a 409 says that another write was under way, which tells nothing of conditions", async () => {
  const busy = { ...CONFLICT, busy: true };
  const supportBy = async (...answers: readonly object[]) => {
    const { support, clockwork } = asking(...BEGUN, busy, ...answers);
    const asked = support();
    await settled();
    await clockwork.pass(THROTTLE_PAUSE_MS);
    return await asked;
  };
  expect(await supportBy(CONFLICT, shows('"2"'), done(), ABSENT)).toEqual({ kind: "honoured" });
  expect(await supportBy(done(), done())).toEqual({ kind: "unsupported" });
  expect(await supportBy(busy, done())).toMatchObject({
    kind: "unknown",
    error: { code: "store-unavailable", message: expect.stringContaining('a write (409) was "conflict"') },
  });
});

describe("an object stays, as where the store cannot remove it safely", () => {
  it("where the client may delete nothing", async () => {
    const { remove, log } = askingFirst(NO_RIGHT);
    expect(await remove()).toEqual({ kind: "unsupported" });
    expect(log).toEqual([NOTHING]);
  });

  it.each<[object, object]>([
    [NO_RIGHT, { kind: "unsupported" }],
    [REFUSED, REFUSED],
    [CONFLICT, CONFLICT],
  ])("where the store honours conditions, and answers its own deletion with %j: %j", async (answer, outcome) => {
    const { remove, log } = asking(...KEPT, done(), ABSENT, answer);
    expect(await remove()).toEqual(outcome);
    expect(log.at(-1)).toBe('delete "a"');
  });
});

describe("is not known", () => {
  it.each([CONFLICT, ABSENT])(
    "where what was deleted is gone and the answer is %j, as of a request that was sent twice",
    async (answer) => {
      const { support } = asking(...KEPT, answer, ABSENT, done());
      expect(await support()).toMatchObject({ kind: "unknown", error: { code: "store-unavailable" } });
    },
  );

  it("where the probe is shown without its ETag: what came is told", async () => {
    expect(await asking(...BEGUN, CONFLICT, SHOWN_BARE, done()).support()).toBe(UNKNOWN);
  });

  it("where the right condition is denied", async () => {
    expect(await asking(...KEPT, REFUSED, done()).support()).toBe(REFUSED);
  });
});

it("is asked about also where the question of the right to delete was not answered", async () => {
  expect(await askingFirst(UNKNOWN, ...KEPT, done(), ABSENT).support()).toEqual({ kind: "honoured" });
});

it.each([
  ["says of what is there that it is absent", [ABSENT, shows('"2"')]],
  ["cannot do it under the right condition", [UNSAFE]],
])("is not used where the store %s", async (_, answers) => {
  expect(await asking(...KEPT, ...answers, done()).support()).toEqual({ kind: "unsupported" });
});

describe("is not used where a program is known to delete what a racing PUT has just written", () => {
  it("without a question, once its name is known", async () => {
    const { support, call, log } = asking();
    call("VERSITYGW");
    expect(await support()).toEqual({ kind: "unsupported" });
    expect(log).toEqual([]);
  });

  it("also where its name came with the answers to the probe", async () => {
    const { support, call } = asking(...KEPT, done(), ABSENT);
    const running = support();
    call("versitygw/1.9");
    expect(await running).toEqual({ kind: "unsupported" });
  });

  it.each<[string, Record<string, string>, string | undefined]>([
    ["denies that there is a marker where there are no versions", { "x-amz-delete-marker": "false" }, "gofakes3"],
    ["does so about one version", { "x-amz-delete-marker": "false", "x-amz-version-id": "1" }, undefined],
    ["tells of a marker", { "x-amz-delete-marker": "true" }, undefined],
    ["says nothing of markers", { server: "AmazonS3" }, undefined],
  ])("by the answer that only gofakes3 gives, whatever its name is: one that %s", async (_, headers, program) => {
    expect(programIn({ headers } as never)).toBe(program);
    const { support, call } = asking(...KEPT, done(), ABSENT);
    call(program);
    expect((await support()).kind).toBe(program === undefined ? "honoured" : "unsupported");
  });

  it.each(["AmazonS3", "not VERSITYGW", "VERSITYGWX", ""])("another one, such as %j, is asked", async (name) => {
    const { support, call } = asking(...KEPT, done(), ABSENT);
    call(name);
    expect(await support()).toEqual({ kind: "honoured" });
  });
});

describe("is not supported", () => {
  it.each<[string, object[]]>([
    ["where a stale condition wins", [...BEGUN, done(), done()]],
    ["where the object is gone although the condition failed", [...BEGUN, CONFLICT, ABSENT, done()]],
    ["where the store cannot do it", [...BEGUN, UNSAFE, done()]],
    ["where it says that there is nothing", [...BEGUN, ABSENT, done()]],
    ["where the right condition fails", [...KEPT, CONFLICT, shows(), done()]],
    ["where the object is there although it was removed", [...KEPT, done(), shows(), done()]],
  ])("%s", async (_, answers) => {
    const { support, isSpent, log } = asking(...answers);
    expect(await support()).toEqual({ kind: "unsupported" });
    expect(await support()).toEqual({ kind: "unsupported" });
    expect(isSpent()).toBe(true);
    expect(log.at(-1)).toBe("delete anyway");
  });
});

describe("it is not known yet, and the next call asks again", () => {
  const HONOURED = [ABSENT, ...KEPT, done(), ABSENT];

  it("where the client may not delete: nothing is created then", async () => {
    const { support, log, keys } = askingFirst(NO_RIGHT, ...HONOURED);
    expect(await support()).toEqual({ kind: "denied" });
    expect(log).toEqual([NOTHING]);
    expect([...keys]).toEqual(["locks/.s3-mutex/probe-id1-never"]);
    expect(await support()).toEqual({ kind: "honoured" });
  });

  it.each<[string, object[], object]>([
    ["where the probe was refused", [REFUSED, done()], REFUSED],
    ["where the probe had no answer", [UNKNOWN, done()], UNKNOWN],
    ["where the replacement was refused", [done(), REFUSED, done()], REFUSED],
    ["where the replacement had no answer", [done(), UNKNOWN, done()], UNKNOWN],
    ["where a deletion was refused", [...BEGUN, REFUSED, done()], REFUSED],
    ["where a deletion was denied", [...BEGUN, NO_RIGHT, done()], { kind: "denied" }],
    ["where a deletion had no answer", [...BEGUN, UNKNOWN, done()], UNKNOWN],
    ["where a read had no answer", [...BEGUN, CONFLICT, UNKNOWN, done()], UNKNOWN],
    ["where the other deletion had no answer", [...KEPT, UNKNOWN, done()], UNKNOWN],
    ["where the last read had no answer", [...KEPT, done(), UNKNOWN, done()], UNKNOWN],
  ])("%s", async (_, answers, expected) => {
    const { support, isSpent } = asking(...answers, ...HONOURED);
    expect(await support()).toEqual(expected);
    expect(await support()).toEqual({ kind: "honoured" });
    expect(isSpent()).toBe(true);
  });

  it.each<[string, object[], string]>([
    ["create", [CONFLICT, done()], 'create was "conflict"'],
    ["replacement", [done(), CONFLICT, done()], 'replace was "conflict"'],
    ["deletion that was sent twice", [...KEPT, CONFLICT, ABSENT, done()], 'delete was "conflict"'],
    ["read", [...BEGUN, CONFLICT, REFUSED, done()], 'read was "refused"'],
    ["last read", [...KEPT, done(), REFUSED, done()], 'read was "refused"'],
  ])("a %s that is answered in no way that was expected is told of in words", async (_, answers, words) => {
    const { support } = asking(...answers);
    const outcome = await support();
    expect(outcome).toMatchObject({ kind: "unknown", error: { message: expect.stringContaining(words) } });
  });

  it("where the form of ETags is not known", async () => {
    const { support, state } = asking(REFUSED, done());
    state.etagForm.settled = false;
    expect(await support()).toBe(REFUSED);
  });
});

it("a bare 404 is an answer only where the store says it like that", async () => {
  const { support, state } = asking(...KEPT, done(), bare404("ours"));
  state.absence.looks = "ours";
  expect(await support()).toEqual({ kind: "honoured" });
  const strange = asking(...KEPT, done(), bare404("theirs"), done());
  strange.state.absence.looks = "ours";
  expect(await strange.support()).toMatchObject({ kind: "unknown" });
});
