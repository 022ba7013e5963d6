import { inBatches } from "@gatehouse/database";
import { expect, test } from "vitest";

/** A pile that gives at most what is asked for, and remembers what was. */
function pile(size: number) {
  const asked: number[] = [];
  return {
    asked,
    async take(limit: number) {
      asked.push(limit);
      const taken = Math.min(limit, size);
      size -= taken;
      return taken;
    },
  };
}

test("what happens when there is more than a batch: it goes on until one is not full", async () => {
  const rows = pile(25);
  expect(await inBatches(10, rows.take)).toBe(25);
  expect(rows.asked).toEqual([10, 10, 10]);
});

test("what happens when there is nothing: one look", async () => {
  const rows = pile(0);
  expect(await inBatches(10, rows.take)).toBe(0);
  expect(rows.asked).toEqual([10]);
});

test("what happens when a batch fails: the error, and no more batches", async () => {
  let calls = 0;
  const failing = async () => {
    calls += 1;
    throw new Error("no");
  };
  await expect(inBatches(10, failing)).rejects.toThrow("no");
  expect(calls).toBe(1);
});
