import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor, InMemorySpanExporter } from "@opentelemetry/sdk-trace-base";
import { startTelemetry } from "../../../src/otel/index.js";
import type { BenchCase } from "../../case.js";
import { libraryOn } from "../../contestants/library.js";
import { atLeast, figure } from "../../figures.js";
import { takeTurns } from "../../turns.js";

const LATENCY_MS = 10;
const CALLERS = 40;
const HOLD_MS = 5;

export const telemetry: BenchCase = {
  name: "telemetry",
  issue: 7,
  title: "Telemetry off and on: 40 callers of one instance, 5 ms hold, 10 ms round trip; and 20 callers without either",
  async run(bench) {
    const waiting = await bench.server(LATENCY_MS);
    const busy = await bench.server(0);
    const plan = { clients: CALLERS, turnsEach: 4, holdMs: HOLD_MS, oneInstance: true, limitMs: 120_000 };
    const hurried = { clients: 20, turnsEach: 25, holdMs: 0, oneInstance: true, limitMs: 120_000 };
    const measured: { off: number; on: number; ratio: number; processorRatio: number }[] = [];
    // The first round is for the compiler alone.
    for (let round = 0; round <= bench.rounds(9, 2); round += 1) {
      const turns = async (server: typeof waiting, how: typeof plan, isOn: boolean) => {
        const stop = isOn ? listenToAll() : async () => {};
        const before = process.cpuUsage();
        const { done, elapsedMs } = await takeTurns(libraryOn(server), how, bench.random(`telemetry ${round}`));
        const { user, system } = process.cpuUsage(before);
        await stop();
        return { perSecond: (done * 1000) / elapsedMs, processorMs: (user + system) / 1000 / done };
      };
      // Alternating which one is first: a machine that gets faster or slower must not look like a cost.
      const both = async (server: typeof waiting, how: typeof plan) => {
        if (round % 2 === 0) return { off: await turns(server, how, false), on: await turns(server, how, true) };
        const on = await turns(server, how, true);
        return { off: await turns(server, how, false), on };
      };
      const usual = await both(waiting, plan);
      const fast = await both(busy, hurried);
      const ratio = usual.on.perSecond / usual.off.perSecond;
      const processorRatio = fast.on.processorMs / fast.off.processorMs;
      bench.say(`${ratio.toFixed(2)} of the turns, ${processorRatio.toFixed(2)} times the processor time`);
      if (round > 0) measured.push({ off: usual.off.perSecond, on: usual.on.perSecond, ratio, processorRatio });
    }
    return [
      figure({ name: "turns, telemetry off", unit: "/s", better: "higher", measured: measured.map(({ off }) => off) }),
      figure({ name: "turns, telemetry on", unit: "/s", better: "higher", measured: measured.map(({ on }) => on) }),
      figure({
        name: "of the turns without telemetry",
        unit: "",
        better: "higher",
        measured: measured.map(({ ratio }) => ratio),
        target: atLeast(0.95),
      }),
      figure({
        name: "of the processor time without telemetry, where nothing waits for anything else",
        unit: "",
        better: "lower",
        measured: measured.map(({ processorRatio }) => processorRatio),
      }),
    ];
  },
};

/** Sends all metrics and spans to exporters that keep them in memory, until the returned function is called. */
function listenToAll(): () => Promise<void> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  const processor = new BatchSpanProcessor(new InMemorySpanExporter());
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [processor] });
  const running = startTelemetry({ meterProvider, tracerProvider });
  return async () => {
    running.stop();
    await Promise.all([meterProvider.shutdown(), tracerProvider.shutdown()]);
  };
}
