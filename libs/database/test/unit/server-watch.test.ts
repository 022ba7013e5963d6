import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createServerWatch } from "../../src/pool/server-watch.ts";

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "performance"],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A watch over a server that answers as `answers` says, and the count of times it was asked. */
function watchOver(answers: () => Promise<boolean>, limitMilliseconds = 40_000) {
  const asked = vi.fn(answers);
  return { asked, watch: createServerWatch({ probe: asked, limitMilliseconds }) };
}

const never = new Promise<never>(() => {});
const outcomeOf = (work: Promise<unknown>) => {
  const outcome: { value?: unknown; error?: unknown } = {};
  work.then(
    (value) => (outcome.value = value),
    (error: unknown) => (outcome.error = error),
  );
  return outcome;
};

describe("what happens when work gets no answer", () => {
  test("from a server that answers nobody: it is abandoned within two seconds", async () => {
    const { watch } = watchOver(() => new Promise((resolve) => setTimeout(resolve, 700, false)));
    const abandon = vi.fn();
    const outcome = outcomeOf(watch.guard(never, abandon));
    await vi.advanceTimersByTimeAsync(1_800);
    expect(outcome.error).toMatchObject({ code: "ServiceUnavailable" });
    expect(abandon).toHaveBeenCalledOnce();
  });

  test("from a server that answers others: it goes on", async () => {
    const { watch, asked } = watchOver(async () => true);
    let finish: (answer: string) => void = () => {};
    const work = new Promise<string>((resolve) => (finish = resolve));
    const outcome = outcomeOf(watch.guard(work, vi.fn()));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(outcome).toEqual({});
    expect(asked.mock.calls.length).toBeGreaterThan(5);
    finish("done");
    await vi.advanceTimersByTimeAsync(0);
    expect(outcome).toEqual({ value: "done" });
  });

  test("while other work does: the server is not asked at all", async () => {
    const { watch, asked } = watchOver(async () => false);
    const outcome = outcomeOf(watch.guard(never, vi.fn()));
    for (let passed = 0; passed < 5_000; passed += 500) {
      watch.sawAnswer();
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(asked).not.toHaveBeenCalled();
    expect(outcome).toEqual({});
  });

  test("and an answer comes while the server is being asked in vain: it counts", async () => {
    const { watch } = watchOver(() => new Promise((resolve) => setTimeout(resolve, 700, false)));
    const outcome = outcomeOf(watch.guard(never, vi.fn()));
    await vi.advanceTimersByTimeAsync(1_200);
    watch.sawAnswer();
    await vi.advanceTimersByTimeAsync(600);
    expect(outcome).toEqual({});
  });

  test("for longer than the limit: it is abandoned, answering server or not", async () => {
    const { watch } = watchOver(async () => true, 5_000);
    const outcome = outcomeOf(watch.guard(never, vi.fn()));
    await vi.advanceTimersByTimeAsync(4_900);
    expect(outcome).toEqual({});
    await vi.advanceTimersByTimeAsync(300);
    expect(outcome.error).toMatchObject({ code: "ServiceUnavailable" });
  });

  test("and is younger than the question: it gets a question of its own", async () => {
    const { watch } = watchOver(() => new Promise((resolve) => setTimeout(resolve, 700, false)));
    const older = outcomeOf(watch.guard(never, vi.fn()));
    await vi.advanceTimersByTimeAsync(1_100);
    const younger = outcomeOf(watch.guard(never, vi.fn()));
    await vi.advanceTimersByTimeAsync(700);
    expect(older.error).toBeDefined();
    expect(younger.error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1_200);
    expect(younger.error).toBeDefined();
  });
});

test("what happens when work is done: nothing is left running", async () => {
  const { watch } = watchOver(async () => true);
  await watch.guard(Promise.resolve(1), vi.fn());
  await expect(watch.guard(Promise.reject(new Error("no")), vi.fn())).rejects.toThrow("no");
  await vi.advanceTimersByTimeAsync(200);
  expect(vi.getTimerCount()).toBe(0);
});
