/**
 * Repeats `step`, which handles at most `limit` rows and says how many, until it handles fewer. So a clean-up
 * of any size is made of short transactions.
 * @returns how many rows were handled altogether
 */
export async function inBatches(limit: number, step: (limit: number) => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const handled = await step(limit);
    total += handled;
    if (handled < limit) return total;
  }
}
