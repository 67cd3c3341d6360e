import { type IncomingHttpHeaders, request } from "node:http";
import { onTestFinished } from "vitest";
import type { Delta, Snapshot } from "../../src/cli/ui/wire.js";
import type { Scene } from "./scene.js";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request with any Host and Origin, unlike `fetch`. */
export function ask(
  origin: string,
  path: string,
  { method = "GET", headers = {}, body }: Asking = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, origin), { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

export type Told =
  | { readonly event: "snapshot"; readonly data: Snapshot }
  | { readonly event: "delta"; readonly data: Delta };

export interface Stream {
  readonly told: readonly Told[];
  /** Resolves with the first event, old or new, that this is true of. */
  hears(isIt: (told: Told) => boolean): Promise<Told>;
  leave(): void;
}

/** Opens a viewer without a browser. */
export function look({ origin, token }: Scene): Stream {
  const told: Told[] = [];
  let arrived = () => {};
  const sent = request(new URL("/events", origin), { headers: { authorization: `Bearer ${token}` } }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      const events = (text + chunk).split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
        told.push({ event: name, data: JSON.parse(data) } as Told);
      }
      arrived();
    });
  });
  // Leaving cuts the connection.
  sent.on("error", () => {});
  sent.end();
  const leave = () => void sent.destroy();
  onTestFinished(leave);
  return {
    told,
    async hears(isIt) {
      for (;;) {
        const found = told.find(isIt);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
    },
    leave,
  };
}

/** Says whether an event says that the store was read. */
export function isRead({ data }: Told): boolean {
  return data.status.isRead;
}

/** Gives all locks that a viewer knows after what it was told. */
export function locksAfter(told: readonly Told[]): Map<string, Snapshot["locks"][number]> {
  const locks = new Map<string, Snapshot["locks"][number]>();
  for (const { event, data } of told) {
    if (event === "snapshot") locks.clear();
    for (const lock of event === "snapshot" ? data.locks : data.changed) locks.set(lock.name, lock);
    if (event === "delta") for (const name of data.removed) locks.delete(name);
  }
  return locks;
}
