/** Imported before everything else: from here on this process's wall clock is off by `BENCH_CLOCK_OFFSET_MS`. */
const offsetMs = Number(process.env["BENCH_CLOCK_OFFSET_MS"] ?? 0);
const RealDate = Date;

class ShiftedDate extends RealDate {
  constructor(...args: readonly unknown[]) {
    super(...((args.length === 0 ? [ShiftedDate.now()] : args) as [number]));
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
