import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { diag, type MeterProvider, type TracerProvider } from "@opentelemetry/api";
import { invalidArgument } from "../arguments/invalid-argument.js";
import { type OptionNames, refuseUnknownOptions } from "../arguments/option-names.js";
import { metricsHandlers } from "./metrics.js";
import { spanHandlers } from "./spans.js";

/** Options of {@link startTelemetry}. */
export interface TelemetryOptions {
  /** Where metrics go; false for nowhere. @default the global provider */
  readonly meterProvider?: MeterProvider | false | undefined;
  /** Where spans go; false for nowhere. @default the global provider */
  readonly tracerProvider?: TracerProvider | false | undefined;
  /**
   * What metrics call a lock, in the attribute `s3_mutex.lock.name`; undefined for no such attribute. Each name makes time
   * series of its own, so give names of which there are few: `(name) => name.split("/")[0]`. Spans always have the whole name.
   * @default no lock names in metrics
   */
  readonly lockName?: ((lockName: string) => string | undefined) | undefined;
}

const TELEMETRY_OPTIONS: OptionNames<TelemetryOptions> = { meterProvider: true, tracerProvider: true, lockName: true };

/** Telemetry that runs until it is stopped. */
export interface Telemetry extends Disposable {
  /** Ends it, and the spans of what is still held. */
  stop(): void;
}

/**
 * Turns what the mutexes of this process publish on `node:diagnostics_channel` into metrics and spans, those of other copies
 * of this package included. Call it once, after the OpenTelemetry SDK was set up.
 */
export function startTelemetry(options: TelemetryOptions = {}): Telemetry {
  refuseUnknownOptions("options", options, TELEMETRY_OPTIONS);
  checkTelemetry(options);
  const spans = options.tracerProvider === false ? undefined : spanHandlers(options.tracerProvider);
  const metrics =
    options.meterProvider === false ? undefined : metricsHandlers(options.meterProvider, options.lockName);
  const all = [...Object.entries(metrics?.handlers ?? {}), ...Object.entries(spans?.handlers ?? {})];
  const listeners = all.map(
    ([name, handle]) => [name, guarded((message: unknown) => handle(message as never))] as const,
  );
  for (const [name, listener] of listeners) subscribe(name, listener);
  let isStopped = false;
  const stop = () => {
    if (isStopped) return;
    isStopped = true;
    for (const [name, listener] of listeners) unsubscribe(name, listener);
    metrics?.end();
    spans?.end();
  };
  return { stop, [Symbol.dispose]: stop };
}

function checkTelemetry({ lockName, meterProvider, tracerProvider }: TelemetryOptions): void {
  if (lockName !== undefined && typeof lockName !== "function") {
    throw invalidArgument("lockName", lockName, "pass a function that makes an attribute of the name of a lock");
  }
  const lacks = (provider: unknown, method: string) =>
    provider !== undefined && provider !== false && typeof (provider as never)?.[method] !== "function";
  if (lacks(meterProvider, "getMeter"))
    throw invalidArgument("meterProvider", meterProvider, "pass a MeterProvider, or false");
  if (lacks(tracerProvider, "getTracer")) {
    throw invalidArgument("tracerProvider", tracerProvider, "pass a TracerProvider, or false");
  }
}

/** Keeps what a provider or a span processor throws to OpenTelemetry's own log: Node ends the process of a listener that throws. */
function guarded(listener: (message: unknown) => void): (message: unknown) => void {
  return (message) => {
    try {
      listener(message);
    } catch (error) {
      diag.error("s3-mutex: telemetry failed", error);
    }
  };
}
