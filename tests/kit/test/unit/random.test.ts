import { describe, expect, it } from "vitest";
import { createRandom } from "../../src/run/random.ts";

const draw = (seed: string, count = 50) => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.integer(0, 1_000));
};

describe("createRandom", () => {
  it("repeats its choices for the same seed only", () => {
    expect(draw("a")).toEqual(draw("a"));
    expect(draw("a")).not.toEqual(draw("b"));
  });

  it("gives forks that depend neither on their parent's draws nor on other forks", () => {
    const quiet = createRandom("a").fork("load").next();
    const parent = createRandom("a");
    parent.next();
    parent.fork("faults").next();
    expect(parent.fork("load").next()).toBe(quiet);
    expect(parent.fork("faults").next()).not.toBe(quiet);
  });

  it("draws every number of a range, ends included", () => {
    const random = createRandom("range");
    const drawn = new Set(Array.from({ length: 1_000 }, () => random.integer(3, 7)));
    expect([...drawn].toSorted((one, other) => one - other)).toEqual([3, 4, 5, 6, 7]);
  });

  it("draws by weight and never draws weight zero", () => {
    const random = createRandom("weights");
    const counts = { often: 0, rarely: 0, never: 0 };
    for (let count = 0; count < 10_000; count += 1) counts[random.pickWeighted({ often: 9, rarely: 1, never: 0 })] += 1;
    expect(counts.never).toBe(0);
    expect(counts.rarely).toBeGreaterThan(800);
    expect(counts.rarely).toBeLessThan(1_200);
  });

  it("keeps every item when it shuffles, and rejects a pick from an empty list", () => {
    const random = createRandom("cards");
    const cards = Array.from({ length: 30 }, (_, card) => card);
    const shuffled = random.shuffle(cards);
    expect(shuffled).not.toEqual(cards);
    expect(shuffled.toSorted((one, other) => one - other)).toEqual(cards);
    expect(() => random.pick([])).toThrow(RangeError);
  });
});
