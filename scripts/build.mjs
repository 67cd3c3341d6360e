// Compiles src to dist, then removes what is in dist without a source. Not the other way round: dist is never empty, so
// that what runs from it meanwhile (a test's child process, a second build) does not lose its files.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, runTool } from "./tools.mjs";

// Comments stay in the declarations, which editors show, and not in the JavaScript, which would be a third larger.
const statuses = await Promise.all([
  runTool("tsc", ["-p", "tsconfig.build.json", "--emitDeclarationOnly"]),
  runTool("tsc", ["-p", "tsconfig.build.json", "--declaration", "false", "--removeComments"]),
]);
removeStale();
process.exit(Math.max(...statuses));

function removeStale() {
  const dist = join(root, "dist");
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !hasSource(path.slice(dist.length + 1))) rmSync(path, { force: true });
  }
}

function hasSource(file) {
  const [stem, ending] = splitEnding(file);
  return ending !== "" && !stem.endsWith(".spec") && existsSync(join(root, "src", `${stem}.ts`));
}

function splitEnding(file) {
  const ending = [".d.ts", ".js"].find((candidate) => file.endsWith(candidate)) ?? "";
  return [file.slice(0, file.length - ending.length), ending];
}
