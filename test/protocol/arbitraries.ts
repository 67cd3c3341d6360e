import fc from "fast-check";
import { type Holder, type LockRecord, SCHEMA, type Turn, type Waiter } from "../../src/core/record.js";

/** The same runs every time; a failure prints the seed and the path that lead to it. */
fc.configureGlobal({ seed: 20_260_101, numRuns: 200 });

/** Any UTF-16 string, lone surrogates included. */
export const anyText = (maxLength = 40) =>
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength }).map((units) => String.fromCharCode(...units));

const time = fc.oneof(
  fc.integer({ min: 0, max: 4e12 }),
  fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((value) => value + 0),
);
/** Higher ones are corrupt: there would be no room for the next. */
const token = fc.integer({ min: 0, max: 2 ** 52 });
const count = fc.oneof(fc.nat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));
const mode = fc.constantFrom("exclusive" as const, "shared" as const);
const text = fc.oneof(fc.string(), anyText());
const identity = { host: text, pid: fc.nat(), label: text };

export const anyHolder = fc.record(
  {
    ...identity,
    id: text,
    owner: text,
    via: fc.constantFrom("name" as const, "handle" as const),
    mode,
    token,
    priority: time,
    leaseMs: time,
    acquiredAtMs: time,
    renewedAtMs: time,
    expiresAtMs: time,
    leaseWriteId: text,
  },
  {
    requiredKeys: [
      "id",
      "owner",
      "via",
      "mode",
      "token",
      "priority",
      "leaseMs",
      "acquiredAtMs",
      "renewedAtMs",
      "expiresAtMs",
      "leaseWriteId",
    ],
  },
) as fc.Arbitrary<Holder>;

export const anyWaiter = fc.record(
  {
    ...identity,
    id: text,
    owner: text,
    mode,
    priority: time,
    sinceMs: time,
    expiresAtMs: time,
    roundTripMs: time,
    holds: fc.array(fc.record({ name: text, token: count }), { maxLength: 3 }),
  },
  { requiredKeys: ["id", "owner", "mode", "priority", "sinceMs", "expiresAtMs", "roundTripMs", "holds"] },
) as fc.Arbitrary<Waiter>;

export const anyTurn = fc.record(
  {
    ...identity,
    id: text,
    owner: text,
    token,
    fromMs: time,
    toMs: time,
    ended: fc.constantFrom("released" as const, "expired" as const, "forced" as const, "deleted" as const),
  },
  { requiredKeys: ["id", "owner", "token", "fromMs", "toMs", "ended"] },
) as fc.Arbitrary<Turn>;

/** Any record that the schema allows, sensible or not. */
const anyProof = fc.record({
  way: text,
  atMs: time,
  versions: fc.constantFrom("enabled" as const, "suspended" as const, "none" as const),
});

export const anyRecord = fc.record(
  {
    schema: fc.constant(SCHEMA),
    writeId: text,
    createdAtMs: time,
    touchedAtMs: time,
    token,
    limit: fc.integer({ min: 1, max: 1e9 }),
    holders: fc.array(anyHolder, { maxLength: 3 }),
    queue: fc.array(anyWaiter, { maxLength: 3 }),
    recent: fc.array(anyTurn, { maxLength: 3 }),
    freeSinceMs: time,
    notBeforeMs: time,
    deleted: fc.constant(true as const),
    proofs: fc.array(anyProof, { maxLength: 4 }),
  },
  {
    requiredKeys: ["schema", "writeId", "createdAtMs", "touchedAtMs", "token", "limit", "holders", "queue", "recent"],
  },
) as fc.Arbitrary<LockRecord>;
