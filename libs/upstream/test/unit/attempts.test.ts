import { expect, test } from "vitest";
import { createReplicas } from "../../src/introspection/replicas.ts";

const URLS = ["http://a", "http://b", "http://c"];

function createBench(urls: readonly string[]) {
  const state = { time: 0, down: new Set<string>(), asked: [] as string[], error: new Error("refused") };
  const replicas = createReplicas(urls, () => state.time);
  const ask = () =>
    replicas.ask(async (url) => {
      state.asked.push(url.slice(-1));
      if (state.down.has(url)) throw state.error;
      return url.slice(-1);
    });
  return { state, ask };
}

test("what happens with several replicas: they take turns", async () => {
  const { ask } = createBench(URLS);
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual(["a", "b", "c", "a"]);
});

test("what happens when one does not answer: the next is asked, and for a while that one comes last", async () => {
  const { ask, state } = createBench(URLS);
  state.down.add("http://a");
  expect(await ask()).toBe("b");
  state.asked = [];
  for (let turn = 0; turn < 3; turn += 1) await ask();
  expect(state.asked).not.toContain("a");
  state.time += 5_000;
  state.down.clear();
  const answers = [await ask(), await ask(), await ask()];
  expect(new Set(answers)).toEqual(new Set(["a", "b", "c"]));
});

test("what happens when none answers: each was asked once, and the error has the reason of each", async () => {
  const { ask, state } = createBench(URLS);
  state.down = new Set(URLS);
  const error = await ask().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AggregateError);
  expect((error as AggregateError).errors).toHaveLength(3);
  expect(state.asked.toSorted()).toEqual(["a", "b", "c"]);
  state.down.clear();
  expect(await ask()).toMatch(/[abc]/);
});

test("what happens with a lone replica that fails: it is asked a second time, unless the time was out", async () => {
  const { ask, state } = createBench(["http://a"]);
  state.down.add("http://a");
  await expect(ask()).rejects.toThrow("refused; refused");
  state.asked = [];
  state.error = new DOMException("too late", "TimeoutError");
  await expect(ask()).rejects.toThrow("too late");
  expect(state.asked).toEqual(["a"]);
});

test.each([
  ["of the network", new TypeError("fetch failed", { cause: refusal("connect ECONNREFUSED 10.0.0.1:8001") })],
  ["of a client that tells it directly", refusal("connect ECONNREFUSED 10.0.0.1:8001")],
  ["of a name with several addresses", Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })],
])("what the error says %s: the code, never an address", async (_where, thrown) => {
  const { ask, state } = createBench(["http://a"]);
  state.down.add("http://a");
  state.error = thrown;
  const error: unknown = await ask().catch((failure: unknown) => failure);
  expect((error as Error).message).toBe("no replica answers: ECONNREFUSED; ECONNREFUSED");
});

function refusal(message: string): Error {
  return Object.assign(new Error(message), { code: "ECONNREFUSED" });
}
