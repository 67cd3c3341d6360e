/** When a request arrived at the store, in epoch milliseconds. */
export interface Arrival {
  readonly at: number;
  readonly operation?: string;
  readonly status?: number;
}

/** Finds the most requests in any second, wherever it begins. */
export function busiestSecond(arrivals: readonly Arrival[]): number {
  const times = arrivals.map(({ at }) => at).sort((a, b) => a - b);
  let most = 0;
  let from = 0;
  for (const [index, time] of times.entries()) {
    while (time - (times[from] ?? time) >= 1000) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}

/** Finds the most requests that the store had before it at one moment. */
export function mostInFlight(requests: readonly (Arrival & { readonly durationMs: number })[]): number {
  const steps = requests.flatMap(({ at, durationMs }) => [
    { at, by: 1 },
    { at: at + durationMs, by: -1 },
  ]);
  let now = 0;
  let most = 0;
  for (const { by } of steps.sort((a, b) => a.at - b.at || a.by - b.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

export function between<R extends Arrival>(requests: readonly R[], fromMs: number, untilMs: number): R[] {
  return requests.filter(({ at }) => at >= fromMs && at < untilMs);
}

/** Tells what the requests were and how they were answered, by how often each came for every one of `per`: `PUT 412 4.1, ...` */
export function breakdown(requests: readonly Arrival[], per: number): string {
  const counts = new Map<string, number>();
  for (const { operation = "request", status = "unanswered" } of requests) {
    const kind = `${METHODS.get(operation) ?? operation} ${status}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([kind, count]) => `${kind} ${(count / per).toFixed(1)}`).join(", ");
}

const METHODS = new Map([
  ["GetObject", "GET"],
  ["HeadObject", "HEAD"],
  ["PutObject", "PUT"],
  ["DeleteObject", "DELETE"],
]);
