import { expect, test } from "vitest";
import { createSingleJob } from "../../src/relay/single-job.ts";

test("createSingleJob runs once more for any number of calls during a run", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let runs = 0;
  const job = createSingleJob(async () => {
    await gates[runs++]?.promise;
    return false;
  });
  job.run();
  for (let call = 0; call < 5; call += 1) job.run();
  expect(runs).toBe(1);
  for (const gate of gates) gate.resolve();
  await job.idle();
  expect(runs).toBe(2);
});

test("createSingleJob continues while there is more to do, and can run again later", async () => {
  let left = 3;
  let runs = 0;
  const job = createSingleJob(async () => {
    runs += 1;
    return --left > 0;
  });
  job.run();
  expect(job.isRunning()).toBe(true);
  await job.idle();
  expect([runs, job.isRunning()]).toEqual([3, false]);
  job.run();
  await job.idle();
  expect(runs).toBe(4);
});
