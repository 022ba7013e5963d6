// Loaded into a process before its own code (`--import`): shifts its clock by CLOCK_SKEW_SECONDS.
// What measures time (performance.now, timers) stays right, as it does when an operator sets a clock.
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
