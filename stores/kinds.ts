import type { StoreKind } from "./kind.js";
import { ceph } from "./kinds/ceph.js";
import { minio, rclone, seaweedfs, versitygw } from "./kinds/go-stores.js";
import { moto } from "./kinds/moto.js";
import { s3mock } from "./kinds/s3mock.js";
import { s3rver } from "./kinds/s3rver.js";

/** All that can be started here, in the order of the matrix. */
export const KINDS: readonly StoreKind[] = [ceph, seaweedfs, minio, versitygw, moto, s3mock, rclone, s3rver];
