import type { StoreAddress } from "../messages.js";
import type { WeatherName } from "../store/weather.js";

/** Where the locks are, as the conductor sees it. */
export interface Store {
  /** For the first line of the output. */
  readonly description: string;
  readonly address: StoreAddress;
  /** How workers reach it, in turn: some by proxies that change what it says about the time. */
  readonly ways: readonly StoreAddress[];
  /** What can be done to it; undefined for one that is not ours. */
  readonly faultInjector: StoreFaultInjector | undefined;
  /** Leaves nothing behind. */
  close(): Promise<void>;
  /** Leaves nothing behind either, at once: the conductor is on its way out. */
  kill(): void;
}

export interface StoreFaultInjector {
  /** False while it is down. */
  readonly isUp: boolean;
  setWeather(name: WeatherName, seed: number): void;
  /** Kills it with SIGKILL, and starts it again on the same port with the same objects; resolves when it listens. */
  restart(downMs: number): Promise<void>;
}
