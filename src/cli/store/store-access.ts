import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { StoreHeaders } from "../../index.js";
import type { Input } from "../base/command.js";
import type { StoreAddress } from "./address.js";
import { headersOf } from "./header-options.js";
import { clientConfigOf } from "./store-options.js";

/** How a command reaches the store that it is about, and what its bucket wants to see with requests. */
export interface StoreAccess extends StoreAddress {
  readonly s3ClientConfig: S3ClientConfig;
  readonly storeHeaders: StoreHeaders | undefined;
}

export function accessTo(input: Input, { bucketName, keyPrefix }: StoreAddress): StoreAccess {
  return { s3ClientConfig: clientConfigOf(input, bucketName), bucketName, keyPrefix, storeHeaders: headersOf(input) };
}
