import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { BodyHashState } from "../client/client-state.js";
import { BodyHashes } from "./body-hash.js";

const BODY = Buffer.from("body");
const OTHER = Buffer.from("other");
const MD5 = createHash("md5").update(BODY).digest("hex");
const OF_S3 = { "x-amz-request-id": "1" };

function hashes(isMd5?: boolean): { readonly state: BodyHashState; readonly subject: BodyHashes } {
  const state: BodyHashState = { isMd5, unlike: new Map() };
  return { state, subject: new BodyHashes(state) };
}

describe("what a store's ETags are is learnt by writing", () => {
  it.each([
    ["the hash of the body", `"${MD5}"`, true],
    ["another hash", `"${"0".repeat(32)}"`, undefined],
    ["no hash", '"version-1"', undefined],
  ])("%s", (_, etag, isMd5) => {
    const { state, subject } = hashes();
    expect(subject.wrote(etag, "body", OF_S3)).toBe(true);
    expect(state.isMd5).toBe(isMd5);
  });

  it.each([`"${"0".repeat(32)}"`, '"version-1"'])("and by what is found stored: %s is not a hash", (etag) => {
    const { state, subject } = hashes();
    subject.wrote(etag, "body", OF_S3);
    subject.judge(etag, OTHER, OF_S3);
    expect(state.isMd5).toBeUndefined();
    expect(subject.judge(etag, BODY, OF_S3)).toBeUndefined();
    expect(state).toMatchObject({ isMd5: false });
    expect(state.leavesUnmarked).toBeUndefined();
  });

  it.each([`"${"0".repeat(32)}"`, '"version-1"'])("and once they are hashes, %s is not the store's", (etag) => {
    const { state, subject } = hashes(true);
    expect(subject.wrote(etag, "body")).toBe(false);
    expect(subject.wrote(`"${MD5}"`, "body")).toBe(true);
    expect(state.isMd5).toBe(true);
    // What is stored under it all the same shows that the store has changed its ways.
    expect(subject.judge(etag, OTHER, {})).toBe("damaged");
    expect(subject.judge(etag, BODY, {})).toBeUndefined();
    expect(state.isMd5).toBe(false);
  });

  it("what is stored under another ETag than the doubted one shows nothing", () => {
    const { state, subject } = hashes(true);
    subject.wrote('"version-1"', "body");
    expect(subject.judge('"version-2"', BODY, {})).toBe("damaged");
    expect(state.isMd5).toBe(true);
  });

  it("and once they are not hashes, none of them is doubted, nor are they hashes again by chance", () => {
    const { state, subject } = hashes(false);
    expect(subject.wrote(`"${"0".repeat(32)}"`, "body", OF_S3)).toBe(true);
    expect(subject.wrote(`"${MD5}"`, "body")).toBe(true);
    expect(state.isMd5).toBe(false);
    expect(subject.judge(`"${MD5}"`, OTHER, {})).toBeUndefined();
  });
});

describe("an answer to a write that S3 has not marked", () => {
  const KMS = { "x-amz-server-side-encryption": "aws:kms" };

  it.each([undefined, true, false])("is the store's where its ETag is the hash, whatever others are (%s)", (isMd5) => {
    const { state, subject } = hashes(isMd5);
    expect(subject.wrote(`"${MD5}"`, "body")).toBe(true);
    expect(state.unproven).toBeUndefined();
  });

  it.each<[string, Record<string, string>]>([
    [`"${"0".repeat(32)}"`, {}],
    ['"version-1"', {}],
    [`"${MD5}"`, KMS],
  ])("may be of something else (%s, %o), until what was written is found under it", (etag, headers) => {
    const { subject } = hashes();
    expect(subject.wrote(etag, "body", headers)).toBe(false);
    expect(subject.wrote(etag, "body", headers)).toBe(false);
    subject.judge(etag, OTHER, headers);
    subject.judge('"another"', BODY, headers);
    expect(subject.wrote(etag, "body", headers)).toBe(false);
    subject.judge(etag, BODY, headers);
    expect(subject.wrote('"version-2"', "other", headers)).toBe(true);
  });

  it.each(['W/"version-1"', '"version-1-gzip"'])("is known again where reads show its ETag as %s", (shown) => {
    const { state, subject } = hashes();
    expect(subject.wrote('"version-1"', "body")).toBe(false);
    subject.judge(shown, BODY);
    expect(state).toMatchObject({ leavesUnmarked: true, unproven: undefined });
  });

  it("is kept for no read where nothing can be learnt from it", () => {
    const { state, subject } = hashes(false);
    expect(subject.wrote('"version-1"', "body", OF_S3)).toBe(true);
    expect(state.unproven).toBeUndefined();
    state.leavesUnmarked = true;
    expect(subject.wrote('"version-1"', "body")).toBe(true);
    expect(state.unproven).toBeUndefined();
    const encrypted = hashes();
    expect(encrypted.subject.wrote('"version-1"', "body", { ...OF_S3, ...KMS })).toBe(true);
    expect(encrypted.state.unproven).toBeUndefined();
  });

  it("that has no hash, and is read back with one, says nothing about hashes", () => {
    const { state, subject } = hashes();
    expect(subject.wrote(`"${MD5}"`, "body", KMS)).toBe(false);
    subject.judge(`"${MD5}"`, BODY);
    expect(state.isMd5).toBeUndefined();
  });

  it("gives no reason to take hashes for none, where the ETag cannot be told", () => {
    const { state, subject } = hashes(true);
    expect(subject.wrote(`"${MD5}"`, "body", KMS)).toBe(false);
    subject.judge(`"${MD5}"`, BODY, KMS);
    expect(state).toMatchObject({ isMd5: true, leavesUnmarked: true });
    expect(subject.wrote('"version-2"', "body", KMS)).toBe(true);
    expect(subject.wrote('"version-2"', "body")).toBe(false);
  });
});

