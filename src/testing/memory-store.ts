import { realEffects } from "../runtime/base/effects.js";
import { MemoryStore, type MemoryStoreOptions } from "../store/memory.js";

/**
 * Makes a store in memory for `new S3Mutex({ store: memoryStore() })`: for tests and examples, whose locks are then as good as
 * everywhere else and end with the process. Mutexes that share one exclude each other, as processes do that share a bucket. Its answers
 * tell the time of this machine; `storeClock: undefined` makes one that tells none.
 */
export function memoryStore(options: Partial<MemoryStoreOptions> = {}): MemoryStore {
  return new MemoryStore({ effects: realEffects, storeClock: () => realEffects.wallMs(), ...options });
}
