import { Readable } from "node:stream";

interface Holdable {
  readonly middlewareStack: {
    add(middleware: (next: Next) => Next, options: { step: string; priority: string; name: string }): void;
  };
}
type Next = (args: { request: { body?: unknown } }) => Promise<object>;

/** The body of one request, whose last byte never comes. Signed and counted as a whole, so that nothing but its slowness is odd about it. */
export class HeldBack {
  readonly #stream = new Readable({ read() {} });
  #isSent = false;

  hold(command: object): void {
    (command as Holdable).middlewareStack.add(
      (next) => (args) => {
        const { body } = args.request;
        const isWhole = typeof body === "string" || body instanceof Uint8Array;
        if (!isWhole || this.#isSent) throw new Error("There is nothing to hold back, or it was sent before");
        this.#isSent = true;
        this.#stream.push(Buffer.from(body as string).subarray(0, -1));
        args.request.body = this.#stream;
        return next(args);
      },
      // Next to the HTTP handler: what retries sees a request that it need not warn of.
      { step: "deserialize", priority: "low", name: "s3MutexHeldBack" },
    );
  }

  end(): void {
    this.#stream.destroy();
  }
}
