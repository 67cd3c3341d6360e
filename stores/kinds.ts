import type { StoreKind } from "./kind.js";
import { ceph } from "./kinds/ceph.js";
import { gofakes3, minio, rclone, s3sFs, seaweedfs, versitygw } from "./kinds/go-stores.js";
import { s3mock, s3proxyFiles, s3proxyMemory } from "./kinds/java-stores.js";
import { fauxqs, s3rver } from "./kinds/node-stores.js";
import { localbucket, ministack, moto, nanio } from "./kinds/python-stores.js";

/** All that can be started here, in the order of the matrix. */
export const KINDS: readonly StoreKind[] = [
  ceph,
  seaweedfs,
  minio,
  ministack,
  gofakes3,
  versitygw,
  rclone,
  moto,
  s3proxyFiles,
  s3proxyMemory,
  s3mock,
  s3sFs,
  localbucket,
  fauxqs,
  nanio,
  s3rver,
];
