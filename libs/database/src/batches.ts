/**
 * Repeats a bounded piece of work until it does less than a whole batch, so that a clean-up of any size
 * holds its locks briefly.
 * @param step does at most `limit` rows and answers how many it did
 * @returns how many rows it was in all
 */
export async function inBatches(limit: number, step: (limit: number) => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const done = await step(limit);
    total += done;
    if (done < limit) return total;
  }
}
