import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutant, Replacement } from "./mutant.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PARTS = [
  "src",
  "sim",
  "model",
  "test",
  "testkit",
  "scripts",
  "package.json",
  "tsconfig.json",
  "vitest.config.ts",
];

/** Says what keeps a mutant from being made: the source has changed since it was written, or the mutant changes nothing. */
export function problemOf({
  name,
  file,
  search,
  replace,
}: Replacement & { readonly name: string }): string | undefined {
  const times = readFileSync(join(ROOT, file), "utf8").split(search).length - 1;
  if (times !== 1) return `${name}: what it replaces is ${times} times in ${file}, not once`;
  return search === replace ? `${name}: changes nothing` : undefined;
}

/** Gives the file as this mutant has it. */
export function mutated({ file, search, replace }: Replacement): string {
  return readFileSync(join(ROOT, file), "utf8").split(search).join(replace);
}

/** A folder with the source and the checkers, in which mutants are made one after the other. */
export class Variant {
  readonly folder = mkdtempSync(join(tmpdir(), "s3-mutex-mutant-"));

  constructor() {
    for (const part of PARTS) cpSync(join(ROOT, part), join(this.folder, part), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"));
  }

  /** Makes it this mutant and nothing else. */
  become(mutant: Mutant): void {
    const { file } = mutant;
    rmSync(join(this.folder, "src"), { recursive: true });
    cpSync(join(ROOT, "src"), join(this.folder, "src"), { recursive: true });
    mkdirSync(join(this.folder, file, ".."), { recursive: true });
    writeFileSync(join(this.folder, file), mutated(mutant));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
