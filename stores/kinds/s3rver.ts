import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../host/cache.js";
import { runCommand } from "../host/commands.js";
import { refused } from "../host/go-install.js";
import type { StoreKind } from "../kind.js";
import { starting } from "./single-server.js";

const VERSION = "3.7.1";

export const s3rver: StoreKind = {
  name: "s3rver",
  title: "s3rver",
  isInShortForm: true,
  isRequired: false,
  source: "npm s3rver, in a folder of its own",
  async install() {
    const folder = cacheFolder(`s3rver-${VERSION}`);
    const program = join(folder, "node_modules/s3rver/bin/s3rver.js");
    if (!existsSync(program)) {
      writeFileSync(join(folder, "package.json"), '{ "private": true }');
      const install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `s3rver@${VERSION}`];
      await runCommand("npm", install, { cwd: folder }).catch(refused);
    }
    return {
      version: VERSION,
      start: starting({
        command: process.execPath,
        args: (port, data) => [program, "-d", data, "-a", "127.0.0.1", "-p", String(port), "--no-vhost-buckets"],
        // The only ones that it knows.
        credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
      }),
    };
  },
};
