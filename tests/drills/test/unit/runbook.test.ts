import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Procedure } from "../../plan.ts";
import { keyProcedures } from "../../plans/keys.ts";
import { END_TOKENS, EVEN } from "../../plans/restore.ts";
import { secretProcedures } from "../../plans/secrets.ts";

const read = (page: string) => readFileSync(new URL(`../../../../docs/operations/${page}`, import.meta.url), "utf8");

/** Each numbered list of the page on rotations, its items joined. */
const LISTS = read("rotation.md")
  .split(/^(?=1\. )/m)
  .slice(1)
  .map((part) => part.split("\n").filter((line) => /^\d+\. /.test(line)))
  .map((lines) => lines.map((line) => line.replace(/^\d+\. /, "")));

describe("operations documentation", () => {
  it.each(
    [...keyProcedures(false), ...secretProcedures()].map((procedure): [string, Procedure] => [
      procedure.name,
      procedure,
    ]),
  )("has the steps of the drill %s in their order, with no others between", (_name, { steps }) => {
    const titles = steps.map(({ title }) => title);
    const found = LISTS.filter((items) => titles.every((title, index) => items[index]?.startsWith(title)));
    expect(found, titles.join("\n")).toHaveLength(1);
  });

  it("has no procedure without a drill, except the last step for a leaked key", () => {
    const drilled = [...keyProcedures(false), ...secretProcedures()].flatMap(({ steps }) =>
      steps.map(({ title }) => title),
    );
    const other = LISTS.flat().filter((item) => !drilled.some((title) => item.startsWith(title)));
    expect(other).toEqual([expect.stringContaining("pnpm ops keys retire KID")]);
  });

  it("restores with the statements of the drill", () => {
    const plain = (text: string) => text.replaceAll(/\s+/g, " ");
    const page = plain(read("backup-and-restore.md"));
    for (const statement of [END_TOKENS, ...EVEN]) expect(page).toContain(plain(statement));
  });
});
