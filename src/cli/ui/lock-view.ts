import type { HolderReport, LockReport, PartyReport, TurnReport, WaiterReport } from "../../index.js";
import { inOwnWords } from "../base/own-words.js";
import type { HolderView, LockView, PartyView, TurnView, WaiterView } from "./wire.js";

/** Makes the view of a report, without what a page knows itself, such as what is left of a lease now. */
export function lockViewOf(report: LockReport): LockView {
  const { lockName, fencingToken, limit, holders, waiters, recentTurns, problem } = report;
  return {
    name: lockName,
    token: fencingToken,
    limit,
    holders: holders.map(holderViewOf),
    queue: waiters.map(waiterViewOf),
    turns: recentTurns.map(turnViewOf),
    ...(problem === undefined ? {} : { problem: inOwnWords(problem.message) }),
  };
}

function holderViewOf(holder: HolderReport): HolderView {
  const { mode, fencingToken, priority, leaseMs, acquiredAt, expiresAt } = holder;
  const times = { leaseMs, sinceMs: acquiredAt, expiresAtMs: expiresAt };
  return { ...partyViewOf(holder), mode, token: fencingToken, priority, ...times };
}

function waiterViewOf(waiter: WaiterReport): WaiterView {
  const { mode, priority, waitingSince, holds } = waiter;
  const held = holds.map(({ lockName, fencingToken }) => ({ lockName, token: fencingToken }));
  return { ...partyViewOf(waiter), mode, priority, sinceMs: waitingSince, holds: held };
}

function turnViewOf(turn: TurnReport): TurnView {
  const { fencingToken, acquiredAt, endedAt, ended } = turn;
  return { ...partyViewOf(turn), token: fencingToken, fromMs: acquiredAt, toMs: endedAt, ended };
}

function partyViewOf({ acquisitionId, owner, host, pid, label }: PartyReport): PartyView {
  return {
    id: acquisitionId,
    owner,
    ...(host === undefined ? {} : { host }),
    ...(pid === undefined ? {} : { pid }),
    ...(label === undefined ? {} : { label }),
  };
}
