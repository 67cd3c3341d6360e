import { runCommand } from "../host/commands.js";
import { goInstall } from "../host/go-install.js";
import type { StoreKind } from "../kind.js";
import { starting } from "./single-server.js";

const credentials = { accessKeyId: "s3mutex", secretAccessKey: "s3mutex-secret" };

export const minio: StoreKind = {
  name: "minio",
  title: "MinIO",
  isInShortForm: false,
  isRequired: false,
  source: "go install github.com/minio/minio",
  async install() {
    // The last commit before the repository was archived; its releases have no versions that Go knows of.
    const version = "v0.0.0-20260212201848-7aac2a2c5b7c";
    const command = await goInstall("github.com/minio/minio", version);
    return {
      version: "2026-02-12",
      start: starting({
        command,
        args: (port, folder) => ["server", "--quiet", "--address", `127.0.0.1:${port}`, folder],
        env: {
          MINIO_ROOT_USER: credentials.accessKeyId,
          MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
          MINIO_BROWSER: "off",
          MINIO_UPDATE: "off",
        },
        credentials,
      }),
    };
  },
};

export const seaweedfs: StoreKind = {
  name: "seaweedfs",
  title: "SeaweedFS",
  isInShortForm: false,
  isRequired: false,
  source: "go install github.com/seaweedfs/seaweedfs/weed",
  async install() {
    const command = await goInstall("github.com/seaweedfs/seaweedfs/weed", "latest");
    const said = await runCommand(command, ["version"]);
    return {
      version: /version \S+ (\S+)/.exec(said)?.[1] ?? "unknown",
      start: starting({
        command,
        args: (port, folder) => ["server", "-ip=127.0.0.1", `-dir=${folder}`, "-s3", `-s3.port=${port}`],
      }),
    };
  },
};

export const versitygw: StoreKind = {
  name: "versitygw",
  title: "Versity S3 Gateway (POSIX)",
  isInShortForm: false,
  isRequired: false,
  knownFault: "its conditional DELETE is not under the lock that its PUT takes, by its code: both may win",
  source: "go install github.com/versity/versitygw/cmd/versitygw",
  async install() {
    const version = "v1.8.0";
    const command = await goInstall("github.com/versity/versitygw/cmd/versitygw", version);
    return {
      version: version.slice(1),
      start: starting({
        command,
        args: (port, folder) => ["--port", `127.0.0.1:${port}`, "posix", folder],
        env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
        credentials,
      }),
    };
  },
};

export const rclone: StoreKind = {
  name: "rclone",
  title: "rclone serve s3",
  isInShortForm: false,
  isRequired: false,
  knownFault: "its conditional DELETE is not under the lock that its PUT takes, by its code: both may win",
  source: "go install github.com/rclone/rclone",
  async install() {
    const version = "v1.76.0";
    const command = await goInstall("github.com/rclone/rclone", version);
    const { accessKeyId, secretAccessKey } = credentials;
    return {
      version: version.slice(1),
      start: starting({
        command,
        args: (port, folder) => {
          const key = `${accessKeyId},${secretAccessKey}`;
          return ["serve", "s3", "--config", "", "--addr", `127.0.0.1:${port}`, "--auth-key", key, folder];
        },
        credentials,
      }),
    };
  },
};
