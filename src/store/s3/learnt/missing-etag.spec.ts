import { describe, expect, it } from "vitest";
import { answering, bare404, CONFLICT, done, REFUSED, shows, UNKNOWN } from "../../../../test/store/probes.js";
import { MissingEtags } from "./missing-etag.js";

const outcome = { ...UNKNOWN };
const BARE = { kind: "no-etag", body: "{}", outcome } as const;

/** What reads of the probe show is not known before it is written. */
function judging(written: object, ...answers: readonly object[]) {
  const store = answering(written, ...answers);
  const bare = { kind: "no-etag", outcome } as const;
  const { requests } = store.deps;
  const get = requests.get.bind(requests);
  const read: typeof requests.get = async (...args) => {
    const found = await get(...args);
    return found.kind === "ok" && found.etag === "" ? { ...bare, body: found.body } : found;
  };
  return { ...store, subject: new MissingEtags({ ...store.deps, requests: { ...requests, get: read } as never }) };
}

const UNSAFE = { kind: "refused", error: { code: "store-unsafe", message: expect.stringContaining("show no ETag") } };

it.each([
  ["was answered", done()],
  ["was answered without one as well", UNKNOWN],
])("is the store's where it shows what was written without one, whose write %s", async (_, written) => {
  const { subject, options, log } = judging(written, shows(""), done());
  expect(await subject.judge(BARE, options)).toMatchObject(UNSAFE);
  expect(log).toEqual(["create *", "read", "delete anyway"]);
});

it("costs one probe for all who ask at the same time, and another one later", async () => {
  const { subject, options, log } = judging(done(), shows(""), done(), done(), shows(), done());
  const both = await Promise.all([subject.judge(BARE, options), subject.judge(BARE, options)]);
  expect(both).toMatchObject([UNSAFE, UNSAFE]);
  expect(log).toHaveLength(3);
  expect(await subject.judge(BARE, options)).toBe(outcome);
});

describe("belongs to no store", () => {
  it.each<[string, object[]]>([
    ["where the probe is shown with its ETag", [done(), shows(), done()]],
    ["where another body is shown", [UNKNOWN, { kind: "no-etag", body: "{}", outcome }, done()]],
    ["where the probe is not found", [done(), bare404("ours"), done()]],
    ["where no answer comes", [UNKNOWN, UNKNOWN, done()]],
    ["where the probe may not be written", [REFUSED]],
    ["where the probe was never sent", [{ ...UNKNOWN, sent: false }]],
    ["where something is in its place", [CONFLICT]],
  ])("%s", async (_, [written = {}, ...answers]) => {
    const { subject, options, isSpent } = judging(written, ...answers);
    expect(await subject.judge(BARE, options)).toBe(outcome);
    expect(isSpent()).toBe(true);
  });
});
