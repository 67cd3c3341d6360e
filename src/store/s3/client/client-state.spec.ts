import { S3Client } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { socketsOf, stateOf } from "./client-state.js";

const newClient = () => new S3Client({ region: "us-east-1" });

describe("what was learnt about a client", () => {
  it("is shared by all that use the client, and by no other client", () => {
    const client = newClient();
    expect(stateOf(client, 40)).toBe(stateOf(client, 40));
    expect(stateOf(newClient(), 40)).not.toBe(stateOf(client, 40));
  });

  it("is nothing at first", () => {
    const state = stateOf(newClient(), 40);
    expect(state.credentials.takenAtMs).toBeUndefined();
    expect(state.credentials).toEqual({});
    expect(state.bucket("locks")).toEqual({
      etagForm: { form: "as-returned", settled: false, suspects: new Map(), shapes: new Map() },
      absence: {},
      bodyHash: { unlike: new Map() },
      checksum: { refused: new Set() },
      keyLength: { taken: new Set(), probes: new Map(), askAgainAtMs: Number.NEGATIVE_INFINITY },
      listing: {},
      versions: {},
    });
  });

  it("is kept bucket by bucket", () => {
    const client = newClient();
    const locks = stateOf(client, 40).bucket("locks");
    expect(stateOf(client, 40).bucket("locks")).toBe(locks);
    expect(stateOf(client, 40).bucket("others")).not.toBe(locks);
  });

  it("has as many requests in flight as the first store over it allows", async () => {
    const client = newClient();
    const { inFlight } = stateOf(client, 1);
    await inFlight.enter(false);
    let hasEntered = false;
    void stateOf(client, 40)
      .inFlight.enter(false)
      .then(() => {
        hasEntered = true;
      });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasEntered).toBe(false);
  });
});

describe("the size of a socket pool", () => {
  const clientWith = (requestHandler: unknown) => ({ config: { requestHandler } }) as unknown as S3Client;
  const sizes = (http: unknown, https: unknown) =>
    socketsOf(
      clientWith({
        httpHandlerConfigs: () => ({ httpAgent: { maxSockets: http }, httpsAgent: { maxSockets: https } }),
      }),
    );

  it("is that of the smaller pool", () => {
    expect(sizes(50, 5)).toBe(5);
    expect(sizes(5, 50)).toBe(5);
    expect(sizes(1, 50)).toBe(1);
  });

  it("is that of the other where one says nothing of use", () => {
    expect(sizes(undefined, 5)).toBe(5);
    expect(sizes(7, "5")).toBe(7);
    expect(sizes(0, 5)).toBe(5);
    expect(sizes(-1, 5)).toBe(5);
  });

  it.each([
    ["no handler", undefined],
    ["a handler that does not tell", {}],
    ["a handler that has not been used yet", { httpHandlerConfigs: () => undefined }],
    ["a handler without agents", { httpHandlerConfigs: () => ({}) }],
    ["agents of none", { httpHandlerConfigs: () => ({ httpAgent: {}, httpsAgent: {} }) }],
  ])("is not known of %s", (_, handler) => {
    expect(socketsOf(clientWith(handler))).toBeUndefined();
  });
});
