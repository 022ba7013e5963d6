import { isAppError } from "@gatehouse/errors";
import { describe, expect, it, vi } from "vitest";
import { createHashQueue } from "../../src/services/passwords/hash-queue.ts";

/** Returns a task that the test ends. */
function heldTask(label: string, order: string[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  return {
    finish: resolve,
    run: async () => {
      order.push(label);
      await promise;
      return label;
    },
  };
}

describe("createHashQueue", () => {
  it("runs up to `concurrency` tasks and the others in order of arrival", async () => {
    const queue = createHashQueue({ concurrency: 2, maxWaitMs: 60_000 });
    const order: string[] = [];
    const tasks = ["a", "b", "c", "d"].map((label) => heldTask(label, order));
    const results = tasks.map((task) => queue.run(task.run));
    await vi.waitFor(() => expect(order).toEqual(["a", "b"]));
    expect(queue.depth()).toEqual({ running: 2, waiting: 2 });

    tasks[1]?.finish();
    await vi.waitFor(() => expect(order).toEqual(["a", "b", "c"]));
    tasks[0]?.finish();
    await vi.waitFor(() => expect(order).toEqual(["a", "b", "c", "d"]));
    for (const task of tasks) task.finish();
    expect(await Promise.all(results)).toEqual(["a", "b", "c", "d"]);
    expect(queue.depth()).toEqual({ running: 0, waiting: 0 });
  });

  it("fails with 503 and Retry-After when no slot is free in time, and runs later tasks", async () => {
    const queue = createHashQueue({ concurrency: 1, maxWaitMs: 20 });
    const order: string[] = [];
    const first = heldTask("first", order);
    const running = queue.run(first.run);
    const late = await queue.run(() => Promise.resolve("late")).catch((error: unknown) => error);
    expect(isAppError(late, "ServiceUnavailable") && late.retryAfter).toBe(1);

    first.finish();
    await running;
    expect(await queue.run(() => Promise.resolve("next"))).toBe("next");
  });

  it("releases the slot when a task fails", async () => {
    const queue = createHashQueue({ concurrency: 1, maxWaitMs: 1000 });
    await expect(queue.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(queue.depth()).toEqual({ running: 0, waiting: 0 });
  });
});
