import { Readable } from "node:stream";
import type { PutObjectCommand, S3Client, S3ServiceException } from "@aws-sdk/client-s3";
import type { Effects } from "../../runtime/base/effects.js";
import { settledWithin } from "../../runtime/base/timing.js";

interface Holdable {
  readonly middlewareStack: {
    add(middleware: (next: Next) => Next, options: { step: string; priority: string; name: string }): void;
  };
}
type Next = (args: { request: { body?: unknown } }) => Promise<object>;

/** The body of one request, whose last byte comes late or never. Signed and counted as a whole, so that nothing but its slowness is odd about it. */
class HeldBack {
  readonly #stream = new Readable({ read() {} });
  #isSent = false;
  #last: Uint8Array | undefined;

  hold(command: object): void {
    (command as Holdable).middlewareStack.add(
      (next) => (args) => {
        const { body } = args.request;
        const isWhole = typeof body === "string" || body instanceof Uint8Array;
        if (!isWhole || this.#isSent) throw new Error("There is nothing to hold back, or it was sent before");
        this.#isSent = true;
        const bytes = Buffer.from(body as string);
        this.#last = bytes.subarray(-1);
        this.#stream.push(bytes.subarray(0, -1));
        args.request.body = this.#stream;
        return next(args);
      },
      // Next to the HTTP handler: what retries sees a request that it need not warn of.
      { step: "deserialize", priority: "low", name: "s3MutexHeldBack" },
    );
  }

  /** Lets the last byte follow. */
  complete(): void {
    if (this.#last !== undefined) this.#stream.push(this.#last);
    this.#stream.push(null);
  }

  end(): void {
    this.#stream.destroy();
  }
}

/** `denied`: the store has not judged the condition, but said that it takes no such write from this identity. */
export type SlowAnswer = "done" | "denied" | "not done";

/** A write whose last byte is held back. */
export interface SlowWrite {
  /** Whether the store has said that it was done, once that is known or it was cut off. */
  readonly over: Promise<boolean>;
  /** Lets it follow; what the store has said. */
  finish(): Promise<SlowAnswer>;
  /** Breaks off the write, as when the connection breaks. */
  cut(): Promise<void>;
}

export const NOT_SENT: SlowWrite = {
  over: Promise.resolve(false),
  finish: () => Promise.resolve("not done"),
  cut: () => Promise.resolve(),
};

/** 400 is how an expired token is refused. */
const DENIALS: ReadonlySet<number> = new Set([400, 401, 403]);

/** Sends all of a PUT but its last byte. */
export function sendSlowly(
  client: S3Client,
  command: PutObjectCommand,
  { effects, timeoutMs }: { readonly effects: Effects; readonly timeoutMs: number },
): SlowWrite {
  const heldBack = new HeldBack();
  heldBack.hold(command);
  const breaking = new AbortController();
  let status: number | undefined;
  const over = client.send(command, { abortSignal: breaking.signal }).then(
    () => true,
    (error: Partial<S3ServiceException>) => {
      status = error.$metadata?.httpStatusCode;
      return false;
    },
  );
  return {
    over,
    async finish() {
      heldBack.complete();
      await settledWithin(effects, over, timeoutMs);
      breaking.abort();
      if (await over) return "done";
      return status !== undefined && DENIALS.has(status) ? "denied" : "not done";
    },
    async cut() {
      breaking.abort();
      heldBack.end();
      await over;
    },
  };
}
