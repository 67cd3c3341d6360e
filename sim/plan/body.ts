/** The JSON of a lock's object as an outsider reads it: a reading of its own, which shares nothing with `src`. */
export interface Body {
  readonly schema?: number;
  /** The version of the envelope, where it is a fenced object. */
  readonly fenced?: number;
  readonly writeId?: string;
  readonly createdAtMs?: number;
  readonly touchedAtMs?: number;
  readonly token?: number;
  readonly limit?: number;
  readonly shares?: { readonly version: number; readonly permits: readonly number[] };
  readonly sharesVersion?: number;
  readonly freeSinceMs?: number;
  readonly deleted?: boolean;
  readonly holders?: readonly BodyHolder[];
  readonly queue?: readonly BodyWaiter[];
  readonly recent?: readonly BodyTurn[];
  readonly locked?: boolean;
  readonly owner?: string;
  readonly acquiredAt?: number;
  readonly expiresAt?: number;
}

export interface BodyHolder {
  readonly id: string;
  readonly owner: string;
  readonly mode?: string;
  readonly permits?: number;
  readonly token: number;
  readonly priority: number;
  readonly acquiredAtMs: number;
  readonly renewedAtMs: number;
  readonly expiresAtMs: number;
  readonly leaseMs: number;
  readonly leaseWriteId: string;
  readonly releasedAtMs?: number;
  readonly via?: string;
  readonly label?: string;
}

export interface BodyWaiter {
  readonly id: string;
  readonly mode?: string;
  readonly permits?: number;
  readonly priority: number;
  readonly sinceMs: number;
  readonly expiresAtMs: number;
  readonly label?: string;
}

export interface BodyTurn {
  readonly id: string;
  readonly owner: string;
  readonly token: number;
  readonly toMs: number;
  readonly ended: string;
}

/** Each body is asked for a few times in a row: by the faults when it is sent, by the checkers when it lands. */
const known: { text: string; body: Body }[] = [];
const KNOWN = 8;

export function parseBody(text: string): Body {
  const found = known.find((one) => one.text === text);
  if (found !== undefined) return found.body;
  const body = JSON.parse(text) as Body;
  known.push({ text, body });
  if (known.length > KNOWN) known.shift();
  return body;
}

/** Lists the holders by this body. Where the fields of 1.x at the top name another holder, 1.x wrote last, and they hold. */
export function holdersOf(body: Body | undefined): readonly BodyHolder[] {
  if (body === undefined || body.locked === false) return [];
  const { holders = [], owner, acquiredAt = 0, expiresAt } = body;
  if (owner === undefined || expiresAt === undefined) return holders;
  if (holders.some((holder) => holder.owner === owner && holder.expiresAtMs === expiresAt)) return holders;
  const times = { acquiredAtMs: 0, renewedAtMs: 0, expiresAtMs: expiresAt, leaseMs: expiresAt - acquiredAt };
  return [{ id: `1.x/${owner}`, owner, token: 0, priority: 0, ...times, leaseWriteId: "" }];
}

/** Counts the permits that these are, taken together. */
export function permitsOf(claims: readonly { readonly permits?: number }[]): number {
  return claims.reduce((sum, { permits = 1 }) => sum + permits, 0);
}

/** Describes a body in one line for a trace. */
export function describeBody(text: string): string {
  const { token, holders = [], queue = [], deleted, schema } = parseBody(text);
  if (schema === undefined) return text;
  const held = holders.map(({ id, token: held, expiresAtMs }) => `${id} (token ${held}) until ${seconds(expiresAtMs)}`);
  const waiting = queue.map(({ id, priority }) => `${id} (${priority})`);
  const ends = `${held.join(", ") || "nobody"}; queue ${waiting.join(", ") || "empty"}; counter ${token}`;
  return deleted ? `deleted; ${ends}` : ends;
}

/** As the trace counts: from the beginning of the virtual day. */
const seconds = (ms: number) => ((ms % 86_400_000) / 1000).toFixed(3);
