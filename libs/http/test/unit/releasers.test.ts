import { expect, test } from "vitest";
import { createReleasers } from "@gatehouse/http/process";

test("releasers › release sequentially, last acquired first", async () => {
  const order: string[] = [];
  const releasers = createReleasers();
  releasers.add("database", () => void order.push("database"));
  releasers.add("bus", async () => {
    order.push("bus begins");
    await new Promise((resolve) => setImmediate(resolve));
    order.push("bus ends");
  });
  releasers.add("relay", () => void order.push("relay"));
  await releasers.releaseAll();
  expect(order).toEqual(["relay", "bus begins", "bus ends", "database"]);
});

test("releasers › report a failed release and continue", async () => {
  const failures: unknown[] = [];
  const released: string[] = [];
  const releasers = createReleasers((name, error) => failures.push([name, (error as Error).message]));
  releasers.add("first", () => void released.push("first"));
  releasers.add("second", () => {
    throw new Error("thrown");
  });
  releasers.add("third", () => Promise.reject(new Error("rejected")));
  await releasers.releaseAll();
  expect(failures).toEqual([
    ["third", "rejected"],
    ["second", "thrown"],
  ]);
  expect(released).toEqual(["first"]);
});

test("releasers › release nothing twice", async () => {
  let count = 0;
  const releasers = createReleasers();
  releasers.add("once", () => void count++);
  await Promise.all([releasers.releaseAll(), releasers.releaseAll()]);
  await releasers.releaseAll();
  expect(count).toBe(1);
});
