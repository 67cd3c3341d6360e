import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../host/cache.js";
import { runCommand, whichProgram } from "../host/commands.js";
import { refused } from "../host/go-install.js";
import { NotInstallable, type StoreKind } from "../kind.js";
import { starting } from "./single-server.js";

const VERSION = "5.2.5";

export const moto: StoreKind = {
  name: "moto",
  title: "moto",
  isInShortForm: true,
  isRequired: false,
  knownFault: "checks and writes without a lock, by its code; in two of our five runs two of 16 racers won",
  source: "pip install moto[s3,server]",
  async install() {
    const folder = cacheFolder(`moto-${VERSION}`);
    const command = join(folder, "bin/moto_server");
    if (!existsSync(command)) {
      const python = whichProgram("python3");
      if (python === undefined) throw new NotInstallable("there is no Python to run it with");
      await runCommand(python, ["-m", "venv", folder]);
      const pip = ["install", "--quiet", "--disable-pip-version-check", `moto[s3,server]==${VERSION}`];
      await runCommand(join(folder, "bin/pip"), pip).catch(refused);
    }
    const args = (port: number) => ["-H", "127.0.0.1", "-p", String(port)];
    return { version: VERSION, start: starting({ command, args }) };
  },
};
