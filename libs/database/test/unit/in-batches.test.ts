import { inBatches } from "@gatehouse/database";
import { expect, test } from "vitest";

/** A source that returns at most `limit` rows and records the limits. */
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

test("inBatches continues until a batch is not full", async () => {
  const rows = pile(25);
  expect(await inBatches(10, rows.take)).toBe(25);
  expect(rows.asked).toEqual([10, 10, 10]);
});

test("inBatches runs once when there is nothing", async () => {
  const rows = pile(0);
  expect(await inBatches(10, rows.take)).toBe(0);
  expect(rows.asked).toEqual([10]);
});

test("inBatches stops with the error of a failed batch", async () => {
  let calls = 0;
  const failing = async () => {
    calls += 1;
    throw new Error("no");
  };
  await expect(inBatches(10, failing)).rejects.toThrow("no");
  expect(calls).toBe(1);
});
