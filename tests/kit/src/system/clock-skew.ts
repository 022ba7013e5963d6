// Loaded into a service before its own code (`--import`): its clock is CLOCK_SKEW_SECONDS ahead of everybody else's, or
// behind. What measures time (performance.now, timers) goes on as it was, as it does when somebody sets a clock.
const skew = Number(process.env["CLOCK_SKEW_SECONDS"] ?? 0) * 1_000;
const TrueDate = Date;

class SkewedDate extends TrueDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(TrueDate.now() + skew);
    else super(...(given as [number]));
  }

  static override now(): number {
    return TrueDate.now() + skew;
  }
}

if (skew !== 0) globalThis.Date = SkewedDate as DateConstructor;
