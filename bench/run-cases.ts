import { Bench, type BenchCase, type Figure } from "./case.js";

export interface CaseReport {
  readonly name: string;
  readonly issue: 2 | 3 | 6 | 7;
  readonly title: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  /** Why there are no figures. */
  readonly failure?: string;
}

export interface RunOptions {
  readonly quick: boolean;
  readonly seed: number;
  readonly report: (text: string) => void;
}

/** Runs one after the other: what runs at the same time would be measured too. */
export async function runCases(cases: readonly BenchCase[], options: RunOptions): Promise<CaseReport[]> {
  process.on("unhandledRejection", (error) => {
    if (!isLeftover(error)) throw error;
  });
  const reports: CaseReport[] = [];
  for (const one of cases) reports.push(await runCase(one, options));
  return reports;
}

async function runCase(one: BenchCase, { quick, seed, report }: RunOptions): Promise<CaseReport> {
  const { name, issue, title } = one;
  report(`${name}: ${title}`);
  const bench = new Bench({ quick, seed, report: (text) => report(`  ${text}`) });
  const accident = accidents();
  const startedAtMs = performance.now();
  const seconds = () => (performance.now() - startedAtMs) / 1000;
  try {
    const figures = await Promise.race([one.run(bench), accident.promise]);
    return { name, issue, title, seconds: seconds(), figures };
  } catch (error) {
    // The other cases still have something to say.
    const failure = error instanceof Error ? error.message : String(error);
    report(`  failed: ${error instanceof Error ? error.stack : failure}`);
    return { name, issue, title, seconds: seconds(), figures: [], failure };
  } finally {
    accident.stop();
    await bench.close();
  }
}

/** Says whether what was given up on in an earlier case (the ancestor has no time limits) finds the server of that case gone. */
function isLeftover(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
}

/** Lets what is thrown where it cannot be caught, in a timer of the library's, end the case and not the bench. */
function accidents(): { readonly promise: Promise<never>; readonly stop: () => void } {
  let fail: (error: unknown) => void = () => {};
  const promise = new Promise<never>((_, reject) => {
    fail = (error) => {
      if (!isLeftover(error)) reject(error);
    };
  });
  const events = ["uncaughtException", "unhandledRejection"];
  for (const event of events) process.on(event, fail);
  return {
    promise,
    stop() {
      for (const event of events) process.off(event, fail);
    },
  };
}
