import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/testing/virtual/random.js";
import type { FromStore, StoreAddress, ToStore } from "../messages.js";
import type { WeatherName } from "../store/weather.js";
import { Child } from "./child.js";
import type { Figures } from "./figures.js";
import { Proxies } from "./proxies.js";
import type { Store, StoreFaultInjector } from "./store.js";

const BUCKET_NAME = "chaos";
const PORTS_TRIED = 20;

export interface EmbeddedStoreSettings {
  readonly folder: string;
  readonly random: Random;
  readonly figures: Figures;
  readonly guard: (pid: number) => void;
  readonly unguard: (pid: number) => void;
  /** It ended although it was not killed. */
  readonly failed: (error: Error) => void;
}

/** The server of `s3-mutex/testing` in a process of its own, which is killed and started again over the same objects. */
export class EmbeddedStore implements Store, StoreFaultInjector {
  readonly faultInjector = this;
  readonly #settings: EmbeddedStoreSettings;
  #child: Child<ToStore, FromStore> | undefined;
  #proxies: Proxies | undefined;
  #ways: readonly StoreAddress[] = [];
  #ports: readonly number[];
  #weather: { readonly name: WeatherName; readonly seed: number } = { name: "calm", seed: 0 };
  #isUp = false;
  /** The end of the process is wanted. */
  #isExpected = false;
  #isClosed = false;

  constructor(settings: EmbeddedStoreSettings) {
    this.#settings = settings;
    const highest = lowestEphemeralPort() - 1;
    this.#ports = Array.from({ length: PORTS_TRIED }, () =>
      settings.random.integer(Math.min(10_000, highest), highest),
    );
  }

  get description(): string {
    return `the embedded server, port ${this.#ports[0]}`;
  }

  get address(): StoreAddress {
    return {
      client: {
        endpoint: `http://127.0.0.1:${this.#ports[0]}`,
        region: "us-east-1",
        forcePathStyle: true,
        credentials: { accessKeyId: "test", secretAccessKey: "test" },
      },
      bucketName: BUCKET_NAME,
      keyPrefix: "locks/",
    };
  }

  /** Every second worker reaches it by a proxy. */
  get ways(): readonly StoreAddress[] {
    return this.#ways.length === 0 ? [this.address] : this.#ways;
  }

  /** Resolves when they listen; the store has to, since then its port is known. */
  async startProxies(): Promise<void> {
    const { figures, guard, unguard, failed, random } = this.#settings;
    const [storePort = 0] = this.#ports;
    this.#proxies = new Proxies({ storePort, seed: random.integer(0, 2 ** 32), figures, guard, unguard, failed });
    const byProxy = await this.#proxies.addressesOf(this.address);
    this.#ways = byProxy.flatMap((address) => [this.address, address]);
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  setWeather(name: WeatherName, seed: number): void {
    this.#weather = { name, seed };
    this.#child?.send({ kind: "weather", name, seed });
  }

  async restart(downMs: number): Promise<void> {
    await this.#stop();
    await sleep(downMs);
    // The run may have been given up meanwhile.
    if (!this.#isClosed) await this.start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#proxies?.close(), this.#stop()]);
  }

  kill(): void {
    this.#isClosed = true;
    this.#isExpected = true;
    this.#proxies?.kill();
    this.#child?.signal("SIGKILL");
  }

  async #stop(): Promise<void> {
    this.#isUp = false;
    this.#isExpected = true;
    const child = this.#child;
    child?.signal("SIGKILL");
    await child?.exited;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { folder, figures, guard, unguard, failed } = this.#settings;
    this.#isExpected = false;
    const settings = { dataFolder: join(folder, "objects"), bucketName: BUCKET_NAME, ports: this.#ports };
    const port = await new Promise<number>((resolve, reject) => {
      const child: Child<ToStore, FromStore> = new Child("store/store-process.ts", settings, (message) => {
        if (message.kind === "listening") resolve(message.port);
        else figures.add(message.counts);
      });
      this.#child = child;
      guard(child.pid);
      void child.exited.then((how) => {
        unguard(child.pid);
        const error = new Error(`the store ended (${how}): ${child.stderr}`);
        if (!this.#isExpected) failed(error);
        reject(error);
      });
    });
    this.#ports = [port];
    this.#isUp = true;
    this.setWeather(this.#weather.name, this.#weather.seed);
  }
}

/**
 * Finds the port from which on ports are given to clients that connect somewhere. While the server is down its own port must not be
 * given away, least of all to a client that is trying to connect to it and would then be connected to itself.
 */
function lowestEphemeralPort(): number {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/)[0]);
  } catch {
    return 32_768;
  }
}
