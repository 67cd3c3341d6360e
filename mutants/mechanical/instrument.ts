import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Instrumenter } from "@stryker-mutator/instrumenter";
import { type MechanicalMutant, withoutSpace } from "./mechanical-mutant.js";
import { ROOT } from "./root.js";

export interface Instrumented {
  /** The text of each chosen file, with all its mutants in it and none switched on. */
  readonly texts: ReadonlyMap<string, string>;
  readonly mutants: readonly MechanicalMutant[];
}

const silence = () => {};
const never = () => false;
const logger = {
  trace: silence,
  debug: silence,
  info: silence,
  warn: console.warn,
  error: console.error,
  fatal: console.error,
  isTraceEnabled: never,
  isDebugEnabled: never,
  isInfoEnabled: never,
  isWarnEnabled: () => true,
  isErrorEnabled: () => true,
  isFatalEnabled: () => true,
};

export async function instrument(files: readonly string[]): Promise<Instrumented> {
  const sources = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));
  const { files: written, mutants } = await new Instrumenter(logger).instrument(
    [...sources].map(([name, content]) => ({ name, content, mutate: true })),
    { plugins: null, excludedMutations: [], ignorers: [] },
  );
  return {
    texts: new Map(written.map(({ name, content }) => [name, content])),
    mutants: mutants.map(({ id, fileName, mutatorName, location: { start, end }, replacement }) => {
      const source = sources.get(fileName) ?? "";
      const [from, to] = [offsetOf(source, start), offsetOf(source, end)];
      return {
        id,
        file: fileName,
        rule: mutatorName,
        line: start.line + 1,
        search: source.slice(from, to),
        replace: replacement,
        result: withoutSpace(source.slice(0, from) + replacement + source.slice(to)),
      };
    }),
  };
}

function offsetOf(text: string, { line, column }: { line: number; column: number }): number {
  let offset = 0;
  for (let at = 0; at < line; at += 1) offset = text.indexOf("\n", offset) + 1;
  return offset + column;
}
