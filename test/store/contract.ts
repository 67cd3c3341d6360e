import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_BODY_BYTES, type ObjectStore, type RequestOptions } from "../../src/store/object-store.js";

/** A fresh, empty store for one test, and how to do behind its back what the port does not offer. */
export interface ContractSubject {
  readonly store: ObjectStore;
  /** Puts an object there whatever is there, as another program would. */
  plant(key: string, body: string): Promise<void> | void;
  close?(): Promise<void>;
}

export interface ContractOptions {
  /** Whether the store promises a `Date` with each answer. */
  readonly dates: boolean;
  /** How many keys a page of its listings holds. */
  readonly pageSize: number;
}

const OPTIONS: RequestOptions = { timeoutMs: 5_000 };
const ABSENT = { kind: "if-absent" } as const;
const match = (etag: string) => ({ kind: "if-match", etag }) as const;

/** What every adapter of the port has to do. */
export function describeObjectStore(
  name: string,
  open: () => Promise<ContractSubject> | ContractSubject,
  options: ContractOptions,
): void {
  describe(`${name} keeps the contract of ObjectStore`, () => {
    let subject: ContractSubject;
    let store: ObjectStore;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(async () => {
      await subject.close?.();
    });

    async function create(key: string, body: string): Promise<string> {
      const outcome = await store.write(key, body, ABSENT, OPTIONS);
      if (outcome.kind !== "ok") throw new Error(`create: ${outcome.kind}`);
      return outcome.etag;
    }

    it("says that an object is absent", async () => {
      expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
    });

    it("says that an object is absent when asked whether it changed", async () => {
      expect(await store.read("a", { ...OPTIONS, ifNoneMatch: '"x"' })).toMatchObject({ kind: "absent" });
    });

    it("reads back what it wrote, under the ETag that the write returned", async () => {
      const etag = await create("a/ü 1+2%25.json", '{"text":"ü \u{1F512}"}');
      const outcome = await store.read("a/ü 1+2%25.json", OPTIONS);
      expect(outcome).toMatchObject({ kind: "ok", etag, body: '{"text":"ü \u{1F512}"}' });
    });

    it("does not create what exists", async () => {
      await create("a", "one");
      expect(await store.write("a", "two", ABSENT, OPTIONS)).toMatchObject({ kind: "conflict" });
      expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok", body: "one" });
    });

    it("replaces exactly the version named", async () => {
      const first = await create("a", "one");
      const second = await store.write("a", "two", match(first), OPTIONS);
      expect(second).toMatchObject({ kind: "ok" });
      expect(await store.write("a", "three", match(first), OPTIONS)).toMatchObject({ kind: "conflict" });
      expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok", body: "two" });
    });

    it("does not create an object by replacing a version", async () => {
      const gone = await create("b", "x");
      expect(await store.write("a", "one", match(gone), OPTIONS)).toMatchObject({ kind: "absent" });
      expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
    });

    it("says that an object did not change, until it did", async () => {
      const etag = await create("a", "one");
      expect(await store.read("a", { ...OPTIONS, ifNoneMatch: etag })).toMatchObject({ kind: "unchanged" });
      await store.write("a", "two", match(etag), OPTIONS);
      expect(await store.read("a", { ...OPTIONS, ifNoneMatch: etag })).toMatchObject({ kind: "ok", body: "two" });
    });

    it("lets exactly one of many racing creates win", async () => {
      const racers = Array.from({ length: 20 }, (_, n) => store.write("a", `racer ${n}`, ABSENT, OPTIONS));
      const kinds = (await Promise.all(racers)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "ok")).toHaveLength(1);
      expect(kinds.filter((kind) => kind === "conflict")).toHaveLength(19);
    });

    it("lets exactly one of many racing replacements win", async () => {
      const etag = await create("a", "one");
      const racers = Array.from({ length: 20 }, (_, n) => store.write("a", `racer ${n}`, match(etag), OPTIONS));
      const kinds = (await Promise.all(racers)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "ok")).toHaveLength(1);
      expect(kinds.filter((kind) => kind === "conflict")).toHaveLength(19);
    });

    it("removes exactly the version named", async () => {
      const first = await create("a", "one");
      const second = await store.write("a", "two", match(first), OPTIONS);
      if (second.kind !== "ok") throw new Error(second.kind);
      expect(await store.remove("a", first, OPTIONS)).toMatchObject({ kind: "conflict" });
      expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "ok", body: "two" });
      expect(await store.remove("a", second.etag, OPTIONS)).toMatchObject({ kind: "ok" });
      expect(await store.read("a", OPTIONS)).toMatchObject({ kind: "absent" });
      expect(await store.remove("a", second.etag, OPTIONS)).toMatchObject({ kind: "absent" });
    });

    it("reads a body of the greatest length and says when one is longer", async () => {
      await subject.plant("fits", "x".repeat(MAX_BODY_BYTES));
      await subject.plant("too-long", "x".repeat(MAX_BODY_BYTES + 1));
      const fits = await store.read("fits", OPTIONS);
      expect(fits.kind === "ok" && fits.body.length).toBe(MAX_BODY_BYTES);
      const tooLong = await store.read("too-long", OPTIONS);
      expect(tooLong).toMatchObject({ kind: "oversized", etag: expect.stringMatching(/./) });
    });

    it("lists the keys with a prefix, whatever is in them, page by page", async () => {
      const keys = Array.from({ length: options.pageSize * 2 + 1 }, (_, n) => `p/${n}`);
      keys.push("p/a b", "p/a+b", "p/ü%20&<>", "p/\u0001");
      for (const key of [...keys, "q/other"]) await subject.plant(key, "x");
      const listed: string[] = [];
      let continuation: string | undefined;
      let pages = 0;
      do {
        const page = await store.list("p/", continuation === undefined ? OPTIONS : { ...OPTIONS, continuation });
        if (page.kind !== "ok") throw new Error(page.error.message);
        expect(page.keys.length).toBeLessThanOrEqual(options.pageSize);
        listed.push(...page.keys);
        expect([...page.etags.keys()]).toEqual(page.keys);
        continuation = page.continuation;
        pages += 1;
      } while (continuation !== undefined);
      expect(listed.toSorted()).toEqual(keys.toSorted());
      expect(pages).toBeGreaterThan(2);
    });

    it("lists nothing as one empty page", async () => {
      const page = await store.list("p/", OPTIONS);
      expect(page).toMatchObject({ kind: "ok", keys: [] });
      expect(page).not.toHaveProperty("continuation");
    });

    it("says when a request left and its answer came", async () => {
      const outcome = await store.write("a", "one", ABSENT, OPTIONS);
      if (outcome.kind !== "ok") throw new Error(outcome.kind);
      const { sentAtMs, receivedAtMs, dateMs } = outcome.timing;
      expect(receivedAtMs).toBeGreaterThanOrEqual(sentAtMs);
      if (options.dates) expect(dateMs).toSatisfy((date: number) => Number.isInteger(date / 1000));
    });
  });
}
