import type { IncomingHttpHeaders } from "node:http";

/** Says whether the body is framed in AWS's own chunks, inside of whatever HTTP does. */
export function isAwsChunked(headers: IncomingHttpHeaders): boolean {
  const hash = headers["x-amz-content-sha256"];
  return (
    (typeof hash === "string" && hash.startsWith("STREAMING-")) ||
    (headers["content-encoding"]?.includes("aws-chunked") ?? false)
  );
}

/** Takes out of `Content-Encoding` the framing, which is not a property of the object. */
export function storedContentEncoding(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const kept = header
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "aws-chunked" && part !== "");
  return kept.length === 0 ? undefined : kept.join(",");
}

/**
 * Undoes the framing: `size-in-hex[;chunk-signature=...]\r\n`, that many bytes, `\r\n`, and so on up to a chunk of size
 * 0, after which trailers (checksums) follow. Signatures and checksums are not verified. `undefined`: malformed.
 */
export function decodeAwsChunked(framed: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = framed.indexOf("\r\n", at, "latin1");
    if (lineEnd < 0) return undefined;
    const size = /^([0-9a-f]{1,12})(;|$)/i.exec(framed.toString("latin1", at, lineEnd))?.[1];
    if (size === undefined) return undefined;
    const start = lineEnd + 2;
    const end = start + Number.parseInt(size, 16);
    if (end === start) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    if (framed.toString("latin1", end, end + 2) !== "\r\n") return undefined;
    chunks.push(framed.subarray(start, end));
    at = end + 2;
  }
}