describe("what a read shows", () => {
  it.each([[`"${MD5}"`], [`W/"${MD5}"`], [MD5], [`"${MD5}-gzip"`], [`"${MD5};;br"`]])(
    "is whole where its ETag is its hash, shown as %s",
    (etag) => {
      const { subject } = hashes(true);
      expect(subject.judge(etag, BODY, {})).toBeUndefined();
      expect(subject.judge(etag, OTHER, {})).toBe("damaged");
      expect(hashes().subject.judge(etag, OTHER, OF_S3)).toBe("doubtful");
    },
  );

  it.each([`"${MD5}-2"`, `"x${MD5}"`, `"${MD5}x"`, `"${MD5.toUpperCase()}"`, '"version-1"'])(
    "%s is not such a hash: another's answer, unless S3 has marked it",
    (etag) => {
      expect(hashes(true).subject.judge(etag, BODY, {})).toBe("damaged");
      expect(hashes().subject.judge(etag, BODY)).toBe("doubtful");
      expect(hashes(true).subject.judge(etag, BODY, OF_S3)).toBeUndefined();
    },
  );

  it("may be a body that came before, under an ETag that is not its hash either: then they are made up", () => {
    const { state, subject } = hashes(true);
    const etags = ["1", "2"].map((digit) => `"${digit.repeat(32)}"`);
    const [one = "", two = ""] = etags;
    expect(subject.judge(one, BODY, {})).toBe("damaged");
    expect(subject.judge(one, BODY, {})).toBe("damaged");
    expect(subject.judge(two, OTHER, {})).toBe("damaged");
    expect(subject.judge(two, BODY, {})).toBe("made up");
    expect(subject.judge(`"${MD5}"`, BODY, {})).toBeUndefined();
    expect(state.isMd5).toBe(true);
  });

  it("is remembered of the last few bodies that were doubted", () => {
    const { subject } = hashes(true);
    const [one, two] = [`"${"1".repeat(32)}"`, `"${"2".repeat(32)}"`];
    subject.judge(one, BODY, {});
    for (let other = 0; other < 99; other += 1) subject.judge(one, Buffer.from(`${other}`), {});
    expect(subject.judge(two, BODY, {})).toBe("made up");
    for (let other = 100; other < 201; other += 1) subject.judge(one, Buffer.from(`${other}`), {});
    expect(subject.judge(two, BODY, {})).toBe("damaged");
  });

  it.each([
    { "x-amz-server-side-encryption": "aws:kms" },
    { "x-amz-server-side-encryption": "aws:kms:dsse" },
    { "x-amz-server-side-encryption-customer-algorithm": "AES256" },
  ])("has another hash where it is encrypted: %o", (headers) => {
    expect(hashes(true).subject.judge(`"${MD5}"`, OTHER, headers)).toBeUndefined();
    expect(hashes(true).subject.wrote('"version-1"', "body", { ...headers, ...OF_S3 })).toBe(true);
  });

  it("has its hash where the store encrypts with keys of its own", () => {
    const headers = { "x-amz-server-side-encryption": "AES256" };
    expect(hashes(true).subject.judge(`"${MD5}"`, OTHER, headers)).toBe("damaged");
  });
});
