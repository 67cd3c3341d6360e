import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { NotInstallable } from "../kind.js";
import { cacheFolder } from "./cache.js";
import { isExecutable, runCommand, whichProgram } from "./commands.js";
import { refused } from "./go-install.js";

/** Installs a package of PyPI into an environment of its own; the path of one of its programs. */
export async function pipInstall(program: string, version: string, requirements: readonly string[]): Promise<string> {
  const folder = cacheFolder(`${requirements[0]?.split(/[=[]/)[0]}-${version}`);
  const command = join(folder, "bin", program);
  if (existsSync(command)) return command;
  const python = whichProgram("python3");
  if (python === undefined) throw new NotInstallable("there is no Python to run it with");
  await runCommand(python, ["-m", "venv", folder]);
  const pip = ["install", "--quiet", "--disable-pip-version-check", ...requirements];
  await runCommand(join(folder, "bin/pip"), pip).catch(refused);
  return command;
}

/** Installs packages of npm into a folder of their own, without running their scripts; the path of that folder. */
export async function npmInstall(name: string, ...packages: readonly string[]): Promise<string> {
  const folder = cacheFolder(name);
  if (existsSync(join(folder, "node_modules"))) return folder;
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  // The strictness of this project is not theirs: some of them run on {@link newerNode}.
  const install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--engine-strict=false", ...packages];
  await runCommand("npm", install, { cwd: folder }).catch(refused);
  return folder;
}

/** Finds or installs a Node that programs run on which need a newer one than the oldest that the library supports. */
export async function newerNode(): Promise<string> {
  const version = "24.21.0";
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const folder = await npmInstall(`node-${version}`, `${name}@${version}`);
  return join(folder, "node_modules", name, "bin/node");
}

/** Fetches one jar from Maven's repository; its path. */
export async function mavenJar(group: string, name: string, version: string, classifier: string): Promise<string> {
  if (whichProgram("java") === undefined) throw new NotInstallable("there is no Java to run it with");
  const file = `${name}-${version}-${classifier}.jar`;
  const jar = join(cacheFolder(name), file);
  if (existsSync(jar)) return jar;
  if (whichProgram("mvn") === undefined) throw new NotInstallable("there is no Maven to fetch it with");
  const artifact = `${group}:${name}:${version}:jar:${classifier}`;
  const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get";
  await runCommand("mvn", ["-q", "-B", goal, `-Dartifact=${artifact}`, "-Dtransitive=false"]).catch(refused);
  copyFileSync(join(homedir(), ".m2/repository", ...group.split("."), name, version, file), jar);
  return jar;
}

/** Compiles a program of a crate; its path. */
export async function cargoInstall(
  crate: string,
  program: string,
  version: string,
  ...options: readonly string[]
): Promise<string> {
  const root = cacheFolder("cargo", `${crate}-${version}`);
  const command = join(root, "bin", program);
  if (isExecutable(command)) return command;
  if (whichProgram("cargo") === undefined) throw new NotInstallable("there is no Rust to compile it with");
  const install = ["install", "--quiet", "--root", root, "--version", version, ...options, crate];
  await runCommand("cargo", install, { minutes: 30 }).catch(refused);
  return command;
}

/** Compiles a program of our own around a Go module that is only a library; gives its path. */
export async function goBuildOwn(name: string, module: string, version: string, source: string): Promise<string> {
  const folder = cacheFolder("go", `${name}-${version}`);
  const program = join(folder, name);
  if (isExecutable(program)) return program;
  if (whichProgram("go") === undefined) throw new NotInstallable("there is no Go to compile it with");
  const cwd = join(folder, "source");
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, "go.mod"), `module store\n\ngo 1.24\n\nrequire ${module} v${version}\n`);
  writeFileSync(join(cwd, "main.go"), source);
  const env = { GOFLAGS: "-mod=mod" };
  await runCommand("go", ["build", "-o", program, "."], { cwd, env, minutes: 30 }).catch(refused);
  return program;
}

/** Compiles a command of a Go module that `go install` refuses, since its go.mod replaces others: from a copy of its source. */
export async function goBuildModule(module: string, command: string, version: string): Promise<string> {
  const folder = cacheFolder("go", version);
  const program = join(folder, command);
  if (isExecutable(program)) return program;
  if (whichProgram("go") === undefined) throw new NotInstallable("there is no Go to compile it with");
  const said = await runCommand("go", ["mod", "download", "-json", `${module}@${version}`], { minutes: 10 }).catch(
    refused,
  );
  const { Dir } = JSON.parse(said) as { readonly Dir: string };
  const cwd = join(folder, "source");
  // Modules in the cache are write-protected, and go.sum may have to grow.
  await runCommand("sh", ["-c", 'rm -rf "$2" && cp -r "$1" "$2" && chmod -R u+w "$2"', "sh", Dir, cwd]);
  await runCommand("go", ["build", "-o", program, `./${command}`], { cwd, minutes: 30 }).catch(refused);
  return program;
}
