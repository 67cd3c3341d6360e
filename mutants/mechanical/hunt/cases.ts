import {
  chai,
  customMatchers,
  type ExpectStatic,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
} from "@vitest/expect";
import { expecting } from "./expecting.js";

/** One test of a spec, which can be run as often as one likes. */
export interface Case {
  readonly spec: string;
  readonly name: string;
  readonly run: () => unknown;
}

type Body = (...row: unknown[]) => unknown;
type Hook = () => unknown;

/** Each does what comes before, calls `use` with what the test gets, and does what comes after. */
type Fixtures = Readonly<Record<string, (context: object, use: (value: unknown) => Promise<void>) => unknown>>;

/** A `describe`, with what it does before and after each of its tests. */
interface Scope {
  readonly before: Hook[];
  readonly after: Hook[];
}

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
(chai.expect as unknown as { extend(expect: unknown, matchers: object): void }).extend(chai.expect, customMatchers);

/** Takes the place of vitest, which would run each test once: collects the tests of specs, with vitest's own `expect`. */
export class Cases {
  readonly #cases: Case[] = [];
  #spec = "";
  /** Those that are open while specs are loaded, the outermost first. */
  #scopes: readonly Scope[] = [];
  /** What the test that runs has asked for at its end. */
  #finishers: Hook[] = [];

  readonly inSpec = (spec: string, load: () => void): void => {
    this.#spec = spec;
    try {
      this.#inScope(load);
    } catch (error) {
      this.#cases.push({ spec, name: "(loading)", run: () => Promise.reject(error) });
    }
  };

  /** What specs import from vitest; what is missing here makes them fail. */
  get vitest(): object {
    const it = this.#testsWith({});
    const describe = Object.assign((_name: string, body: () => void) => this.#inScope(body), {
      each: (table: readonly unknown[]) => (_name: string, body: Body) => {
        for (const row of table) this.#inScope(() => void body(...(Array.isArray(row) ? row : [row])));
      },
      // One after another here, so that it is known which test runs through what.
      concurrent: (_name: string, body: () => void) => this.#inScope(body),
    });
    const beforeEach = (hook: Hook) => this.#scopes.at(-1)?.before.push(hook);
    const afterEach = (hook: Hook) => this.#scopes.at(-1)?.after.push(hook);
    const onTestFinished = (hook: Hook) => this.#finishers.push(hook);
    const { expect, vi } = expecting(chai.expect as unknown as ExpectStatic);
    return { it, test: it, describe, expect, vi, beforeEach, afterEach, onTestFinished };
  }

  get all(): readonly Case[] {
    return this.#cases;
  }

  /** Makes an `it` whose tests are given these fixtures, all of them. */
  #testsWith(fixtures: Fixtures): object {
    const add = (name: string, run: Body, row: readonly unknown[]) =>
      this.#add(name, () => given(fixtures, run, row), []);
    return Object.assign((name: string, ...rest: unknown[]) => add(name, bodyOf(rest), []), {
      each: (table: readonly unknown[]) => (name: string, run: Body) => {
        for (const row of table) this.#add(name, run, Array.isArray(row) ? row : [row]);
      },
      for: (table: readonly unknown[]) => (name: string, run: Body) => {
        for (const row of table) add(name, run, [row]);
      },
      extend: (more: Fixtures) => this.#testsWith({ ...fixtures, ...more }),
    });
  }

  #inScope(body: () => void): void {
    const outside = this.#scopes;
    this.#scopes = [...outside, { before: [], after: [] }];
    try {
      body();
    } finally {
      this.#scopes = outside;
    }
  }

  #add(name: string, run: Body, row: readonly unknown[]): void {
    const scopes = this.#scopes;
    this.#cases.push({ spec: this.#spec, name, run: () => this.#run(scopes, () => run(...row)) });
  }

  /** Runs a test with its hooks; whatever fails, what is to be done afterwards is done. Rejects with the first error. */
  async #run(scopes: readonly Scope[], body: () => unknown): Promise<void> {
    const finishers: Hook[] = [];
    this.#finishers = finishers;
    const errors: unknown[] = [];
    const attempt = async (hook: Hook) => {
      try {
        await hook();
      } catch (error) {
        errors.push(error);
      }
    };
    for (const { before } of scopes) for (const hook of before) if (errors.length === 0) await attempt(hook);
    if (errors.length === 0) await attempt(body);
    for (const hook of finishers.reverse()) await attempt(hook);
    for (const { after } of scopes.toReversed()) for (const hook of after) await attempt(hook);
    if (errors.length > 0) throw errors[0];
  }
}

/** Finds the body of a test. Before it there may be options, and after it a time limit: neither is heeded. */
function bodyOf(rest: readonly unknown[]): Body {
  const body = rest.find((one): one is Body => typeof one === "function");
  if (body === undefined) throw new TypeError("a test without a body");
  return body;
}

/** Runs a test's body with a context of fixtures after what is in its row. */
async function given(fixtures: Fixtures, run: Body, row: readonly unknown[]): Promise<void> {
  const context: Record<string, unknown> = {};
  const inside = Object.entries(fixtures).reduceRight(
    (next, [name, fixture]) =>
      async () => {
        await fixture(context, (value) => {
          context[name] = value;
          return next();
        });
      },
    async () => void (await run(...row, context)),
  );
  await inside();
}
