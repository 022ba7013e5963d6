/** Says how long messages were under way, where the sender's clock and the receiver's have nothing to do with each other. */
export interface LagMeter {
  /**
   * Milliseconds that a message took longer than the quickest one of late.
   * @param sentAt by the sender's clock, in milliseconds
   * @param receivedAt by the receiver's monotonic clock, in milliseconds
   */
  measure(sentAt: number, receivedAt: number): number;
  /** The sender is another one now. */
  reset(): void;
}

/** Long enough to have seen a quick message, short enough for clocks not to drift apart by much. */
const GENERATION_MS = 600_000;

/**
 * A lag of more than this that stays the same, give or take the tolerance, for so long is none: a clock was set back. On a line
 * that slow no connection outlives its pings, and what was held up comes all at once.
 */
const STEP_MS = 10_000;
const STEP_TOLERANCE_MS = 2_000;
const STEADY_MS = 30_000;

/** The difference of the two clocks is taken from the quickest message of the last ten to twenty minutes. */
export function createLagMeter(): LagMeter {
  let begunAt = Number.NEGATIVE_INFINITY;
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
      if (receivedAt - begunAt > GENERATION_MS) {
        old = young;
        young = Number.POSITIVE_INFINITY;
        begunAt = receivedAt;
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
