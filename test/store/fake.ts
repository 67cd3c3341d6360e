import { S3Store, type S3StoreOptions } from "../../src/store/s3/s3-store.js";
import { Clockwork } from "../protocol/clockwork.js";
import { found } from "./asking.js";
import { type Answered, clientAnswering, OF_S3, refusing, type Sent } from "./handler.js";

/** What a test answers in place of the bucket; undefined: the bucket does. */
export type InPlace = (request: Sent, count: number) => Answered | Promise<Answered> | undefined;

export interface BucketTraits {
  /** How reads show an ETag; undefined: not at all. @default as it is */
  readonly shown?: (etag: string) => string | undefined;
  /** How a condition has to name an ETag. @default as it is */
  readonly wanted?: (etag: string) => string;
}

/** Makes a bucket in memory that honours conditions, path by path. */
function bucketOf({ shown = (etag) => etag, wanted = (etag) => etag }: BucketTraits) {
  const objects = new Map<string, { readonly etag: string; readonly body: string }>();
  let versions = 0;
  return ({ method, path, headers, body }: Sent & { readonly body?: unknown }): Answered => {
    const object = objects.get(path);
    const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
    if (method === "GET" && object === undefined) return refusing(404, "NoSuchKey");
    if (method === "GET" && ifNoneMatch === object?.etag) return { statusCode: 304 };
    if (method === "GET") {
      const etag = shown(object?.etag ?? "");
      return found(object?.body ?? "", { ...OF_S3, ...(etag === undefined ? {} : { etag }) });
    }
    const isMet = ifMatch === undefined ? ifNoneMatch === undefined || object === undefined : isNamed(ifMatch, object);
    if (!isMet) return refusing(412, "PreconditionFailed");
    if (method === "DELETE") {
      objects.delete(path);
      return { statusCode: 204 };
    }
    versions += 1;
    const etag = `"${versions}"`;
    objects.set(path, { etag, body: String(body) });
    return { statusCode: 200, headers: { ...OF_S3, etag } };
  };

  function isNamed(ifMatch: string, object: { readonly etag: string } | undefined): boolean {
    return object !== undefined && ifMatch === wanted(object.etag);
  }
}

/** Makes a store over a client without sockets, on clocks that the test moves. */
export function storing(inPlace: InPlace = () => undefined, options: Partial<S3StoreOptions> & BucketTraits = {}) {
  const { shown, wanted, ...rest } = options;
  const clockwork = new Clockwork();
  const bucket = bucketOf({ ...(shown === undefined ? {} : { shown }), ...(wanted === undefined ? {} : { wanted }) });
  const { client, sent } = clientAnswering((request, count) => inPlace(request, count) ?? bucket(request));
  let ids = 0;
  const effects = {
    ...clockwork.effects,
    newId: () => {
      ids += 1;
      return `id${ids}`;
    },
  };
  const store = new S3Store({ client, bucketName: "locks", effects, keyPrefix: "locks/", ...rest });
  const asked = () => sent.map(({ method, path }) => `${method} ${path}`);
  const probes = () => asked().filter((one) => one.includes(".s3-mutex"));
  return { store, sent, asked, probes, clockwork };
}
