import { createRandom } from "@gatehouse/test-kit/system";
import { describe, expect, it } from "vitest";
import { deal, FAULTS } from "../../course/deck.ts";

const draw = (seed: string, count: number, only?: string) => {
  const dealer = deal(createRandom(seed), only);
  return Array.from({ length: count }, () => dealer.next().value);
};
const names = (hands: ReturnType<typeof draw>) => hands.map((hand) => hand.map(({ name }) => name).join(" and "));

describe("what happens when faults are dealt", () => {
  it("each comes once by itself, in the seed's order", () => {
    const first = names(draw("a", FAULTS.length));
    expect(first.toSorted()).toEqual(FAULTS.map(({ name }) => name).toSorted());
    expect(names(draw("a", FAULTS.length))).toEqual(first);
    expect(names(draw("b", FAULTS.length))).not.toEqual(first);
  });

  it("then pairs come, never of two that touch the same", () => {
    const pairs = draw("a", FAULTS.length + 200).slice(FAULTS.length);
    for (const pair of pairs) {
      expect(pair).toHaveLength(2);
      expect(pair[0]?.touches).not.toBe(pair[1]?.touches);
    }
  });

  it("only those asked for come, each alone when there is no other to go with it", () => {
    expect(names(draw("a", 3, "redis"))).toEqual(["kill -9 redis", "kill -9 redis", "kill -9 redis"]);
    expect(() => draw("a", 1, "earthquake")).toThrow(/kill -9 redis/);
  });
});
