import { describe, expect, it } from "vitest";
import { OF_S3 } from "./handler.js";
import { type Answer, clientFor, errorAnswer, IF_ABSENT, OPTIONS, startStub, storeOver } from "./stub.js";

const HOUR_MS = 3_600_000;

/** Takes requests like AWS: only those that were signed within a quarter of an hour of its own time. */
function strictAboutTime(code: string): Answer {
  return (request, response) => {
    const signed = String(request.headers["x-amz-date"]).replace(
      /^(....)(..)(..)T(..)(..)(..)Z$/,
      "$1-$2-$3T$4:$5:$6Z",
    );
    if (Math.abs(Date.parse(signed) - Date.now()) > HOUR_MS / 4) return errorAnswer(403, code)(request, response);
    response.setHeaders(new Headers({ ...OF_S3, etag: '"x"' }));
    return response.end();
  };
}

describe.each([-5 * HOUR_MS, 5 * HOUR_MS])("with a clock that is %i ms off", (systemClockOffset) => {
  it.each(["RequestTimeTooSkewed", "SignatureDoesNotMatch", "AccessDenied"])(
    "a request that is turned away with %s was not applied, and the next one is signed right",
    async (code) => {
      const stub = await startStub(strictAboutTime(code));
      const store = storeOver(clientFor(stub.endpoint, { systemClockOffset }));
      const first = await store.write("a", "{}", IF_ABSENT, OPTIONS);
      expect(first).toMatchObject({ kind: "unknown", sent: false, timing: { dateMs: expect.any(Number) } });
      expect(stub.seen).toHaveLength(1);
      expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "ok" });
    },
  );
});

it("a denial that the clock does not explain stays a denial, also on a machine whose clock is off", async () => {
  const stub = await startStub(errorAnswer(403, "AccessDenied"));
  const store = storeOver(clientFor(stub.endpoint, { systemClockOffset: 5 * HOUR_MS }));
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "unknown" });
  expect(await store.write("a", "{}", IF_ABSENT, OPTIONS)).toMatchObject({ kind: "refused" });
});

it("many requests at once that are turned away for the clock are all worth another try", async () => {
  const stub = await startStub(strictAboutTime("RequestTimeTooSkewed"));
  const store = storeOver(clientFor(stub.endpoint, { systemClockOffset: 5 * HOUR_MS }));
  const first = await Promise.all(Array.from({ length: 20 }, (_, n) => store.write(`k${n}`, "{}", IF_ABSENT, OPTIONS)));
  expect(new Set(first.map(({ kind }) => kind))).toEqual(new Set(["unknown"]));
});
