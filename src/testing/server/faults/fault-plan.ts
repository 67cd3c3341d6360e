import { closestTo } from "../../../arguments/closest.js";
import { type OptionNames, refuseUnknownOptions } from "../../../arguments/option-names.js";
import { S3MutexError } from "../../../errors.js";
import { S3_OPERATIONS, type S3Operation, type S3RequestInfo } from "../wire/operation.js";
import type {
  ActiveFault,
  ChangeHeaders,
  DamageBody,
  DelayApply,
  DropBefore,
  Duplicate,
  Fault,
  FaultMatch,
  FaultRule,
  Faults,
  Latency,
  LoseResponse,
  NeverAnswer,
  PageFault,
  StatusFault,
  TruncateBody,
} from "./faults.js";

/** A fault that decides what becomes of the request as a whole. */
export type Fate = DropBefore | LoseResponse | DelayApply | Duplicate | NeverAnswer | StatusFault | PageFault;

/** All that goes wrong with one request. */
export interface FaultPlan {
  fate?: Fate;
  beforeMs: number;
  afterMs: number;
  omitDate: boolean;
  dateShiftMs: number;
  truncate?: TruncateBody;
  damage?: DamageBody;
  headers?: ChangeHeaders;
  isStale: boolean;
  readonly names: string[];
}

const MATCH_OPTIONS: OptionNames<FaultMatch> = {
  operation: true,
  bucket: true,
  key: true,
  skip: true,
  times: true,
  probability: true,
  random: true,
};

/** What the rule of each fault says. */
const FAULT_OPTIONS: { readonly [Name in Fault["fault"]]: OptionNames<Extract<Fault, { readonly fault: Name }>> } = {
  "drop-before": { fault: true },
  "lose-response": { fault: true },
  "delay-apply": { fault: true, delayMs: true, answer: true },
  duplicate: { fault: true },
  "never-answer": { fault: true, applied: true },
  status: { fault: true, status: true, code: true, applied: true },
  page: { fault: true, status: true, body: true, contentType: true, headers: true, applied: true },
  latency: { fault: true, latencyMs: true, beforeMs: true, afterMs: true },
  "omit-date": { fault: true },
  "shift-date": { fault: true, shiftMs: true },
  "truncate-body": { fault: true, bytes: true, unnoticed: true },
  "damage-body": { fault: true, damage: true },
  "change-headers": { fault: true, headers: true },
  "stale-read": { fault: true },
};

const FATES: ReadonlySet<string> = new Set([
  "drop-before",
  "lose-response",
  "delay-apply",
  "duplicate",
  "never-answer",
  "status",
  "page",
]);
const OTHERS: ReadonlySet<string> = new Set([
  "latency",
  "omit-date",
  "shift-date",
  "truncate-body",
  "damage-body",
  "change-headers",
  "stale-read",
]);

/** Node's timers fire at once when asked for more. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

export function emptyPlan(): FaultPlan {
  return { beforeMs: 0, afterMs: 0, omitDate: false, dateShiftMs: 0, isStale: false, names: [] };
}

export function latencyOf(latency: Latency | undefined, request: S3RequestInfo): number {
  if (latency === undefined) return 0;
  return typeof latency === "number" ? latency : latency(request);
}

/** @throws S3MutexError `invalid-argument` */
export function requireInRange(name: string, value: unknown, min: number, max: number): void {
  if (value === undefined || typeof value === "function") return;
  if (typeof value === "number" && value >= min && value <= max) return;
  const range = max === Number.MAX_VALUE ? `${min} or more` : `from ${min} to ${max}`;
  throw new S3MutexError("invalid-argument", `${name} is ${String(value)}: give a number, ${range}`);
}

function requireDamage(damage: unknown): void {
  if (typeof damage === "function" || (typeof damage === "string" && DAMAGES.has(damage))) return;
  const known = [...DAMAGES].map((name) => `"${name}"`).join(", ");
  throw new S3MutexError("invalid-argument", `damage is ${String(damage)}: give ${known} or a function of the body`);
}

/** Refuses headers without a value, each of which would be an answer that no store gives, or none. `or`: what else than a string may be given. */
function requireHeaders(headers: unknown, or = ""): void {
  if (typeof headers !== "object" || headers === null) {
    const message = `headers is ${String(headers)}: give an object with the values of headers by name`;
    throw new S3MutexError("invalid-argument", message);
  }
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" || (or !== "" && typeof value === "function")) continue;
    const message = `headers["${name}"] is ${String(value)}: give a string${or}`;
    throw new S3MutexError("invalid-argument", message);
  }
}

const OF_OWN = ", or a function of the store's own value; () => undefined takes the header away";

/** Refuses an operation that there is not: a fault of it would never strike, and its test pass. */
function requireOperations(operation: unknown = []): void {
  for (const name of typeof operation === "string" ? [operation] : (operation as readonly unknown[])) {
    if (S3_OPERATIONS.some((known) => known === name)) continue;
    const closest = closestTo(String(name), S3_OPERATIONS);
    const remedy = closest === undefined ? `use one of ${S3_OPERATIONS.join(", ")}` : `did you mean "${closest}"?`;
    throw new S3MutexError("invalid-argument", `operation is "${String(name)}": ${remedy}`);
  }
}

