import type { FromProxies, StoreAddress } from "../messages.js";
import type { ProxySettings } from "../store/proxy-process.js";
import { Child } from "./child.js";
import type { Figures } from "./figures.js";

export interface ProxiesSettings extends ProxySettings {
  readonly figures: Figures;
  readonly guard: (pid: number) => void;
  readonly unguard: (pid: number) => void;
  /** They ended although they were not killed. */
  readonly failed: (error: Error) => void;
}

/** The proxies that change what answers say about the time, in a process of their own. */
export class Proxies {
  readonly #child: Child<never, FromProxies>;
  readonly #ports: Promise<readonly number[]>;
  #isExpected = false;

  constructor({ figures, guard, unguard, failed, ...settings }: ProxiesSettings) {
    let listening: (ports: readonly number[]) => void = () => {};
    let broken: (error: Error) => void = () => {};
    this.#ports = new Promise((resolve, reject) => {
      listening = resolve;
      broken = reject;
    });
    this.#child = new Child("store/proxy-process.ts", settings, (message: FromProxies) => {
      if (message.kind === "listening") listening(message.ports);
      else figures.add(message.counts);
    });
    guard(this.#child.pid);
    void this.#child.exited.then((how) => {
      unguard(this.#child.pid);
      const error = new Error(`the proxies ended (${how}): ${this.#child.stderr}`);
      broken(error);
      if (!this.#isExpected) failed(error);
    });
  }

  /** Gives the addresses of the same store by each of them; resolves when they listen. */
  async addressesOf(store: StoreAddress): Promise<readonly StoreAddress[]> {
    const by = (port: number) => ({ ...store, client: { ...store.client, endpoint: `http://127.0.0.1:${port}` } });
    return (await this.#ports).map(by);
  }

  async close(): Promise<void> {
    this.kill();
    await this.#child.exited;
  }

  kill(): void {
    this.#isExpected = true;
    this.#child.signal("SIGKILL");
  }
}
