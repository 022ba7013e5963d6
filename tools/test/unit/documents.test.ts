import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const DOCUMENTS = globSync(["*.md", "docs/**/*.md", "{libs,services,examples,tests,tools}/*/README.md"], { cwd: ROOT });

const LINK = /\]\((?!https?:|#)([^)#]+)/g;
const NAMED_FILE = /`((?:(?:libs|services|examples)\/[\w-]+|tools|tests|docs|bench|deploy)\/[\w./-]+)`/g;

/** What a document refers to: links from where it is, files by their path from the root. */
function references(document: string): { named: string; path: string }[] {
  const text = readFileSync(join(ROOT, document), "utf8");
  const links = [...text.matchAll(LINK)].map(([, link = ""]) => ({ named: link, path: join(dirname(document), link) }));
  return [...links, ...[...text.matchAll(NAMED_FILE)].map(([, path = ""]) => ({ named: path, path }))];
}

describe("the documents", () => {
  it.each(DOCUMENTS)("refer to what is there: %s", (document) => {
    expect(references(document).filter(({ path }) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("exist and contain links", () => {
    expect(DOCUMENTS).toContain("README.md");
    expect(DOCUMENTS.flatMap(references).length).toBeGreaterThan(50);
  });

  it("keep decisions to 30 lines each, numbered without gaps", () => {
    const decisions = DOCUMENTS.filter((document) => document.startsWith("docs/decisions/")).toSorted();
    for (const [index, decision] of decisions.entries()) {
      expect(decision).toContain(`/${String(index + 1).padStart(4, "0")}-`);
      expect(readFileSync(join(ROOT, decision), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(30);
    }
  });
});
