import { globSync } from "node:fs";
import { basename } from "node:path";
import { REPOSITORY_ROOT } from "@gatehouse/local-stack";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGuideRunner, type GuideFiles, type GuideRunner } from "./run-guide.ts";

const PAGES = globSync("docs/guide/adding-*.md", { cwd: REPOSITORY_ROOT }).toSorted();

/** What a page promises about the files that its reader writes. */
const PROMISES: Readonly<Record<string, (files: GuideFiles) => void>> = {
  "adding-a-profile-field": ({ handWritten }) => expect(handWritten.length).toBeLessThanOrEqual(8),
  "adding-a-service": ({ handWritten }) =>
    expect(handWritten.filter((path) => !path.startsWith("services/hello/"))).toEqual([]),
  "adding-a-table": ({ handWritten }) =>
    expect(handWritten.filter((path) => !path.startsWith("services/user/"))).toEqual([]),
  "adding-an-event": ({ handWritten }) => expect(handWritten.length).toBeLessThanOrEqual(4),
};

let runner: GuideRunner;
beforeAll(async () => {
  runner = await createGuideRunner();
});
afterAll(() => runner.close());

describe("a guide", () => {
  it.each(PAGES)("%s changes the repository as it says", async (page) => {
    const files = await runner.runGuide(page);
    expect(files.handWritten).not.toEqual([]);
    PROMISES[basename(page, ".md")]?.(files);
  });

  it("passes the static checks after its last step", () => runner.check());
  it("passes the tests that it names", () => runner.test());
});
