import type { Socket } from "node:net";

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
  let rest = "";
  socket.setNoDelay(true);
  socket.setEncoding("utf8").on("data", (text: string) => {
    // What comes after the last line end is not whole yet, and never will be when its sender was killed.
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) listener(JSON.parse(line) as T);
  });
}

export function sendLine(socket: Socket, message: object): void {
  socket.write(`${JSON.stringify(message)}\n`);
}
