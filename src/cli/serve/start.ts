import { type S3Server, startS3Server } from "../../testing/index.js";
import { CommandError, UsageError } from "../base/usage-error.js";

export interface ServeSettings {
  readonly port: number;
  readonly host: string;
  readonly dataFolder: string | undefined;
  readonly buckets: readonly string[];
  readonly latencyMs: number;
}

/** Starts the server, or says in one sentence why it cannot listen. */
export async function startServer({ dataFolder, ...settings }: ServeSettings): Promise<S3Server> {
  const { host, port } = settings;
  try {
    return await startS3Server({ ...settings, ...(dataFolder === undefined ? {} : { dataFolder }) });
  } catch (error) {
    // Sockets have no path.
    const { path, message } = error as NodeJS.ErrnoException;
    if (path !== undefined) {
      throw new UsageError(`--data ${dataFolder} cannot be used (${message}): name a folder that this user can write.`);
    }
    const { code } = ((error as Error).cause ?? {}) as { readonly code?: unknown };
    const sentence = sentences[String(code)]?.(host, port);
    throw sentence === undefined ? error : new CommandError(sentence, { cause: error });
  }
}

const sentences: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `port ${port} on ${host} is taken: use another --port, or --port 0 for any that is free.`,
  EACCES: (_host, port) => `port ${port} is not allowed to this user: use a --port above 1023.`,
  EADDRNOTAVAIL: (host) => `${host} is not an address of this machine: use --host 127.0.0.1 or 0.0.0.0.`,
  ENOTFOUND: (host) => `${host} is not an address of this machine: use --host 127.0.0.1 or 0.0.0.0.`,
};
