import assert from "node:assert/strict";
import type { ObjectStore, WriteCondition } from "../../store/object-store.js";
import type { Checks } from "./check.js";
import { bodyOf, IF_ABSENT, ifMatch, patiently, REQUEST, replaced, sleep, written } from "./subject.js";

/** What no request alone can show: of those that come at the same time, one wins. */
export const raceChecks: Checks = {
  async "of racing creates exactly one wins"({ subject, racers, rounds }) {
    const stores = await subject.stores(racers);
    for (let round = 0; round < rounds; round += 1) await race(stores, subject.key(`create-${round}`), IF_ABSENT);
  },

  async "of racing replacements of one version exactly one wins"({ subject, racers, rounds }) {
    const stores = await subject.stores(racers);
    await warmUp(stores, (n) => subject.key(`form-${n}`));
    for (let round = 0; round < rounds; round += 1) {
      const key = subject.key(`replace-${round}`);
      const etag = await written(stores[0] as ObjectStore, key, "before", IF_ABSENT);
      await race(stores, key, ifMatch(etag));
    }
  },

  async "of racing deletes and replacements of one version exactly one wins"({ subject, racers, rounds }) {
    const stores = await subject.stores(racers);
    await warmUp(stores, (n) => subject.key(`form-${n}`));
    for (let round = 0; round < rounds; round += 1) {
      const key = subject.key(`delete-${round}`);
      const etag = await written(stores[0] as ObjectStore, key, "before", IF_ABSENT);
      const outcomes = await Promise.all(
        stores.map((store, n) =>
          n % 2 === 0 ? store.write(key, `racer ${n}`, ifMatch(etag), REQUEST) : store.remove(key, etag, REQUEST),
        ),
      );
      const winners = outcomes.filter(({ kind }) => kind === "ok").length;
      assert.ok(winners <= 1, `${winners} were told that they had replaced or deleted the same version`);
    }
  },

  async "no update of a counter is lost"({ subject, racers, rounds }) {
    const stores = await subject.stores(Math.min(racers, 8));
    await warmUp(stores, (n) => subject.key(`form-${n}`));
    const key = subject.key("counter");
    const first = stores[0] as ObjectStore;
    await written(first, key, "[]", IF_ABSENT);
    await Promise.all(stores.map((store, n) => count(store, key, n, rounds)));
    const counted: string[] = JSON.parse((await bodyOf(first, key)) ?? "[]");
    assert.equal(counted.length, stores.length * rounds, "updates were lost, or counted twice");
  },
};

/** Lets each client find out which form of an ETag the store wants before it races. */
async function warmUp(stores: readonly ObjectStore[], keyOf: (n: number) => string): Promise<void> {
  const replaceOne = async (store: ObjectStore, n: number) =>
    replaced(store, keyOf(n), "second", await written(store, keyOf(n), "first", IF_ABSENT));
  await Promise.all(stores.map(replaceOne));
}

async function race(stores: readonly ObjectStore[], key: string, condition: WriteCondition): Promise<void> {
  const outcomes = await Promise.all(
    stores.map((store, n) => patiently(() => store.write(key, `racer ${n}`, condition, REQUEST))),
  );
  const winners = outcomes.flatMap(({ kind }, n) => (kind === "ok" ? [`racer ${n}`] : []));
  assert.ok(winners.length <= 1, `${winners.length} of ${stores.length} racing writes were told that they had won`);
  const landed = (await bodyOf(stores[0] as ObjectStore, key)) ?? "nothing";
  // A winner whose answer was lost is one all the same; that of a loser must not have landed.
  const unknown = outcomes.flatMap(({ kind }, n) => (kind === "unknown" ? [`racer ${n}`] : []));
  const possible = winners.length === 1 ? winners : unknown;
  assert.ok(possible.includes(landed), `${possible.join(", ") || "none"} won, and the object has "${landed}"`);
}

/** Adds names of its own to a list, each by compare-and-swap, and tells by the name whether an unknown write has landed. */
async function count(store: ObjectStore, key: string, who: number, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const name = `${who}-${n}`;
    for (;;) {
      const seen = await store.read(key, REQUEST);
      // A read that came to nothing says nothing; one that shows no object says that it was lost.
      assert.ok(seen.kind === "ok" || seen.kind === "unknown", `the counter was "${seen.kind}"`);
      if (seen.kind === "ok") {
        const names: string[] = JSON.parse(seen.body);
        if (names.includes(name)) break;
        const body = JSON.stringify([...names, name]);
        const { kind } = await patiently(() => store.write(key, body, ifMatch(seen.etag), REQUEST));
        if (kind === "ok") break;
      }
      await sleep(Math.random() * 20);
    }
  }
}
