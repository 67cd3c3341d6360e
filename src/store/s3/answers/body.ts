export type BodyText = { readonly kind: "text"; readonly text: string } | { readonly kind: "oversized" };
export type BodyBytes = { readonly kind: "bytes"; readonly bytes: Buffer } | { readonly kind: "oversized" };

/** The forms in which HTTP handlers pass a body: Node streams, web streams, blobs. */
interface NodeBody extends AsyncIterable<Uint8Array | string> {
  destroy(error?: Error): unknown;
}

/** Reads the same as UTF-8, bytes that are not UTF-8 replaced. */
export async function readBody(...args: Parameters<typeof readBytes>): Promise<BodyText> {
  const read = await readBytes(...args);
  return read.kind === "bytes" ? { kind: "text", text: read.bytes.toString("utf8") } : read;
}

/**
 * Reads a response body, and stops at `maxBytes`: what is longer is not a lock record. However it ends, the body is
 * read to its end or destroyed, or its socket would never return to the pool.
 */
export async function readBytes(
  body: unknown,
  contentLength: number | undefined,
  maxBytes: number,
  signal: AbortSignal,
): Promise<BodyBytes> {
  if (body === undefined || body === null) return { kind: "bytes", bytes: Buffer.alloc(0) };
  if (body instanceof Uint8Array) {
    return body.length > maxBytes ? { kind: "oversized" } : { kind: "bytes", bytes: Buffer.from(body) };
  }
  const source = chunksOf(body);
  const stop = (): void => source.stop();
  if (contentLength !== undefined && contentLength > maxBytes) {
    stop();
    return { kind: "oversized" };
  }
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await collect(source.chunks, maxBytes, signal);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function collect(
  chunks: AsyncIterable<Uint8Array | string>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<BodyBytes> {
  const collected: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : Buffer.from(chunk);
    size += bytes.length;
    // Leaving the loop destroys the stream.
    if (size > maxBytes) return { kind: "oversized" };
    collected.push(bytes);
  }
  // A web stream that was cancelled ends like one that was complete.
  signal.throwIfAborted();
  return { kind: "bytes", bytes: Buffer.concat(collected) };
}

interface ChunkSource {
  readonly chunks: AsyncIterable<Uint8Array | string>;
  stop(): void;
}

function chunksOf(body: unknown): ChunkSource {
  if (typeof (body as Partial<NodeBody>).destroy === "function") {
    const stream = body as NodeBody;
    return { chunks: stream, stop: () => void stream.destroy() };
  }
  if (body instanceof Blob) return webSource(body.stream());
  return webSource(body as ReadableStream<Uint8Array>);
}

function webSource(stream: ReadableStream<Uint8Array>): ChunkSource {
  const reader = stream.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
    } finally {
      stop();
    }
  }
  return { chunks: chunks(), stop };
}
