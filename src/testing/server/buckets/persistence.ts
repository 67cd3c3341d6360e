import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StoredObject } from "./stored-object.js";

const OBJECT_SUFFIX = ".object";
const TEMPORARY_SUFFIX = ".tmp";

/**
 * One folder per bucket, one file per object: a line of JSON with key and headers, then the body as it is. Files are
 * named by a hash of the key, so that any key will do. Calls are synchronous on purpose: a condition that was checked
 * still holds when the file is in place.
 */
export class DataFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    makeFolders(path);
    // Now rather than with the first object, whose writer would be told that the server is broken.
    const probe = join(path, `probe${TEMPORARY_SUFFIX}`);
    writeFileSync(probe, "");
    rmSync(probe);
  }

  /** Lists the buckets there are, with the time at which each was made in epoch milliseconds. */
  buckets(): { readonly name: string; readonly createdAtMs: number }[] {
    return readdirSync(this.#path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => ({ name: entry.name, createdAtMs: statSync(join(this.#path, entry.name)).birthtimeMs }));
  }

  bucket(name: string): BucketFolder {
    return new BucketFolder(join(this.#path, name));
  }

  removeBucket(name: string): void {
    rmSync(join(this.#path, name), { recursive: true, force: true });
  }
}

export class BucketFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    makeFolders(path);
  }

  load(): StoredObject[] {
    const objects: StoredObject[] = [];
    for (const name of readdirSync(this.#path)) {
      // What is left of a write that was cut short was never acknowledged.
      if (name.endsWith(TEMPORARY_SUFFIX)) rmSync(join(this.#path, name), { force: true });
      else if (name.endsWith(OBJECT_SUFFIX)) objects.push(decode(readFileSync(join(this.#path, name))));
    }
    return objects;
  }

  save(object: StoredObject): void {
    const path = this.#fileOf(object.key);
    // Renaming is atomic: after a kill of the process there is the old file or the new one, never half of one.
    writeFileSync(path + TEMPORARY_SUFFIX, encode(object));
    renameSync(path + TEMPORARY_SUFFIX, path);
  }

  remove(key: string): void {
    rmSync(this.#fileOf(key), { force: true });
  }

  #fileOf(key: string): string {
    return join(this.#path, createHash("sha256").update(key).digest("hex") + OBJECT_SUFFIX);
  }
}

/** Makes folders as `mkdir -p` does. Not by Node's `recursive`, which never returns below a folder that takes none, such as /proc. */
function makeFolders(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent);
  mkdirSync(path);
}

function encode(object: StoredObject): Buffer {
  const { body, ...head } = object;
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

function decode(file: Buffer): StoredObject {
  const lineEnd = file.indexOf("\n");
  const head = JSON.parse(file.toString("utf8", 0, lineEnd)) as Omit<StoredObject, "body">;
  return { ...head, body: file.subarray(lineEnd + 1) };
}
