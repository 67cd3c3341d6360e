/** Errors that were not handled: they fail the test during which they come, and never end the process. */
export class Unhandled {
  #errors: unknown[] = [];

  constructor() {
    const note = (error: unknown) => void this.#errors.push(error);
    process.on("unhandledRejection", note).on("uncaughtException", note);
  }

  /** @throws what the test throws, or what was not handled by its end */
  async during(run: () => unknown): Promise<void> {
    this.#errors = [];
    await run();
    // A rejection counts as unhandled only when the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#errors.length > 0) throw this.#errors[0];
  }
}
