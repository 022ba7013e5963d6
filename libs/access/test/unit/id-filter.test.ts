import { newId } from "@gatehouse/contracts";
import { expect, test } from "vitest";
import { createIdFilter } from "../../src/revocation/id-filter.ts";

test("what happens to ids that were added: each is known, whatever its shape", () => {
  const filter = createIdFilter();
  const ids = ["", "u", "é".repeat(40), ...Array.from({ length: 10_000 }, newId)];
  for (const id of ids) filter.add(id);
  expect(ids.filter((id) => !filter.mayHave(id))).toEqual([]);
});

test("what happens to others when 100,000 were added: of 10,000, made at the same time, hardly any seems known", () => {
  const filter = createIdFilter();
  for (let count = 0; count < 100_000; count += 1) filter.add(newId());
  const mistaken = Array.from({ length: 10_000 }, newId).filter((id) => filter.mayHave(id));
  expect(mistaken.length).toBeLessThan(200);
});
