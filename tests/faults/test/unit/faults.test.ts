import { createRandom } from "@gatehouse/test-kit/run";
import { describe, expect, it } from "vitest";
import { scheduleFaults, FAULTS } from "../../faults.ts";

const draw = (seed: string, count: number, only?: string) => {
  const schedule = scheduleFaults(createRandom(seed), only);
  return Array.from({ length: count }, () => schedule.next().value);
};
const names = (steps: ReturnType<typeof draw>) => steps.map((step) => step.map(({ name }) => name).join(" and "));

describe("schedule of faults", () => {
  it("runs each fault once alone, in the order of the seed", () => {
    const first = names(draw("a", FAULTS.length));
    expect(first.toSorted()).toEqual(FAULTS.map(({ name }) => name).toSorted());
    expect(names(draw("a", FAULTS.length))).toEqual(first);
    expect(names(draw("b", FAULTS.length))).not.toEqual(first);
  });

  it("then runs pairs, never two faults with one target", () => {
    const pairs = draw("a", FAULTS.length + 200).slice(FAULTS.length);
    for (const pair of pairs) {
      expect(pair).toHaveLength(2);
      expect(pair[0]?.touches).not.toBe(pair[1]?.touches);
    }
  });

  it("runs only the selected faults, alone without a second target", () => {
    expect(names(draw("a", 3, "redis"))).toEqual(["kill -9 redis", "kill -9 redis", "kill -9 redis"]);
    expect(() => draw("a", 1, "earthquake")).toThrow(/kill -9 redis/);
  });
});
