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

/** The difference of the two clocks is taken from the quickest message of the last ten to twenty minutes. */
export function createLagMeter(): LagMeter {
  let begunAt = Number.NEGATIVE_INFINITY;
  let young = Number.POSITIVE_INFINITY;
  let old = Number.POSITIVE_INFINITY;

  return {
    measure(sentAt, receivedAt) {
      if (receivedAt - begunAt > GENERATION_MS) {
        old = young;
        young = Number.POSITIVE_INFINITY;
        begunAt = receivedAt;
      }
      const difference = receivedAt - sentAt;
      young = Math.min(young, difference);
      return difference - Math.min(young, old);
    },
    reset() {
      young = Number.POSITIVE_INFINITY;
      old = Number.POSITIVE_INFINITY;
    },
  };
}
