import { describe, expect, it } from "vitest";
import { findPhrases, readRules } from "../../check/language.ts";

const WRITING = `# Writing

## Words the check rejects

| Do not write | Write |
| ------------ | ----- |
| lane, lanes  | queue |
| away | down |

## Before and after

| Before | After |
|---|---|
| fails, trying on | failed, retrying |
`;
const rules = readRules(WRITING);
const phrases = (text: string) => findPhrases("a.md", text, rules).map(({ line, phrase }) => [line, phrase]);

describe("language", () => {
  it("reads the phrases from the tables", () => {
    expect(rules.map(({ phrase }) => phrase)).toEqual(["lane", "lanes", "away", "fails, trying on"]);
  });

  it("finds whole words in any case, with their line", () => {
    expect(phrases("one\nNATS is Away\nfails, trying on")).toEqual([
      [2, "away"],
      [3, "fails, trying on"],
    ]);
  });

  it("ignores parts of words", () => {
    expect(phrases("planes\nstraightaway\nget-away")).toEqual([]);
  });
});
