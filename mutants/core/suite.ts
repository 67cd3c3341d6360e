import { build } from "esbuild";
import { filesOfCore, ROOT } from "./files.js";
import type { Instrumented } from "./instrument.js";

/**
 * One script of all the specs of core and of what they import, so that to load everything afresh is to run it again. It
 * expects two functions: `require` for libraries, and `inSpec`, which is given each spec's name and what loads it.
 */
export async function suiteOf({ texts }: Instrumented): Promise<string> {
  const entry = filesOfCore("spec").map((file) => `inSpec(${JSON.stringify(file)}, () => require("./${file}"));`);
  const { outputFiles } = await build({
    stdin: { contents: entry.join("\n"), resolveDir: ROOT },
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    target: "node20",
    external: ["vitest", "fast-check"],
    // A mutant may lie in what nobody uses.
    treeShaking: false,
    ignoreAnnotations: true,
    plugins: [
      {
        name: "mutants",
        setup: ({ onLoad }) =>
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const contents = texts.get(path.slice(ROOT.length).replaceAll("\\", "/"));
            return contents === undefined ? undefined : { contents, loader: "ts" };
          }),
      },
    ],
  });
  return outputFiles[0]?.text ?? "";
}
