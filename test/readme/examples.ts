import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tool = (path: string) => join(root, "node_modules", path);

/** One TypeScript block of a document. */
export interface Example {
  readonly document: string;
  /** The heading that it stands under. */
  readonly heading: string;
  readonly code: string;
  /** Without an ending. */
  readonly file: string;
}

/** What became of an example when it ran. */
export interface Ran {
  readonly printed: readonly string[];
  readonly error?: string;
  /** Keys of locks that were still held or waited for afterwards. */
  readonly left: readonly string[];
}

/** Reads the blocks of a document that are marked `ts`, in order. */
export async function examplesOf(document: string): Promise<readonly Example[]> {
  const markdown = await readFile(join(root, document), "utf8");
  const name = basename(document, ".md").toLowerCase();
  const examples: Example[] = [];
  let heading = "";
  for (const [, title, code] of markdown.matchAll(/^#+ (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    if (code === undefined) continue;
    examples.push({ document, heading, code, file: `${name}-${examples.length + 1}` });
  }
  return examples;
}

/** A folder like that of a user that has installed the package, with the examples in it. */
export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), "s3-mutex-examples-"));
    await mkdir(join(folder, "node_modules"));
    await symlink(root, join(folder, "node_modules/s3-mutex"));
    for (const name of ["@aws-sdk", "@opentelemetry", "@types", "vitest"])
      await symlink(tool(name), join(folder, "node_modules", name));
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    const surroundings = await readFile(new URL("surroundings.ts", import.meta.url), "utf8");
    await writeFile(join(folder, "surroundings.ts"), surroundings.replace('"../../src/index.js"', '"s3-mutex"'));
    await writeFile(
      join(folder, "run-examples.mjs"),
      await readFile(new URL("run-examples.mjs", import.meta.url), "utf8"),
    );
    return new Project(folder);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async add(file: string, code: string): Promise<void> {
    await writeFile(join(this.folder, `${file}.ts`), code);
  }

  /** Compiles strictly, by the real compiler, against the published types. Gives what it complains about; empty if nothing. */
  async compile(files: readonly string[]): Promise<string> {
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true },
      ...{ target: "ES2023", lib: ["ES2023", "ESNext.Disposable"], module: "NodeNext", types: ["node"] },
    };
    const included = ["surroundings", ...files].map((file) => `${file}.ts`);
    await writeFile(join(this.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: included }));
    const compiler = tool("typescript/lib/tsc.js");
    return await run(compiler, ["-p", this.folder, "--pretty", "false"], this.folder).catch(outputOf);
  }

  /** Runs compiled examples, one after the other in one process. */
  async run(files: readonly string[]): Promise<readonly Ran[]> {
    const paths = files.map((file) => `./${file}.js`);
    const stdout = await run(join(this.folder, "run-examples.mjs"), paths, this.folder);
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  }

  /** Runs a compiled file of tests. @returns what vitest has to say when one fails, else nothing */
  async test(file: string): Promise<string> {
    const args = ["run", "--root", this.folder, `${file}.js`, "--reporter", "dot"];
    return await run(tool("vitest/vitest.mjs"), args, this.folder).then(() => "", outputOf);
  }
}

async function run(script: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd });
  return stdout;
}

function outputOf({ stdout, stderr }: { stdout?: string; stderr?: string }): string {
  return `${stdout}${stderr}`;
}
