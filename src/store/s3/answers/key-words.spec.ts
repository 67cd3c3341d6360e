import { expect, it } from "vitest";
import { S3MutexError } from "../../../errors.js";
import { isLong, refusedForLength, shownKey, tooLong } from "./key-words.js";

it.each([
  ["a".repeat(120), false],
  [`locks/${"a".repeat(120)}/${"b".repeat(120)}`, false],
  [`locks/${"a".repeat(121)}`, true],
  [`${"a/".repeat(200)}`, false],
  [`${"a/".repeat(200)}a`, true],
])("%s may be refused for its length: %s", (key, expected) => {
  expect(isLong(key)).toBe(expected);
});

it("of a long key its beginning is shown, and how long it is", () => {
  expect(shownKey("a".repeat(160))).toBe("a".repeat(160));
  expect(shownKey(`${"a".repeat(160)}\u00e9`)).toBe(`${"a".repeat(120)}... (162 bytes)`);
});

it("how long a key is is told in bytes, with what to do", () => {
  expect(tooLong("locks/\u00e9\u00e9\u00e9\u00e9/a")).toBe(
    "The key has 16 bytes, 8 of them in its longest part between slashes, `.json` included. S3 takes keys of 1,024 bytes; stores on file systems take parts of 255, and some of fewer (`s3-mutex doctor` finds out): use a shorter name.",
  );
});

it("a failure that is the length's is a refusal, which says so after what the store has said", () => {
  const error = new S3MutexError("store-unavailable", "Store 1.0 failed.");
  const failed = { kind: "unknown", error, throttled: false, sent: true } as const;
  const refusal = refusedForLength("abc", failed);
  expect(refusal).toMatchObject({ kind: "refused", error: { code: "invalid-argument", cause: error } });
  expect(refusal).not.toHaveProperty("timing");
  expect(refusal.error.message).toMatch(
    /^Store 1\.0 failed, and so is each key as long, while short ones are taken\. The key has 3 bytes, 3 of them/,
  );
  const timing = { sentAtMs: 1, receivedAtMs: 2 };
  expect(refusedForLength("abc", { ...failed, timing })).toMatchObject({ timing });
});
