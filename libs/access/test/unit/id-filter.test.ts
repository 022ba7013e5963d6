import { newId } from "@gatehouse/contracts";
import { expect, test } from "vitest";
import { createIdFilter } from "../../src/revocation/id-filter.ts";

test("the filter has every added id of any shape", () => {
  const filter = createIdFilter();
  const ids = ["", "u", "é".repeat(40), ...Array.from({ length: 10_000 }, newId)];
  for (const id of ids) filter.add(id);
  expect(ids.filter((id) => !filter.mayHave(id))).toEqual([]);
});

test("the filter has few false positives after 100,000 ids", () => {
  const filter = createIdFilter();
  for (let count = 0; count < 100_000; count += 1) filter.add(newId());
  const mistaken = Array.from({ length: 10_000 }, newId).filter((id) => filter.mayHave(id));
  expect(mistaken.length).toBeLessThan(200);
});
