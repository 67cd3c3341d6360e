import type { S3Client } from "@aws-sdk/client-s3";

export interface Requests {
  /** PUT, and LIST, which costs the same. */
  readonly puts: number;
  /** GET; a 304 costs as much. */
  readonly gets: number;
}

interface Watched {
  readonly middlewareStack: {
    add(middleware: (next: Next, context: { commandName?: string }) => Next, options: object): void;
  };
}
type Next = (args: object) => Promise<object>;

/** Counts the requests of some clients, and how long each took. */
export class Meter {
  readonly putsMs: number[] = [];
  readonly getsMs: number[] = [];

  get requests(): Requests {
    return { puts: this.putsMs.length, gets: this.getsMs.length };
  }

  watch(client: S3Client): S3Client {
    (client as unknown as Watched).middlewareStack.add(
      (next, { commandName = "" }) =>
        async (args) => {
          const startedAtMs = performance.now();
          try {
            return await next(args);
          } finally {
            const elapsedMs = performance.now() - startedAtMs;
            if (commandName.startsWith("Get")) this.getsMs.push(elapsedMs);
            else if (commandName.startsWith("Put") || commandName.startsWith("List")) this.putsMs.push(elapsedMs);
          }
        },
      { step: "finalizeRequest", priority: "low", name: "s3MutexBench" },
    );
    return client;
  }
}
