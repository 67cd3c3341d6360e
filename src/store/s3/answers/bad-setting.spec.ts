import { expect, it } from "vitest";
import { OutOfTime } from "../../time-bound.js";
import { outcomeOfFailure } from "./outcomes.js";
import type { Request } from "./request.js";
import { type Transmission, TransmissionRefused } from "./transmission.js";

const PUT: Request = { action: "s3:PutObject", bucket: "locks", key: "a", isConditional: true };

it("a setting that is misspelt is refused for good, as a request that was not sent, with what may stand there", () => {
  const thrown = Object.assign(new Error('The environment variable X is "SOMETIMES"'), { name: "BadSetting" });
  const context = { request: PUT, credentialsWorked: true, clockCorrected: false };
  const outcome = outcomeOfFailure(thrown, { sentAtMs: 1 }, context);
  expect(outcome).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
  expect(outcome.error.message).toMatch(
    /was not sent \(BadSetting: The environment variable X is "SOMETIMES"\)\. Write WHEN_REQUIRED or WHEN_SUPPORTED there, or remove it\.$/,
  );
});

it.each([
  [
    "EndpointError",
    "Custom endpoint `http://store:9000undefined` was not a valid URI",
    "of a URL object, pass its `.href`",
  ],
  ["EndpointError", "Custom endpoint `store:9000` was not a valid URI", "check region, endpoint and bucket name"],
  ["TypeError", "it is undefined", "check region, endpoint and bucket name"],
])("what no URL could be made of is refused for good: %s, %s", (name, message, remedy) => {
  const context = { request: PUT, credentialsWorked: true, clockCorrected: false };
  const outcome = outcomeOfFailure(Object.assign(new Error(message), { name }), {}, context);
  expect(outcome).toMatchObject({ kind: "refused", error: { code: "invalid-argument" } });
  expect(outcome.error.message).toContain(remedy);
});

it("names the credentials where the time was up before a request was sent, and only there", () => {
  const context = { request: PUT, credentialsWorked: true, clockCorrected: false };
  const words = (transmission: Transmission, thrown: Error) =>
    outcomeOfFailure(thrown, transmission, context).error.message;
  expect(words({}, new OutOfTime("late"))).toMatch(/late\. Nothing has left: the credentials of the S3 client/);
  expect(words({ sentAtMs: 1 }, new OutOfTime("late"))).not.toContain("credentials");
  expect(words({}, new TransmissionRefused("twice"))).not.toContain("credentials");
});
