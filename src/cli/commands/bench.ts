import type { Command, Input } from "../base/command.js";
import { EXIT } from "../base/exit-codes.js";
import { UsageError } from "../base/usage-error.js";
import { LOOK_OPTIONS, storeAt } from "../store/store-options.js";

const DEFAULTS = { turns: 20, contenders: 4, limitMs: 60_000, putPrice: 0.005, getPrice: 0.0004 } as const;

export const bench: Command = {
  usage: ["bench [options] [s3://BUCKET/PREFIX/]"],
  about: `
Measures what locks take on this store, from this machine: how long requests take, a free lock,
passing it on to a waiter, and turns a second where several want the same lock, each with its requests
and what they cost. Its locks are under PREFIX/.s3-mutex/ and are removed. It takes at most some
thousand requests, and stops at the time limit with what it has by then.

The prices are dollars for 1,000 requests, by default those of S3 Standard in us-east-1 for PUT and
LIST, and for GET.

Exit codes: ${EXIT.ok}; ${EXIT.store} the store is the problem; ${EXIT.usage} usage.`,
  options: {
    turns: { type: "string", value: "N", help: `Turns in each part, 1 to 1000 (default: ${DEFAULTS.turns})` },
    contenders: {
      type: "string",
      value: "N",
      help: `How many want the same lock, 2 to 32 (default: ${DEFAULTS.contenders})`,
    },
    "time-limit": { type: "string", value: "DURATION", help: "For all parts together (default: 60s)" },
    "put-price": { type: "string", value: "DOLLARS", help: `For 1,000 PUT (default: ${DEFAULTS.putPrice})` },
    "get-price": { type: "string", value: "DOLLARS", help: `For 1,000 GET (default: ${DEFAULTS.getPrice})` },
    json: { type: "boolean", help: "One line of JSON" },
    ...LOOK_OPTIONS,
  },
  examples: [
    { about: "What would locks cost me here?", line: "s3-mutex bench s3://my-bucket/locks/" },
    {
      about: "S3 Express One Zone, by its own prices",
      line: "s3-mutex bench --put-price 0.00113 --get-price 0.00003 s3://locks--use1-az4--x-s3/locks/",
    },
  ],
  async run(input, output) {
    const { values } = input;
    const store = storeAt(input);
    const plan = {
      turns: values.wholeNumber("turns", { min: 1, max: 1000 }) ?? DEFAULTS.turns,
      contenders: values.wholeNumber("contenders", { min: 2, max: 32 }) ?? DEFAULTS.contenders,
      limitMs: values.duration("time-limit", { min: 1000 }) ?? DEFAULTS.limitMs,
      prices: { put: priceOf(input, "put-price"), get: priceOf(input, "get-price") },
    };
    const { benchCommand } = await import("../bench/measure.js");
    return benchCommand(input, store, plan, output);
  },
};

function priceOf({ values }: Input, name: "put-price" | "get-price"): number {
  const text = values.word(name);
  if (text === undefined) return name === "put-price" ? DEFAULTS.putPrice : DEFAULTS.getPrice;
  if (/^\d*\.?\d+$/.test(text)) return Number(text);
  throw new UsageError(
    `--${name} ${JSON.stringify(text)} is not a price: write dollars for 1,000 requests, such as 0.005.`,
  );
}
