import { expect, test } from "vitest";
import { waitGraphOfReports } from "../../src/cli/graph/wait-graph.js";
import { reportOf } from "../../src/core/report.js";
import type { LockReport } from "../../src/index.js";
import { holderOf, recordOf, T0, waiterOf } from "../protocol/samples.js";

interface Sketch {
  readonly holders: readonly number[];
  /** Who waits, and the lock and token that it holds meanwhile. */
  readonly waiters: Readonly<Record<string, readonly [lockName: string, token: number] | undefined>>;
  readonly mode?: "shared" | "exclusive";
  readonly limit?: number;
}

function lock(lockName: string, { holders, waiters, mode = "exclusive", limit = 1 }: Sketch): LockReport {
  const record = recordOf({
    limit,
    holders: holders.map((token) => holderOf({ id: `${lockName}-${token}`, token, mode, expiresAtMs: T0 + 1000 })),
    queue: Object.entries(waiters).map(([id, hold], index) =>
      waiterOf({
        id,
        sinceMs: T0 + index,
        expiresAtMs: T0 + 1000,
        holds: hold === undefined ? [] : [{ name: hold[0], token: hold[1] }],
      }),
    ),
  });
  return reportOf(record, { lockName, key: lockName, now: { earliestMs: T0, latestMs: T0 } });
}

const cyclesOf = (...reports: LockReport[]) =>
  waitGraphOfReports(reports).cycles.map((cycle) => cycle.map(({ waiter }) => waiter.acquisitionId).sort());
const behind = (...reports: LockReport[]) =>
  waitGraphOfReports(reports).waits.flatMap(({ isBehindCycle, waiter }) =>
    isBehindCycle ? [waiter.acquisitionId] : [],
  );

test("a chain is not a cycle", () => {
  const chain = [
    lock("a", { holders: [1], waiters: { w1: ["b", 2] } }),
    lock("b", { holders: [2], waiters: { w2: undefined } }),
  ];
  expect(cyclesOf(...chain)).toEqual([]);
  expect(waitGraphOfReports(chain).waits.map(({ cycle }) => cycle)).toEqual([undefined, undefined]);
});

test("two rings are two cycles, and who waits for one is behind it", () => {
  const rings = [
    lock("a", { holders: [1], waiters: { w1: ["b", 2] } }),
    lock("b", { holders: [2], waiters: { w2: ["a", 1], stranger: ["e", 9] } }),
    lock("c", { holders: [3], waiters: { w3: ["d", 4] } }),
    lock("d", { holders: [4], waiters: { w4: ["c", 3] } }),
    lock("e", { holders: [9], waiters: { further: undefined } }),
  ];
  expect(cyclesOf(...rings)).toEqual([
    ["w1", "w2"],
    ["w3", "w4"],
  ]);
  expect(behind(...rings)).toEqual(["stranger", "further"]);
});

test("an old hold of the same lock, with another token, closes no ring", () => {
  const reports = [
    lock("a", { holders: [5], waiters: { w1: ["b", 2] } }),
    lock("b", { holders: [2], waiters: { w2: ["a", 1] } }),
  ];
  expect(cyclesOf(...reports)).toEqual([]);
});

test("of several permits, all must be stuck; of several readers, one is enough", () => {
  const ring = (limit: number, mode: "shared" | "exclusive", freeHolder: number[]) => [
    lock("a", { holders: [1, ...freeHolder], waiters: { w1: ["b", 2] }, limit, mode }),
    lock("b", { holders: [2], waiters: { w2: ["a", 1] } }),
  ];
  expect(cyclesOf(...ring(2, "exclusive", [7]))).toEqual([]);
  expect(cyclesOf(...ring(1, "exclusive", []))).toEqual([["w1", "w2"]]);
  expect(cyclesOf(...ring(1, "shared", [7]))).toEqual([["w1", "w2"]]);
});
