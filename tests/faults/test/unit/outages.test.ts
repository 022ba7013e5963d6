import { describe, expect, it } from "vitest";
import { type Outage, recordOutages, refusalDue } from "../../outages.ts";

const WITHIN = 3_000;

describe("refusalDue", () => {
  const cases: [what: string, outages: Outage[], due: number][] = [
    ["auth was never down", [], 13_000],
    ["auth recovered before", [{ from: 5_000, until: 9_999 }], 13_000],
    ["auth crashed right after", [{ from: 10_100, until: 11_000 }], 14_000],
    ["auth crashed at the end of the term", [{ from: 13_000, until: 20_000 }], 23_000],
    ["auth crashed after the term", [{ from: 13_001, until: 20_000 }], 13_000],
    [
      "auth crashed again within the new term",
      [
        { from: 10_100, until: 11_000 },
        { from: 13_500, until: 15_000 },
      ],
      18_000,
    ],
    ["auth is still down", [{ from: 10_100, until: Number.POSITIVE_INFINITY }], Number.POSITIVE_INFINITY],
  ];
  it.each(cases)("is right when %s", (_what, outages, due) => {
    expect(refusalDue(10_000, WITHIN, outages)).toBe(due);
  });

  it("records outages as they begin and end", () => {
    let now = 1;
    const record = recordOutages(() => now);
    record.began();
    expect(record.all()).toEqual([{ from: 1, until: Number.POSITIVE_INFINITY }]);
    now = 5;
    record.ended();
    now = 7;
    record.began();
    expect(record.all()).toEqual([
      { from: 1, until: 5 },
      { from: 7, until: Number.POSITIVE_INFINITY },
    ]);
  });
});
