import { join } from "node:path";
import { NotInstallable } from "../kind.js";
import { cacheFolder } from "./cache.js";
import { isExecutable, runCommand, whichProgram } from "./commands.js";

/** Compiles a program from the Go module proxy, once for each version; its path. */
export async function goInstall(module: string, version: string): Promise<string> {
  const folder = cacheFolder("go", version);
  const program = join(folder, module.split("/").at(-1) ?? module);
  if (isExecutable(program)) return program;
  if (whichProgram("go") === undefined) throw new NotInstallable("there is no Go to compile it with");
  await runCommand("go", ["install", `${module}@${version}`], { env: { GOBIN: folder }, minutes: 30 }).catch(refused);
  return program;
}

/** Throws: a registry that does not have a package is a reason to skip; a program that does not compile is a failure. */
export function refused(error: unknown): never {
  const text = String(error);
  const reason =
    /(?:40[34] [^|]*|not available|ETARGET[^|]*|No matching distribution[^|]*|Could not find artifact[^|]*)/.exec(text);
  if (reason === null) throw error;
  throw new NotInstallable(`the registry does not have it (${reason[0].trim().slice(0, 100)})`);
}