const DAMAGES: ReadonlySet<string> = new Set(["gzip", "halve", "empty"]);

function requireValid(rule: FaultRule): void {
  if (!FATES.has(rule.fault) && !OTHERS.has(rule.fault)) {
    const known = [...FATES, ...OTHERS].join(", ");
    throw new S3MutexError("invalid-argument", `fault is "${String(rule.fault)}": use one of ${known}`);
  }
  refuseUnknownOptions("rule", rule, { ...FAULT_OPTIONS[rule.fault], ...MATCH_OPTIONS });
  requireOperations(rule.operation);
  if (rule.fault === "damage-body") requireDamage(rule.damage);
  if (rule.fault === "change-headers") requireHeaders(rule.headers, OF_OWN);
  if (rule.fault === "page") requireHeaders(rule.headers ?? {});
  requireInRange("probability", rule.probability, 0, 1);
  requireInRange("skip", rule.skip, 0, Number.MAX_VALUE);
  requireInRange("times", rule.times, 0, Number.MAX_VALUE);
  if (rule.fault === "delay-apply") requireInRange("delayMs", rule.delayMs ?? "missing", 0, TIMER_MAX_MS);
  if (rule.fault === "status") requireInRange("status", rule.status ?? "missing", 400, 599);
  if (rule.fault === "page") requireInRange("status", rule.status ?? "missing", 200, 599);
  if (rule.fault === "shift-date") {
    requireInRange("shiftMs", rule.shiftMs ?? "missing", -Number.MAX_VALUE, Number.MAX_VALUE);
  }
  if (rule.fault === "truncate-body") requireInRange("bytes", rule.bytes, 0, Number.MAX_VALUE);
  if (rule.fault === "latency") {
    for (const name of ["latencyMs", "beforeMs", "afterMs"] as const) {
      requireInRange(name, rule[name], 0, TIMER_MAX_MS);
    }
  }
}

/** Elsewhere these faults would use up their `times` to no effect. */
const OPERATIONS_BY_DEFAULT: Partial<Record<Fault["fault"], readonly S3Operation[]>> = {
  "stale-read": ["GetObject", "HeadObject"],
  "truncate-body": ["GetObject", "ListObjectsV2"],
  "damage-body": ["GetObject", "ListObjectsV2"],
};

function matches(rule: FaultRule, request: S3RequestInfo): boolean {
  const { operation = OPERATIONS_BY_DEFAULT[rule.fault], bucket, key } = rule;
  const operations = typeof operation === "string" ? [operation] : operation;
  if (operations?.includes(request.operation) === false) return false;
  if (bucket !== undefined && bucket !== request.bucket) return false;
  if (key === undefined) return true;
  if (request.key === undefined) return false;
  if (typeof key === "string") return key === request.key;
  // `search` and not `test`: it pays no heed to what a global pattern matched before.
  return typeof key === "function" ? key(request.key) : request.key.search(key) >= 0;
}

class Rule implements ActiveFault {
  readonly rule: FaultRule;
  readonly remove: () => void;
  hits = 0;
  #seen = 0;

  constructor(rule: FaultRule, remove: () => void) {
    this.rule = rule;
    this.remove = remove;
  }

  strikes(request: S3RequestInfo): boolean {
    const { skip = 0, times = Number.POSITIVE_INFINITY, probability = 1, random = Math.random } = this.rule;
    if (this.hits >= times || !matches(this.rule, request)) return false;
    this.#seen++;
    if (this.#seen <= skip) return false;
    if (probability < 1 && random() >= probability) return false;
    this.hits++;
    return true;
  }
}

function addRule(plan: FaultPlan, rule: FaultRule, request: S3RequestInfo): void {
  plan.names.push(rule.fault);
  switch (rule.fault) {
    case "latency": {
      const halfMs = latencyOf(rule.latencyMs, request) / 2;
      plan.beforeMs += halfMs + latencyOf(rule.beforeMs, request);
      plan.afterMs += halfMs + latencyOf(rule.afterMs, request);
      return;
    }
    case "omit-date":
      plan.omitDate = true;
      return;
    case "shift-date":
      plan.dateShiftMs += rule.shiftMs;
      return;
    case "truncate-body":
      plan.truncate = rule;
      return;
    case "damage-body":
      plan.damage = rule;
      return;
    case "change-headers":
      plan.headers = rule;
      return;
    case "stale-read":
      plan.isStale = true;
      return;
    default:
      plan.fate = rule;
  }
}

export class FaultRules implements Faults {
  readonly #rules = new Set<Rule>();

  add(rule: FaultRule): ActiveFault {
    requireValid(rule);
    const active: Rule = new Rule({ ...rule }, () => this.#rules.delete(active));
    this.#rules.add(active);
    return active;
  }

  clear(): void {
    this.#rules.clear();
  }

  /** Adds what the rules say about a request to a plan that is empty so far. */
  addTo(plan: FaultPlan, request: S3RequestInfo): void {
    for (const active of this.#rules) {
      const isSecondFate = plan.fate !== undefined && FATES.has(active.rule.fault);
      if (!isSecondFate && active.strikes(request)) addRule(plan, active.rule, request);
    }
  }
}
