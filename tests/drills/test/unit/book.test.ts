import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { keyChapters } from "../../plans/keys.ts";
import type { Chapter } from "../../plans/plan.ts";
import { secretChapters } from "../../plans/secrets.ts";

const PAGE = readFileSync(new URL("../../../../docs/operations/rotation.md", import.meta.url), "utf8");

/** Each numbered list of the page, its items joined. */
const LISTS = PAGE.split(/^(?=1\. )/m)
  .slice(1)
  .map((part) => part.split("\n").filter((line) => /^\d+\. /.test(line)))
  .map((lines) => lines.map((line) => line.replace(/^\d+\. /, "")));

describe("the operator's book", () => {
  it.each(
    [...keyChapters({ realTime: false }), ...secretChapters()].map((chapter): [string, Chapter] => [
      chapter.name,
      chapter,
    ]),
  )("has the steps of the drill %s, in their order and no others in between", (_name, { steps }) => {
    const titles = steps.map(({ title }) => title);
    const found = LISTS.filter((items) => titles.every((title, index) => items[index]?.startsWith(title)));
    expect(found, titles.join("\n")).toHaveLength(1);
  });

  it("has no procedure that is not drilled, but for a leaked key's last step", () => {
    const drilled = [...keyChapters({ realTime: false }), ...secretChapters()].flatMap(({ steps }) =>
      steps.map(({ title }) => title),
    );
    const other = LISTS.flat().filter((item) => !drilled.some((title) => item.startsWith(title)));
    expect(other).toEqual([expect.stringContaining("pnpm ops keys retire KID")]);
  });
});
