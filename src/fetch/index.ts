/**
 * `s3-mutex/fetch`: an S3 store over the global `fetch`, without an S3 client.
 *
 * @packageDocumentation
 */

export { fetchStore } from "./fetch-store.js";
export type { FetchCredentials, FetchStoreOptions, RequestSigner, SignerInput } from "./options.js";
