import { build } from "esbuild";
import { ROOT } from "../root.js";

/**
 * Makes one script of all the specs and of what they import, so that to load everything afresh is to run it again. It expects two
 * functions: `require` for libraries, and `inSpec`, which is given each spec's name and what loads it. `texts` take the place of the files
 * that have the names.
 */
export async function suiteOf(specs: readonly string[], texts: ReadonlyMap<string, string>): Promise<string> {
  const entry = specs.map((file) => `inSpec(${JSON.stringify(file)}, () => require("./${file}"));`);
  const { outputFiles } = await build({
    stdin: { contents: entry.join("\n"), resolveDir: ROOT },
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    target: "node20",
    packages: "external",
    // A script has neither: libraries are required, and files beside it are not there.
    supported: { "dynamic-import": false },
    define: { "import.meta.url": JSON.stringify("file:///nowhere") },
    // A mutant may lie in what is not used.
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
