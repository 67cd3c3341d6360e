import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { newerNode, npmInstall } from "../host/packages.js";
import { BUCKETS, type StoreKind } from "../kind.js";
import { starting } from "./single-server.js";

/** Both are libraries to us: fauxqs binds all addresses when started by itself, and the package of s3rver lacks its program. */
export const fauxqs: StoreKind = {
  name: "fauxqs",
  title: "fauxqs",
  isInShortForm: true,
  isRequired: false,
  source: "npm fauxqs, on Node 24",
  async install() {
    const version = "2.4.1";
    const [command, folder] = [await newerNode(), await npmInstall(`fauxqs-${version}`, `fauxqs@${version}`)];
    const program = join(folder, "start.mjs");
    writeFileSync(
      program,
      'import { buildApp } from "fauxqs";\nawait buildApp({ logger: false }).listen({ port: Number(process.argv[2]), host: "127.0.0.1" });\n',
    );
    return { version, start: starting({ command, args: (port) => [program, String(port)] }) };
  },
};

/** It refuses each request of the SDK about a bucket (403 SignatureDoesNotMatch), so that its buckets are there from the start. */
const S3RVER = `import S3rver from "@20minutes/s3rver";
const [port, directory, ...buckets] = process.argv.slice(2);
const configureBuckets = buckets.map((name) => ({ name, configs: [] }));
await new S3rver({ port: Number(port), address: "127.0.0.1", directory, silent: true, configureBuckets }).run();
`;

export const s3rver: StoreKind = {
  name: "s3rver",
  title: "s3rver",
  isInShortForm: true,
  isRequired: false,
  source: "npm @20minutes/s3rver, on Node 24",
  async install() {
    const version = "5.0.0";
    const [command, folder] = [
      await newerNode(),
      await npmInstall(`s3rver-${version}`, `@20minutes/s3rver@${version}`),
    ];
    const program = join(folder, "start.mjs");
    writeFileSync(program, S3RVER);
    return {
      version,
      start: starting({
        command,
        args: (port, data) => [program, String(port), data, ...BUCKETS],
        // The only ones that it knows.
        credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
      }),
    };
  },
};
