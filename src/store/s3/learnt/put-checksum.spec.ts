import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { expect, it, onTestFinished } from "vitest";
import type { Said } from "../answers/operation.js";
import type { ChecksumState } from "../client/client-state.js";
import { PutChecksums } from "./put-checksum.js";

const said = (code: string, message = ""): Said => {
  return { code, transmission: { text: `<Error><Code>${code}</Code><Message>${message}</Message></Error>` } };
};

const EITHER = said("InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required");
const MD5_ONLY = said("MissingContentMD5", "Missing required header: Content-Md5.");

function learning(state: ChecksumState = { refused: new Set() }) {
  const wanted: string[] = [];
  return { state, wanted, subject: new PutChecksums(state, () => wanted.push("wanted")) };
}

it("none is sent before a store has asked for one", () => {
  const { subject, wanted } = learning();
  expect(subject.kind).toBeUndefined();
  expect(subject.fieldsFor("one")).toEqual({});
  expect(wanted).toEqual([]);
});

const CRC32 = { ChecksumAlgorithm: "CRC32" };
const MD5 = { ContentMD5: "+XxdKZQb+xsv2rCHSQargg==" };

it.each([
  ["names a checksum", EITHER, CRC32, MD5],
  ["names Content-MD5 only", MD5_ONLY, MD5, CRC32],
])("a store that %s is sent that first, then the other, then nothing", (_, words, first, second) => {
  const { subject, wanted } = learning();
  expect(subject.learn(400, words, subject.kind)).toBe(true);
  expect(subject.fieldsFor("one")).toEqual(first);
  expect(wanted).toEqual(["wanted"]);
  expect(subject.learn(400, words, subject.kind)).toBe(true);
  expect(subject.fieldsFor("one")).toEqual(second);
  expect(subject.learn(400, words, subject.kind)).toBe(false);
  expect(subject.fieldsFor("one")).toEqual({});
  expect(subject.learn(400, words, subject.kind)).toBe(false);
  // It is told of once that such a bucket keeps versions.
  expect(wanted).toEqual(["wanted"]);
});

/** As in a Node that is bound to FIPS. */
function withoutMd5(): void {
  const { createHash } = crypto;
  const refusing = (name: string) => {
    throw new Error(`no ${name}`);
  };
  Object.assign(crypto, { createHash: refusing });
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(crypto, { createHash });
    syncBuiltinESMExports();
  });
}

it.each([EITHER, MD5_ONLY])("where Node has no MD5 the other one is sent, then nothing: %o", (words) => {
  withoutMd5();
  const { subject } = learning();
  expect(subject.learn(400, words, subject.kind)).toBe(true);
  expect(subject.fieldsFor("one")).toEqual(CRC32);
  expect(subject.learn(400, words, subject.kind)).toBe(false);
  expect(new PutChecksums({ refused: new Set(), kind: "md5" }).fieldsFor("one")).toEqual({});
});

it("what one write has found out holds for those that were on their way", () => {
  const { subject, state, wanted } = learning();
  const other = new PutChecksums(state);
  expect(other.learn(400, EITHER, undefined)).toBe(true);
  expect(subject.learn(400, EITHER, undefined)).toBe(true);
  expect(subject.kind).toBe("crc32");
  expect(wanted).toEqual([]);
  other.learn(400, EITHER, "crc32");
  other.learn(400, EITHER, "md5");
  expect(subject.learn(400, EITHER, "crc32")).toBe(false);
  expect(subject.learn(400, EITHER, "md5")).toBe(false);
});

it.each([
  [400, true],
  [403, true],
  [411, true],
  [428, true],
  [200, false],
  [404, false],
  [412, false],
  [500, false],
])("%i with words about a checksum: %s", (status, isLearnt) => {
  expect(learning().subject.learn(status, EITHER, undefined)).toBe(isLearnt);
});

it.each([
  ["ChecksumRequired", ""],
  ["InvalidRequest", "A CHECKSUM is missing"],
  ["MissingContentMD5", ""],
  ["InvalidRequest", "no content-md5"],
])("%s %s asks for one", (code, message) => {
  expect(learning().subject.learn(400, said(code, message), undefined)).toBe(true);
});

it.each([
  ["InvalidRequest", "Something else"],
  ["InvalidRequest", "no content here, and no md5"],
  ["BadDigest", "The checksum"],
  ["InvalidDigest", "The Content-MD5 is invalid"],
  ["XAmzContentChecksumMismatch", ""],
  ["InvalidRequest", "The checksum didn't match"],
  ["InvalidRequest", "The checksum did not match"],
  ["InvalidRequest", "the checksum DOES NOT MATCH"],
  ["InvalidRequest", "The checksum doesn't match"],
  ["InvalidRequest", "The checksums do not match"],
])("%s %s does not ask for one", (code, message) => {
  const { subject, wanted } = learning();
  expect(subject.learn(400, said(code, message), undefined)).toBe(false);
  expect(subject.kind).toBeUndefined();
  expect(wanted).toEqual([]);
});

it("neither does what is not of S3", () => {
  const page = { code: undefined, transmission: { text: "<html>checksum missing</html>" } };
  expect(learning().subject.learn(400, page, undefined)).toBe(false);
});
