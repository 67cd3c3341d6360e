import { chai, type ExpectStatic, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";

/** One test of a spec, which can be run as often as one likes. */
export interface Case {
  readonly spec: string;
  readonly name: string;
  readonly run: () => unknown;
}

type Body = (...row: unknown[]) => unknown;

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

/** Takes the place of vitest, which would run each test once: collects the tests of specs, with vitest's own `expect`. */
export class Cases {
  readonly #cases: Case[] = [];
  #spec = "";

  readonly inSpec = (spec: string, load: () => void): void => {
    this.#spec = spec;
    load();
  };

  /** What specs import from vitest; what is missing here makes them fail when they are loaded. */
  get vitest(): object {
    const it = Object.assign((name: string, run: Body) => this.#add(name, run, []), {
      each: (table: readonly unknown[]) => (name: string, run: Body) => {
        for (const row of table) this.#add(name, run, Array.isArray(row) ? row : [row]);
      },
    });
    const describe = (_name: string, body: () => void) => body();
    return { it, test: it, describe, expect: chai.expect as unknown as ExpectStatic };
  }

  get all(): readonly Case[] {
    return this.#cases;
  }

  #add(name: string, run: Body, row: unknown[]): void {
    this.#cases.push({ spec: this.#spec, name, run: () => run(...row) });
  }
}
