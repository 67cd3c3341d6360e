import { expect, it } from "vitest";
import { outcomeOfFailure } from "./outcomes.js";
import type { Request } from "./request.js";

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
