/**
 * Repeats `step`, which handles at most `limit` rows and returns their number, until it handles fewer. A clean-up of any size thus
 * consists of short transactions.
 * @returns how many rows were handled in total
 */
export async function inBatches(limit: number, step: (limit: number) => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const handled = await step(limit);
    total += handled;
    if (handled < limit) return total;
  }
}
