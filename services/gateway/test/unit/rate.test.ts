import { describe, expect, it } from "vitest";
import { type Count, strictestCount, parseRate } from "../../src/services/limits/rate.ts";

describe("a rate", () => {
  it.each([
    ["120/minute", { limit: 120, seconds: 60 }],
    ["1/second", { limit: 1, seconds: 1 }],
    [" 5 / Hour ", { limit: 5, seconds: 3600 }],
    ["7/day", { limit: 7, seconds: 86_400 }],
    ["0/minute", undefined],
    ["-1/minute", undefined],
    ["10", undefined],
    ["10/fortnight", undefined],
    ["1.5/second", undefined],
    ["", undefined],
  ])("is read from %j", (text, rate) => {
    expect(parseRate(text)).toEqual(rate);
  });
});

describe("strictestCount", () => {
  const count = (values: Partial<Count>): Count => ({
    name: "default",
    limit: 10,
    remaining: 5,
    resetSeconds: 60,
    exceeded: false,
    ...values,
  });

  it("returns undefined without counts", () => {
    expect(strictestCount([])).toBeUndefined();
  });

  it("returns the count with the fewest remaining requests", () => {
    const few = count({ remaining: 1 });
    expect(strictestCount([count({}), few, count({ limit: 120, remaining: 100 })])).toBe(few);
  });

  it("returns an exceeded count before one with nothing left", () => {
    const exceeded = count({ remaining: 0, exceeded: true, resetSeconds: 1 });
    expect(strictestCount([count({ remaining: 0 }), exceeded])).toBe(exceeded);
    expect(strictestCount([exceeded, count({ remaining: 0 })])).toBe(exceeded);
  });

  it("returns the longer wait of two exceeded counts", () => {
    const long = count({ exceeded: true, remaining: 0, resetSeconds: 30 });
    const short = count({ exceeded: true, remaining: 0, resetSeconds: 1 });
    expect(strictestCount([short, long])).toBe(long);
    expect(strictestCount([long, short])).toBe(long);
  });
});
