import type { Socket } from "node:net";
import { createInterface } from "node:readline";

/** What workers ask of the resource: a line of JSON each, over a socket; answers come in any order. */
export type Question =
  | { readonly ask: "floor"; readonly lock: string }
  | (Visit & { readonly ask: "enter"; readonly floor: number })
  | (Visit & { readonly ask: "write"; readonly checked?: number; readonly plain: number; readonly wasSure: boolean })
  | (Visit & { readonly ask: "leave" });

export interface Visit {
  readonly lock: string;
  readonly turn: string;
  readonly pid: number;
  readonly token: number;
}

export interface Answer {
  readonly floor?: number;
  /** Undefined: the token was too old. */
  readonly checked?: number | undefined;
  readonly plain?: number;
  readonly accepted?: boolean;
}

export type Numbered<T> = T & { readonly id: number };

export function onLine<T>(socket: Socket, listener: (message: T) => void): void {
  socket.setNoDelay(true);
  createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
    // What a killed worker had half written is no message.
    if (line.endsWith("}")) listener(JSON.parse(line) as T);
  });
}

export function sendLine(socket: Socket, message: object): void {
  socket.write(`${JSON.stringify(message)}\n`);
}
