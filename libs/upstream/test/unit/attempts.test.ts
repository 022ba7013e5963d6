import { describe, expect, it } from "vitest";
import { createAttempts } from "../../src/attempts.ts";
import { createRotation } from "../../src/rotation.ts";

const URLS = ["http://a", "http://b", "http://c"];

function createBench(urls: readonly string[]) {
  const state = { time: 0, down: new Set<string>(), asked: [] as string[], error: new Error("refused") };
  const rotation = createRotation(urls.length, () => state.time);
  const attemptEach = createAttempts({ rotation, restMs: 5_000 });
  const ask = () =>
    attemptEach("always", async (index) => {
      const url = urls[index] as string;
      state.asked.push(url.slice(-1));
      if (state.down.has(url)) throw state.error;
      return url.slice(-1);
    });
  return { state, ask };
}

describe("attempts", () => {
  it("start with the next replica each time", async () => {
    const { ask } = createBench(URLS);
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual(["a", "b", "c", "a"]);
  });

  it("go on to the next replica after a failure, and try the failed one last for a while", async () => {
    const { ask, state } = createBench(URLS);
    state.down.add("http://a");
    expect(await ask()).toBe("b");
    state.asked = [];
    for (let round = 0; round < 3; round += 1) await ask();
    expect(state.asked).not.toContain("a");
    state.time += 5_000;
    state.down.clear();
    const answers = [await ask(), await ask(), await ask()];
    expect(new Set(answers)).toEqual(new Set(["a", "b", "c"]));
  });

  it("try each replica once when all fail, and throw all errors", async () => {
    const { ask, state } = createBench(URLS);
    state.down = new Set(URLS);
    const error = await ask().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toHaveLength(3);
    expect(state.asked.toSorted()).toEqual(["a", "b", "c"]);
    state.down.clear();
    expect(await ask()).toMatch(/[abc]/);
  });

  it("try a single replica twice, but not after a timeout", async () => {
    const { ask, state } = createBench(["http://a"]);
    state.down.add("http://a");
    await expect(ask()).rejects.toThrow("refused; refused");
    state.asked = [];
    state.error = new DOMException("too late", "TimeoutError");
    await expect(ask()).rejects.toThrow("too late");
    expect(state.asked).toEqual(["a"]);
  });

  it.each([
    ["an error with a cause", new TypeError("fetch failed", { cause: refusal("connect ECONNREFUSED 10.0.0.1:8001") })],
    ["a system error", refusal("connect ECONNREFUSED 10.0.0.1:8001")],
    ["a name with several addresses", Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })],
  ])("report the code and never an address: %s", async (_where, thrown) => {
    const { ask, state } = createBench(["http://a"]);
    state.down.add("http://a");
    state.error = thrown;
    const error: unknown = await ask().catch((failure: unknown) => failure);
    expect((error as Error).message).toBe("no replica responded: ECONNREFUSED; ECONNREFUSED");
  });
});

function refusal(message: string): Error {
  return Object.assign(new Error(message), { code: "ECONNREFUSED" });
}
