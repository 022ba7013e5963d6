import { expect, test } from "vitest";
import { createLane } from "../../src/relay/lane.ts";

test("what happens to calls during a run: however many, they make one more run", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let runs = 0;
  const lane = createLane(async () => {
    await gates[runs++]?.promise;
    return false;
  });
  lane.run();
  for (let call = 0; call < 5; call += 1) lane.run();
  expect(runs).toBe(1);
  for (const gate of gates) gate.resolve();
  await lane.idle();
  expect(runs).toBe(2);
});

test("what happens when there is more to do: it goes on by itself, and can be started again later", async () => {
  let left = 3;
  let runs = 0;
  const lane = createLane(async () => {
    runs += 1;
    return --left > 0;
  });
  lane.run();
  expect(lane.busy()).toBe(true);
  await lane.idle();
  expect([runs, lane.busy()]).toEqual([3, false]);
  lane.run();
  await lane.idle();
  expect(runs).toBe(4);
});
