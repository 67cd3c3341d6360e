import { describe, expect, it } from "vitest";
import {
  answered,
  begun,
  found,
  hasUnresolved,
  isOwn,
  mayShow,
  NOTHING_SENT,
  readingOf,
  type SentWrites,
  seen,
  settles,
} from "./write-log.js";

const ON_A = '"a"';
const SENT_MS = 10;

function readingAt(monotonicMs: number) {
  return { monotonicMs, wallMs: monotonicMs + 1 };
}

/** One write, or one more, conditioned on a version or on there being none. */
function sentOn(etag: string | undefined, writeId = "w", log = NOTHING_SENT, sentAtMs = SENT_MS): SentWrites {
  return begun(log, { writeId, etag, sentAtMs, reading: readingAt(sentAtMs) });
}

/** So many writes later, each of which was answered. */
function writesAfter(count: number, log: SentWrites): SentWrites {
  let now = log;
  for (let index = 0; index < count; index += 1)
    now = answered(sentOn(ON_A, `later${index}`, now, 100), `later${index}`);
  return now;
}

it("has sent nothing at first", () => {
  expect(NOTHING_SENT).toEqual({ sent: [], landed: undefined, settled: [] });
  expect(hasUnresolved(NOTHING_SENT)).toBe(false);
  expect(isOwn(NOTHING_SENT, "w")).toBe(false);
  expect(readingOf(NOTHING_SENT, "w")).toBeUndefined();
});

describe("what may still land", () => {
  it("is a write until it is answered", () => {
    const log = sentOn(ON_A, "x", sentOn(ON_A));
    expect(hasUnresolved(answered(log, "w"))).toBe(true);
    expect(hasUnresolved(answered(answered(log, "w"), "x"))).toBe(false);
  });

  it.each([ON_A, undefined])("is not a write conditioned on %s where a later look shows another version", (etag) => {
    expect(hasUnresolved(seen(sentOn(etag), '"b"', SENT_MS + 1))).toBe(false);
  });

  it.each([ON_A, undefined])("is one conditioned on %s where the look left before it, or with it", (etag) => {
    expect(hasUnresolved(seen(sentOn(etag), '"b"', SENT_MS - 1))).toBe(true);
    expect(hasUnresolved(seen(sentOn(etag), '"b"', SENT_MS))).toBe(true);
  });

  it("is one conditioned on the version that is there", () => {
    expect(hasUnresolved(seen(sentOn(ON_A), ON_A, SENT_MS + 1))).toBe(true);
  });

  it.each([ON_A, undefined])("is one conditioned on %s where there is no object", (etag) => {
    expect(hasUnresolved(seen(sentOn(etag), undefined, SENT_MS + 1))).toBe(true);
  });

  it("is each of several by itself", () => {
    const log = seen(sentOn('"b"', "x", sentOn(ON_A)), '"b"', SENT_MS + 1);
    expect(hasUnresolved(log)).toBe(true);
    expect(hasUnresolved(answered(log, "x"))).toBe(false);
  });
});

describe("since when a lease counts", () => {
  it("is known of each write, answered or not", () => {
    const log = answered(sentOn(ON_A, "x", sentOn(ON_A), 20), "w");
    expect(readingOf(log, "w")).toEqual(readingAt(SENT_MS));
    expect(readingOf(log, "x")).toEqual(readingAt(20));
    expect(readingOf(log, "y")).toBeUndefined();
  });

  it("is known of the last 64 writes", () => {
    const log = sentOn(ON_A);
    expect(readingOf(writesAfter(63, log), "w")).toEqual(readingAt(SENT_MS));
    const later = writesAfter(64, log);
    expect(readingOf(later, "w")).toBeUndefined();
    expect(readingOf(later, "later0")).toEqual(readingAt(100));
    expect(readingOf(writesAfter(200, log), "later199")).toEqual(readingAt(100));
  });

  it("keeps no more than that of a long life", () => {
    expect(writesAfter(200, NOTHING_SENT).sent).toHaveLength(64);
    expect(answered(writesAfter(64, sentOn(ON_A)), "w").sent).toHaveLength(64);
  });
});

describe("the record may show, of its own", () => {
  const log = sentOn(ON_A, "y", sentOn(ON_A, "x", answered(sentOn(ON_A), "w")));

  it("what it is known to show, and what was sent later, answered or not", () => {
    expect(mayShow(log, "w")).toEqual(["w", "x", "y"]);
    expect(mayShow(answered(log, "x"), "x")).toEqual(["x", "y"]);
    expect(mayShow(log, "y")).toEqual(["y"]);
  });

  it("what was seen in it since, and what the last look has settled, however long ago they were sent", () => {
    expect(mayShow(found(log, "x"), "y")).toEqual(["y", "x"]);
    expect(mayShow(found(log, "y"), "y")).toEqual(["y"]);
    const settled = seen(writesAfter(64, sentOn(ON_A)), '"b"', 50);
    expect(mayShow(settled, "later63")).toEqual(["later63", "w"]);
  });

  it("each that is known where the one that it is known to show is forgotten", () => {
    expect(mayShow(log, "forgotten")).toEqual(["forgotten", "w", "x", "y"]);
  });
});

describe("a write is its own", () => {
  it("where it was sent, and no other", () => {
    const log = sentOn(ON_A, "x", sentOn(ON_A));
    expect([isOwn(log, "w"), isOwn(log, "x"), isOwn(log, "foreign")]).toEqual([true, true, false]);
  });

  it("where it was never answered, however long ago that was", () => {
    const log = writesAfter(64, sentOn(ON_A));
    expect(isOwn(log, "w")).toBe(true);
    expect(hasUnresolved(log)).toBe(true);
    expect(isOwn(answered(log, "w"), "w")).toBe(false);
  });

  it("where it was seen in the record last, and until another is", () => {
    const log = writesAfter(64, found(answered(sentOn(ON_A), "w"), "w"));
    expect(isOwn(log, "w")).toBe(true);
    expect(isOwn(found(log, "later9"), "w")).toBe(false);
  });

  it("where the last look that settled any has settled it", () => {
    const log = writesAfter(64, sentOn(ON_A));
    const settled = seen(log, '"b"', 1000);
    expect(hasUnresolved(settled)).toBe(false);
    expect(isOwn(settled, "w")).toBe(true);
    expect(isOwn(seen(settled, '"c"', 2000), "w")).toBe(true);
    const next = seen(sentOn(ON_A, "x", settled, 1500), '"c"', 2000);
    expect([isOwn(next, "w"), isOwn(next, "x")]).toEqual([false, true]);
  });

  it("and not where that look has settled others, and it had been answered", () => {
    const log = seen(writesAfter(64, sentOn(ON_A, "x", answered(sentOn(ON_A), "w"))), '"b"', 1000);
    expect([isOwn(log, "w"), isOwn(log, "x")]).toEqual([false, true]);
  });
});

it.each([
  [{ kind: "ok" }, true],
  [{ kind: "absent" }, true],
  [{ kind: "refused" }, true],
  [{ kind: "conflict" }, false],
  [{ kind: "conflict", sent: false }, false],
  [{ kind: "unknown", sent: true }, false],
  [{ kind: "unknown", sent: false }, true],
])("%o settles a write: %s", (outcome, expected) => {
  expect(settles(outcome)).toBe(expected);
});
