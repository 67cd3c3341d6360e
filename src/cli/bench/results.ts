import type { Output } from "../base/output.js";
import { type Column, tableLines } from "../base/table.js";
import type { Requests } from "./meter.js";

export interface Prices {
  /** Dollars for 1,000. */
  readonly put: number;
  readonly get: number;
}

interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface Result {
  readonly name: string;
  readonly title: string;
  readonly turns: number;
  readonly turnMs: Spread;
  readonly turnsPerS: number;
  readonly requests: Requests;
  readonly dollarsPer1000Turns: number;
}

interface Report {
  readonly requests: { readonly putMs: Spread; readonly getMs: Spread };
  readonly parts: readonly Result[];
  /** False when the time limit came first. */
  readonly isComplete: boolean;
  readonly prices: Prices;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round((sorted[Math.ceil(sorted.length * share) - 1] ?? 0) * 10) / 10;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Works out the dollars for each unit; a DELETE and an answer of 5xx cost nothing. */
export function costOf({ puts, gets }: Requests, prices: Prices, units: number): number {
  const dollars = (puts * prices.put + gets * prices.get) / 1000;
  return units === 0 ? 0 : Number((dollars / units).toPrecision(6));
}

/** How long a lease is by default, and how often that is renewed. */
const LEASE_S = 60;
const RENEWALS_PER_LEASE = 3;

export function showResults({ requests, parts, isComplete, prices }: Report, { line, paint, ...output }: Output): void {
  const { putMs, getMs } = requests;
  line(`Requests, p50/p95/p99 in ms: PUT ${inMs(putMs)}, GET ${inMs(getMs)}`);
  line();
  const each = (count: number, { turns }: Result) => (turns === 0 ? "-" : (count / turns).toFixed(1));
  const columns: readonly Column<Result>[] = [
    { heading: "WHAT", text: ({ title }) => title, canShrink: true },
    { heading: "TURNS", text: ({ turns }) => String(turns), align: "right" },
    { heading: "MS P50", text: ({ turnMs }) => String(turnMs.p50), align: "right" },
    { heading: "P95", text: ({ turnMs }) => String(turnMs.p95), align: "right" },
    { heading: "A SECOND", text: ({ turnsPerS }) => String(turnsPerS), align: "right" },
    { heading: "PUT", text: (part) => each(part.requests.puts, part), align: "right" },
    { heading: "GET", text: (part) => each(part.requests.gets, part), align: "right" },
    { heading: "$ FOR 1,000", text: ({ dollarsPer1000Turns }) => dollarsPer1000Turns.toFixed(4), align: "right" },
  ];
  const width = output.isTerminal ? output.columns : Number.POSITIVE_INFINITY;
  for (const text of tableLines(columns, parts, width, paint)) line(text);
  line();
  const renewals = (3600 * RENEWALS_PER_LEASE) / LEASE_S;
  const perHour = costOf({ puts: renewals, gets: 0 }, prices, 1);
  line(`A lock that is held: ${renewals} PUT an hour with a lease of ${LEASE_S} s, $${perHour.toFixed(4)}.`);
  line(`At $${prices.put} for 1,000 PUT and $${prices.get} for 1,000 GET.`);
  if (!isComplete) line(paint("yellow", "The time limit came first: not all turns were taken."));
}

function inMs({ p50, p95, p99 }: Spread): string {
  return `${p50}/${p95}/${p99}`;
}
