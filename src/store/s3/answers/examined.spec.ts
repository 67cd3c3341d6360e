import { expect, it } from "vitest";
import { refusalOf } from "./refusals.js";

const GET = { action: "s3:GetObject", bucket: "locks", key: "a" };
const PUT = { action: "s3:PutObject", bucket: "locks", key: "a", isConditional: true };

it.each([
  [
    400,
    PUT,
    'Locks need PutObject with If-Match and If-None-Match. If it is the checksums of newer SDKs that it cannot do, set `requestChecksumCalculation: "WHEN_REQUIRED"`.',
  ],
  [422, GET, "The store does not do what locks need."],
  [
    414,
    PUT,
    "The key has 1 bytes, 1 of them in its longest part between slashes, `.json` included. S3 takes keys of 1,024 bytes; stores on file systems take parts of 255, and some of fewer: use a shorter name.",
  ],
] as const)(
  "an examination that is answered with %i is not advised to examine the store",
  (status, request, remedy) => {
    const failure = { status, code: "Odd", message: "", isForeign: false, sent: true };
    expect(refusalOf(failure, { ...request, isExamination: true })).toMatchObject({ kind: "refused", remedy });
  },
);
