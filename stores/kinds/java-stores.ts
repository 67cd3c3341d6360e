import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mavenJar } from "../host/packages.js";
import type { StoreKind } from "../kind.js";
import { starting } from "./single-server.js";

const JVM = ["-Xmx256m", "-XX:TieredStopAtLevel=1"];

export const s3mock: StoreKind = {
  name: "s3mock",
  title: "Adobe S3Mock",
  // It took as long as the four of PyPI together, and each lost race waits for a lease.
  isInShortForm: false,
  isRequired: false,
  knownFault: "checks and writes without a lock, by its code",
  source: "Maven com.adobe.testing:s3mock, the executable jar, on Java 17",
  async install() {
    const version = "5.2.0";
    const jar = await mavenJar("com.adobe.testing", "s3mock", version, "exec");
    return {
      version,
      start: starting({
        command: "java",
        readyWithinMs: 180_000,
        // Its plain HTTP port is the one that is used; the other has to be somewhere.
        args: (port, folder) => [
          ...JVM,
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

export const s3proxyFiles = s3proxy("s3proxy", "S3Proxy on files", "filesystem-nio2");
export const s3proxyMemory = s3proxy("s3proxy-memory", "S3Proxy in memory", "transient-nio2");

function s3proxy(name: string, title: string, provider: string): StoreKind {
  return {
    name,
    title,
    isInShortForm: false,
    isRequired: false,
    knownFault: "checks a replacement and a DELETE, then does it, without a lock: of racers two may win",
    source: `Maven org.gaul:s3proxy, the jar with dependencies, on Java 17; its provider ${provider}`,
    async install() {
      const version = "4.1.0";
      const jar = await mavenJar("org.gaul", "s3proxy", version, "jar-with-dependencies");
      return {
        version,
        start: starting({
          command: "java",
          readyWithinMs: 180_000,
          args: (port, folder) => {
            const properties = join(folder, "..", `${name}-${port}.properties`);
            writeFileSync(
              properties,
              [
                `s3proxy.endpoint=http://127.0.0.1:${port}`,
                "s3proxy.authorization=none",
                `jclouds.provider=${provider}`,
                "jclouds.identity=local",
                "jclouds.credential=local",
                `jclouds.filesystem.basedir=${folder}`,
                "",
              ].join("\n"),
            );
            return [...JVM, "-jar", jar, "--properties", properties];
          },
        }),
      };
    },
  };
}
