/** Measures how long messages take, when the clocks of sender and receiver are unrelated. */
export interface LagMeter {
  /**
   * Returns the milliseconds that a message took longer than the fastest recent one.
   * @param sentAt by the sender's clock, in milliseconds
   * @param receivedAt by the receiver's monotonic clock, in milliseconds
   */
  measure(sentAt: number, receivedAt: number): number;
  /** Forgets all measurements, for another sender. */
  reset(): void;
}

/** Long enough to see a fast message, short enough to keep clock drift small. */
const GENERATION_MS = 600_000;

/**
 * A lag above STEP_MS that stays constant within the tolerance for STEADY_MS is not a lag: a clock was set back.
 * A connection that slow would fail its pings, and delayed messages arrive all at once.
 */
const STEP_MS = 10_000;
const STEP_TOLERANCE_MS = 2_000;
const STEADY_MS = 30_000;

/** Creates a meter that takes the clocks' difference from the fastest message of the last 10 to 20 minutes. */
export function createLagMeter(): LagMeter {
  let startedAt = Number.NEGATIVE_INFINITY;
  let young = Number.POSITIVE_INFINITY;
  let old = Number.POSITIVE_INFINITY;
  let steady: { readonly since: number; readonly lag: number } | undefined;

  function wasSetBack(lag: number, receivedAt: number): boolean {
    if (lag <= STEP_MS) steady = undefined;
    else if (!steady || Math.abs(lag - steady.lag) > STEP_TOLERANCE_MS) steady = { since: receivedAt, lag };
    return steady !== undefined && receivedAt - steady.since >= STEADY_MS;
  }

  return {
    measure(sentAt, receivedAt) {
      if (receivedAt - startedAt > GENERATION_MS) {
        old = young;
        young = Number.POSITIVE_INFINITY;
        startedAt = receivedAt;
      }
      const difference = receivedAt - sentAt;
      young = Math.min(young, difference);
      const lag = difference - Math.min(young, old);
      if (!wasSetBack(lag, receivedAt)) return lag;
      young = difference;
      old = Number.POSITIVE_INFINITY;
      steady = undefined;
      return 0;
    },
    reset() {
      young = Number.POSITIVE_INFINITY;
      old = Number.POSITIVE_INFINITY;
      steady = undefined;
    },
  };
}
