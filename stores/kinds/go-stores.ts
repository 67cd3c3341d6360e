import { mkdirSync } from "node:fs";
import { goInstall } from "../host/go-install.js";
import { cargoInstall, goBuildModule, goBuildOwn } from "../host/packages.js";
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
  isKnownToBeSafe: true,
  source: "Go module github.com/seaweedfs/seaweedfs, compiled from a copy: `go install` refuses its replace directives",
  async install() {
    // 4.53; Go knows its releases only by the commit.
    const version = "v0.0.0-20261109003541-7506e5f91cd6";
    const command = await goBuildModule("github.com/seaweedfs/seaweedfs", "weed", version);
    return {
      version: "4.53",
      start: starting({
        command,
        // With its 8 volumes the third bucket would answer 500 to every PUT.
        args: (port, folder) => [
          "server",
          "-ip=127.0.0.1",
          `-dir=${folder}`,
          "-volume.max=200",
          "-master.volumeSizeLimitMB=64",
          "-s3",
          `-s3.port=${port}`,
        ],
      }),
    };
  },
};

export const versitygw: StoreKind = {
  name: "versitygw",
  title: "Versity S3 Gateway (POSIX)",
  isInShortForm: false,
  isRequired: false,
  source: "go install github.com/versity/versitygw/cmd/versitygw",
  async install() {
    const version = "v1.8.0";
    const command = await goInstall("github.com/versity/versitygw/cmd/versitygw", version);
    return {
      version: version.slice(1),
      start: starting({
        command,
        args: (port, folder) => {
          const versions = `${folder}-versions`;
          mkdirSync(versions, { recursive: true });
          return ["--port", `127.0.0.1:${port}`, "posix", "--versioning-dir", versions, folder];
        },
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
  knownFault:
    "in one of forty examinations an update was lost; its conditional DELETE is not under the lock that its PUT takes, by its code: both may win",
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

export const gofakes3: StoreKind = {
  name: "gofakes3",
  title: "gofakes3",
  isInShortForm: false,
  isRequired: false,
  source: "Go module github.com/johannesboyne/gofakes3 with s3mem, in a main of our own",
  async install() {
    const version = "1.2.0";
    const source = `package main

import (
	"log"
	"net/http"
	"os"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

func main() {
	log.Fatal(http.ListenAndServe(os.Args[1], gofakes3.New(s3mem.New()).Server()))
}
`;
    const command = await goBuildOwn("gofakes3", "github.com/johannesboyne/gofakes3", version, source);
    return { version, start: starting({ command, args: (port) => [`127.0.0.1:${port}`] }) };
  },
};

/** In Rust, and like the others compiled here. */
export const s3sFs: StoreKind = {
  name: "s3s-fs",
  title: "s3s-fs",
  isInShortForm: false,
  isRequired: false,
  knownFault: "judges a condition before the body has come, and writes without a lock: all racers may win",
  source: "cargo install s3s-fs --features binary",
  async install() {
    // The last before 0.17, which wants Rust 1.96.
    const version = "0.14.1";
    const command = await cargoInstall("s3s-fs", "s3s-fs", version, "--locked", "--features", "binary");
    const keys = ["--access-key", credentials.accessKeyId, "--secret-key", credentials.secretAccessKey];
    return {
      version,
      start: starting({
        command,
        args: (port, folder) => ["--host", "127.0.0.1", "--port", String(port), ...keys, folder],
        credentials,
      }),
    };
  },
};
