import type { S3Client } from "@aws-sdk/client-s3";
import { checkClientOrStore } from "./options/s3-options.js";
import { clockOf, type Reach, type Reached, type Reaching, reachStore } from "./reach.js";
import { MAX_FENCED_BYTES } from "./store/object-store.js";
import { createS3Client } from "./store/s3/client/client.js";
import { endpointOf, wayTo } from "./store/s3/client/way.js";
import { S3Store } from "./store/s3/s3-store.js";
import { GuardedStore } from "./verify/guarded-store.js";

/** By a client of the AWS SDK, or by an adapter. */
export const BY_CLIENT_OR_STORE: Reach = {
  bucketOf: checkClientOrStore,
  reach: (reaching) => {
    const { store } = reaching.options;
    return store === undefined ? reachS3(reaching) : reachStore(store, reaching);
  },
};

/** Reaches the store by a client of the AWS SDK: the caller's own, or one that is made and closed with the mutex. */
function reachS3(reaching: Reaching): Reached {
  const { options, settings, effects, closed } = reaching;
  const client = options.s3Client ?? createS3Client(options.s3ClientConfig ?? {});
  const isShared = options.s3Client !== undefined;
  const { bucketName } = settings;
  const storeIn = storesOf(client, reaching);
  const store = storeIn(bucketName);
  const signal = isShared ? undefined : closed;
  return {
    store: settings.verify === "once" ? new GuardedStore(store, { ...settings, client, effects, signal }) : store,
    // Stores are cheap: what they learn about a bucket is kept with the client.
    contentStore: (bucket) => storeIn(bucket, MAX_FENCED_BYTES),
    clock: clockOf(client, effects),
    endpoint: endpointOf(client),
    // What cannot be told is a way of its own: no proof of another way speaks for it, nor its own for another.
    check: {
      sharedBy: client,
      way: () => wayTo(client, bucketName).catch(() => effects.newId()),
      etagForm: store.etagForm,
    },
    ...(isShared ? {} : { close: () => client.destroy() }),
  };
}

/** Makes stores in the mutex's own bucket, or in another, which is not created: a mistyped name would not come to light. */
function storesOf(client: S3Client, { settings, effects, logger: log }: Reaching) {
  const { keyPrefix, storeHeaders: headers } = settings;
  const logger = { warn: (message: string) => log.warn(message) };
  return (bucketName: string, maxBodyBytes?: number): S3Store => {
    const createBucketIfNotExists = bucketName === settings.bucketName ? settings.createBucketIfNotExists : "never";
    const size = maxBodyBytes === undefined ? {} : { maxBodyBytes };
    return new S3Store({ client, bucketName, keyPrefix, headers, createBucketIfNotExists, logger, effects, ...size });
  };
}
