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

/** A watch over a server whose probe returns `answers`, and the number of probes. */
function watchOver(answers: () => Promise<boolean>, limitMs = 40_000) {
  const asked = vi.fn(answers);
  return { asked, watch: createServerWatch({ probe: asked, limitMs }) };
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

describe("createServerWatch", () => {
  test("abandons work within two seconds when the server answers nothing", async () => {
    const { watch } = watchOver(() => new Promise((resolve) => setTimeout(resolve, 700, false)));
    const abandon = vi.fn();
    const outcome = outcomeOf(watch.guard(never, abandon));
    await vi.advanceTimersByTimeAsync(1_800);
    expect(outcome.error).toMatchObject({ code: "ServiceUnavailable" });
    expect(abandon).toHaveBeenCalledOnce();
  });

  test("lets work continue while the probe succeeds", async () => {
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

  test("does not probe while other work is answered", async () => {
    const { watch, asked } = watchOver(async () => false);
    const outcome = outcomeOf(watch.guard(never, vi.fn()));
    for (let passed = 0; passed < 5_000; passed += 500) {
      watch.sawAnswer();
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(asked).not.toHaveBeenCalled();
    expect(outcome).toEqual({});
  });

  test("counts an answer that arrives during a failed probe", async () => {
    const { watch } = watchOver(() => new Promise((resolve) => setTimeout(resolve, 700, false)));
    const outcome = outcomeOf(watch.guard(never, vi.fn()));
    await vi.advanceTimersByTimeAsync(1_200);
    watch.sawAnswer();
    await vi.advanceTimersByTimeAsync(600);
    expect(outcome).toEqual({});
  });

  test("abandons work after the limit even when the server answers", async () => {
    const { watch } = watchOver(async () => true, 5_000);
    const outcome = outcomeOf(watch.guard(never, vi.fn()));
    await vi.advanceTimersByTimeAsync(4_900);
    expect(outcome).toEqual({});
    await vi.advanceTimersByTimeAsync(300);
    expect(outcome.error).toMatchObject({ code: "ServiceUnavailable" });
  });

  test("probes again for work that began after a probe", async () => {
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

test("createServerWatch stops its timer when no work is left", async () => {
  const { watch } = watchOver(async () => true);
  await watch.guard(Promise.resolve(1), vi.fn());
  await expect(watch.guard(Promise.reject(new Error("no")), vi.fn())).rejects.toThrow("no");
  await vi.advanceTimersByTimeAsync(200);
  expect(vi.getTimerCount()).toBe(0);
});
