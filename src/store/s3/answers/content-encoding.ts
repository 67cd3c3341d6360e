import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

/**
 * Undoes what a proxy did that compresses: nothing is written compressed here. A body that cannot be undone stays as it
 * came, and reads as damaged.
 */
export function decodeBody(bytes: Buffer, encoding: string | undefined, maxBytes: number): Buffer {
  const decode = DECODERS[encoding?.trim().toLowerCase() ?? ""];
  if (decode === undefined) return bytes;
  try {
    return decode(bytes, { maxOutputLength: maxBytes });
  } catch {
    return bytes;
  }
}

const DECODERS: Readonly<Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  "x-gzip": gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};
