import type { RenewReply } from "../../src/core/transition/renew.js";
import type { GivenBack, HoldingQueue } from "../../src/runtime/hold/holding-queue.js";
import { Lease } from "../../src/runtime/hold/lease.js";
import type { LeaseTiming } from "../../src/runtime/hold/lease-clock.js";
import type { Renewal } from "../../src/runtime/hold/renewals.js";
import type { LockObject } from "../../src/runtime/swap/lock-object.js";
import type { SwapOptions, Swapped } from "../../src/runtime/swap/swap-options.js";
import { WriteLog } from "../../src/runtime/swap/write-log.js";
import { Clockwork, contextOn } from "./clockwork.js";
import { holderOf } from "./samples.js";

/** Renewed after a third; 200 ms of it are the guard. */
export const LEASE_MS = 10_000;
const ON_A = { kind: "if-match", etag: '"a"' } as const;

/** Makes a lease whose local queue does what the test says: it renews and gives back at once unless that is replaced. */
export function leased({ timing }: { readonly timing?: LeaseTiming } = {}) {
  const clockwork = new Clockwork();
  const stage = contextOn(clockwork);
  const writeLog = new WriteLog();
  const calls = {
    commands: [] as unknown[],
    renew: [] as Renewal[],
    giveBack: [] as SwapOptions[],
    cancel: [] as SwapOptions[],
    changed: 0,
  };
  const holder = holderOf({ id: "me", token: 7, leaseMs: LEASE_MS, leaseWriteId: "w0" });
  writeLog.begin("w0", ON_A, clockwork.reading);
  writeLog.answered("w0");
  const snapshot = { record: undefined } as unknown as GivenBack["snapshot"];

  const renewed = (writeId = `w${calls.renew.length}`): Swapped<RenewReply> => {
    writeLog.begin(writeId, ON_A, clockwork.reading);
    writeLog.answered(writeId);
    const mode = calls.renew.at(-1)?.command.mode ?? holder.mode;
    return { reply: { kind: "renewed", holder: { ...holder, mode, leaseWriteId: writeId } }, snapshot };
  };
  const localQueue = {
    renew: async (): Promise<Swapped<RenewReply>> => renewed(),
    giveBack: async (): Promise<GivenBack> => ({ reply: { kind: "released" } as GivenBack["reply"], snapshot }),
    cancel: async (): Promise<unknown> => undefined,
  };
  const object = {
    name: "x",
    swap: (_: unknown, options: SwapOptions) => {
      calls.cancel.push(options);
      return localQueue.cancel();
    },
  } as unknown as LockObject;
  const holding: HoldingQueue = {
    object,
    renew: (renewal) => {
      calls.renew.push(renewal);
      return localQueue.renew();
    },
    giveBack: (command, options) => {
      calls.commands.push(command);
      calls.giveBack.push(options);
      return localQueue.giveBack();
    },
    holdChanged: () => {
      calls.changed += 1;
    },
  };
  const grant = { holder, writeLog, reading: clockwork.reading };
  const lease = new Lease(stage.context, holding, grant, {
    leaseMs: LEASE_MS,
    ...(timing === undefined ? {} : { timing }),
  });
  const ends: string[] = [];
  lease.onEnd(() => ends.push("end"));
  const names = () => stage.events.map((said) => (said as [string])[0]);
  return { ...stage, clockwork, writeLog, holder, lease, localQueue, calls, renewed, object, ends, names };
}
