import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { adoptedContent, type Envelope, parseEnvelope, serializeEnvelope } from "./envelope.js";

const envelope: Envelope = {
  fenced: 1,
  lock: "s3://bucket/locks/x.json",
  token: 7,
  writeId: "w1",
  changeId: "c1",
  openings: [{ token: 7, changeId: "c0" }],
  content: { balance: 5 },
};

describe("an envelope", () => {
  test("is read as it was written, whatever JSON is in it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (json, text) => {
        for (const content of [JSON.parse(JSON.stringify(json)), text]) {
          const written = { ...envelope, content };
          expect(parseEnvelope(serializeEnvelope(written))).toEqual({ kind: "envelope", envelope: written });
        }
      }),
    );
  });

  test("keeps fields that this version does not know", () => {
    const body = JSON.stringify({ ...envelope, later: [1] });
    expect(parseEnvelope(body)).toMatchObject({ kind: "envelope", envelope: { later: [1] } });
  });

  test("of a newer format is told apart from what is not an envelope", () => {
    expect(parseEnvelope('{"fenced":2,"whatever":true}')).toEqual({ kind: "newer-schema", schema: 2 });
  });

  test.each([
    ...["", "no JSON", "null", "[]", "7", "{}", '{"fenced":true}', '{"fenced":1}', '{"fenced":0}', '{"fenced":1.5}'],
    ...(["lock", "writeId", "changeId"] as const).map((field) => JSON.stringify({ ...envelope, [field]: undefined })),
    ...[-1, 1.5, "7", undefined].map((token) => JSON.stringify({ ...envelope, token })),
    JSON.stringify({ ...envelope, base64: 5 }),
    JSON.stringify({ ...envelope, fenced: 0 }),
    ...[undefined, {}, [null], [...envelope.openings, {}], [{ token: 1 }], [{ token: "1", changeId: "c" }]].map(
      (openings) => JSON.stringify({ ...envelope, openings }),
    ),
  ])("is not seen in %s", (body) => {
    expect(parseEnvelope(body)).toEqual({ kind: "foreign", body });
  });
});

describe("what was written by other means", () => {
  test("is taken over as JSON or as text", () => {
    expect(adoptedContent('{"a":[1]}', "json")).toEqual({ content: { a: [1] } });
    expect(adoptedContent('{"a":[1]}', "text")).toEqual({ content: '{"a":[1]}' });
    expect(adoptedContent("null", "json")).toEqual({ content: null });
  });

  test("is not, where that would change it", () => {
    expect(adoptedContent("{", "json")).toBeUndefined();
    expect(adoptedContent(undefined, "text")).toBeUndefined();
    expect(adoptedContent(Buffer.from([0xff]).toString("utf8"), "text")).toBeUndefined();
  });
});
