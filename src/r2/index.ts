/**
 * `s3-mutex/r2`: a store over the binding of an R2 bucket, in Cloudflare Workers.
 *
 * @packageDocumentation
 */

export type { R2Binding, R2Condition, R2Found, R2HttpMetadata, R2Page, R2Stored } from "./binding.js";
export { type R2StoreOptions, r2Store } from "./r2-store.js";
