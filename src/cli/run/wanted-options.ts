import type { Input } from "../base/command.js";
import { UsageError } from "../base/usage-error.js";
import { type LockAddress, SEMAPHORES, type StoreAddress } from "../store/address.js";
import { lockOf } from "../store/store-options.js";
import type { Wanted } from "./wanted.js";

interface WantedThere {
  readonly store: StoreAddress & { readonly semaphorePrefix: string | undefined };
  readonly wanted: Wanted;
}

/** As many as the library allows. */
const MAX_PERMITS = 1_000_000;
/** As many as the semaphore says itself. */
const STORED = "stored";

/** Reads what `run` is to hold from its arguments and options. */
export function wantedOf(input: Input, addresses: readonly [string, ...string[]]): WantedThere {
  const { values } = input;
  const permits = permitsOf(input);
  const isShared = values.flag("shared");
  const [first, ...others] = addresses.map((text) => ({ text, ...lockOf(input, text) })) as [Named, ...Named[]];
  if (permits !== undefined) {
    if (isShared) throw new UsageError("--permits and --shared contradict each other: use one of them.");
    if (others.length > 0) throw new UsageError(`One semaphore at a time: ${others[0]?.text} is one too many.`);
    return permitOf(first, permits);
  }
  for (const one of [first, ...others]) {
    if (!one.keyPrefix.startsWith(SEMAPHORES)) continue;
    throw new UsageError(`${one.text} is a semaphore: say with --permits how many permits it has.`);
  }
  const stranger = others.find((one) => one.bucketName !== first.bucketName || one.keyPrefix !== first.keyPrefix);
  if (stranger !== undefined) {
    throw new UsageError(
      `Several locks have to be in one store: ${first.text} is under ${placeOf(first)}, and ${stranger.text} under ${placeOf(stranger)}.`,
    );
  }
  const { bucketName, keyPrefix } = first;
  const names = [first, ...others].map(({ lockName }) => lockName);
  return {
    store: { bucketName, keyPrefix, semaphorePrefix: undefined },
    wanted: { kind: "locks", names, isShared },
  };
}

function permitsOf({ values }: Input): number | "stored" | undefined {
  const text = values.text("permits");
  if (text === undefined || text === STORED) return text;
  return values.wholeNumber("permits", { min: 1, max: MAX_PERMITS, orElse: STORED });
}

type Named = LockAddress & { readonly text: string };

/** Finds the semaphore by its own address or that of a lock of its name: `s3://b/semaphores/locks/pool` or `s3://b/locks/pool`. */
function permitOf({ bucketName, keyPrefix, lockName }: Named, permits: number | "stored"): WantedThere {
  const isOwnAddress = keyPrefix.startsWith(SEMAPHORES);
  const store = {
    bucketName,
    keyPrefix: isOwnAddress ? keyPrefix.slice(SEMAPHORES.length) : keyPrefix,
    semaphorePrefix: isOwnAddress ? keyPrefix : undefined,
  };
  return { store, wanted: { kind: "permit", name: lockName, permits } };
}

function placeOf({ bucketName, keyPrefix }: StoreAddress): string {
  return `s3://${bucketName}/${keyPrefix}`;
}
