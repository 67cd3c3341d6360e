import { copyFileSync, existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../host/cache.js";
import { runCommand, whichProgram } from "../host/commands.js";
import { refused } from "../host/go-install.js";
import { NotInstallable, type StoreKind } from "../kind.js";
import { starting } from "./single-server.js";

/** The last that runs on Java 17. */
const VERSION = "4.11.0";

export const s3mock: StoreKind = {
  name: "s3mock",
  title: "Adobe S3Mock",
  isInShortForm: true,
  isRequired: false,
  knownFault: "checks and writes without a lock, by its code",
  source: "Maven com.adobe.testing:s3mock, the executable jar",
  async install() {
    if (whichProgram("java") === undefined) throw new NotInstallable("there is no Java to run it with");
    const jar = join(cacheFolder("s3mock"), `s3mock-${VERSION}-exec.jar`);
    if (!existsSync(jar)) await fetchJar(jar);
    return {
      version: VERSION,
      start: starting({
        command: "java",
        readyWithinMs: 180_000,
        // Its plain HTTP port is the one that is used; the other has to be somewhere.
        args: (port, folder) => [
          "-Xmx256m",
          "-XX:TieredStopAtLevel=1",
          "-jar",
          jar,
          `--com.adobe.testing.s3mock.http-port=${port}`,
          "--server.port=0",
          "--server.address=127.0.0.1",
          `--com.adobe.testing.s3mock.store.root=${folder}`,
          "--com.adobe.testing.s3mock.store.retainFilesOnExit=true",
        ],
      }),
    };
  },
};

async function fetchJar(jar: string): Promise<void> {
  if (whichProgram("mvn") === undefined) throw new NotInstallable("there is no Maven to fetch it with");
  const artifact = `com.adobe.testing:s3mock:${VERSION}:jar:exec`;
  const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get";
  await runCommand("mvn", ["-q", "-B", goal, `-Dartifact=${artifact}`, "-Dtransitive=false"]).catch(refused);
  const repository = join(homedir(), ".m2/repository/com/adobe/testing/s3mock");
  copyFileSync(join(repository, VERSION, `s3mock-${VERSION}-exec.jar`), jar);
}
