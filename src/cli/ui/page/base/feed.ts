import type { Delta, ReleaseOutcome, ReleaseRequest, Snapshot } from "../../wire.js";

export interface Listener {
  snapshot(data: Snapshot): void;
  delta(data: Delta): void;
  /** Learns how the connection is. `refused`: the token is not, or no longer, the right one; trying again is of no use. */
  connection(state: "live" | "lost" | "refused"): void;
}

const TOKEN_ITEM = "s3-mutex-token";
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 8000;

/**
 * Takes the token, which comes in the address, once. It is kept for this tab, so that the page can be loaded again, and leaves the
 * address bar and the history at once.
 */
export function takeToken(): string {
  const given = new URLSearchParams(location.search).get("token");
  if (given !== null) {
    sessionStorage.setItem(TOKEN_ITEM, given);
    history.replaceState(null, "", "/");
  }
  return sessionStorage.getItem(TOKEN_ITEM) ?? "";
}

/**
 * Follows server-sent events over `fetch`, which unlike `EventSource` can send the token in a header. Connects again by itself until the
 * signal aborts.
 */
export async function follow(token: string, listener: Listener, signal: AbortSignal): Promise<void> {
  let retryMs = MIN_RETRY_MS;
  while (!signal.aborted) {
    try {
      const response = await fetch("/events", { headers: { authorization: `Bearer ${token}` }, signal });
      if (response.status === 401 || response.status === 403) return listener.connection("refused");
      if (response.ok && response.body !== null) {
        listener.connection("live");
        retryMs = MIN_RETRY_MS;
        await readEvents(response.body, listener);
      }
    } catch {
      // The server is gone, or this page has let go: both are told apart below.
    }
    if (signal.aborted) return;
    listener.connection("lost");
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  }
}

async function readEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>, listener: Listener): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  // Pieces are joined once an event is complete: a snapshot may come in hundreds of them.
  let pieces: string[] = [];
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    pieces.push(read.value);
    if (!read.value.includes("\n")) continue;
    const events = pieces.join("").split("\n\n");
    pieces = [events.pop() ?? ""];
    for (const event of events) dispatch(event, listener);
  }
}

function dispatch(event: string, listener: Listener): void {
  const [, name, data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
  if (name === "snapshot") listener.snapshot(JSON.parse(data) as Snapshot);
  if (name === "delta") listener.delta(JSON.parse(data) as Delta);
}

/** Ends the holds that were seen. Rejects with what the server said. */
export async function forceRelease(token: string, request: ReleaseRequest): Promise<ReleaseOutcome> {
  const response = await fetch("/release", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error((await response.text()).trim());
  return ((await response.json()) as { readonly outcome: ReleaseOutcome }).outcome;
}
