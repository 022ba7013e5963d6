import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FolderInUseError, lockFolder } from "../../src/process/folder-lock.ts";
import { identify } from "../../src/process/identity.ts";
import { bystander, deadIdentity, scratchFolder } from "../fixtures/scratch.ts";

const OWN = identify(process.pid);

/** Returns a folder with a lock file of this content. */
function lockedBy(content: string): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, "lock"), content);
  return folder;
}

const holderOf = (folder: string) => JSON.parse(readFileSync(join(folder, "lock"), "utf8")) as object;

test("a lock excludes others until it is released", async () => {
  const folder = join(scratchFolder(), "made", "on", "the", "way");
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({ name: "FolderInUseError", folder, pid: process.pid });
  lock.release();
  (await lockFolder(folder)).release();
});

test("a folder of a running process is in use, and the error names the process", async () => {
  const { identity } = await bystander();
  const folder = lockedBy(JSON.stringify(identity));
  await expect(lockFolder(folder)).rejects.toThrow(new FolderInUseError(folder, identity.pid).message);
  expect(holderOf(folder)).toEqual(identity);
});

test.each([
  ["has ended", async () => JSON.stringify(await deadIdentity())],
  ["has a number that another process has now", async () => JSON.stringify({ ...OWN, startedAt: "1" })],
  ["was killed while it wrote its lock", async () => '{"pid":'],
])("a lock whose holder %s is taken over", async (_what, content) => {
  const folder = lockedBy(await content());
  const lock = await lockFolder(folder);
  expect(holderOf(folder)).toMatchObject({ ...OWN });
  lock.release();
});

test("a holder whose master has ended is ended, and its lock taken over", async () => {
  const holder = await bystander();
  const folder = lockedBy(JSON.stringify({ ...holder.identity, master: await deadIdentity() }));
  const lock = await lockFolder(folder);
  expect(await holder.ended).toBe("SIGTERM");
  expect(holderOf(folder)).toMatchObject({ ...OWN });
  lock.release();
});

test("a holder whose master runs keeps the folder", async () => {
  const [holder, master] = [await bystander(), await bystander()];
  const folder = lockedBy(JSON.stringify({ ...holder.identity, master: master.identity }));
  await expect(lockFolder(folder)).rejects.toBeInstanceOf(FolderInUseError);
});

test("a former holder cannot release a lock that was taken over", async () => {
  const folder = scratchFolder();
  const former = await lockFolder(folder);
  const successor = JSON.stringify({ pid: 1, startedAt: "0" });
  writeFileSync(join(folder, "lock"), successor);
  former.release();
  expect(readFileSync(join(folder, "lock"), "utf8")).toBe(successor);
});
