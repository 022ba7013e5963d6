import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FolderInUseError, lockFolder } from "../../src/process/folder-lock.ts";
import { identify } from "../../src/process/identity.ts";
import { bystander, deadIdentity, scratchFolder } from "../fixtures/scratch.ts";

const OWN = identify(process.pid);

/** A folder with a lock that somebody else has left in it. */
function lockedBy(content: string): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, "lock"), content);
  return folder;
}

const holderOf = (folder: string) => JSON.parse(readFileSync(join(folder, "lock"), "utf8")) as object;

test("what happens when the folder is free: it is taken, and nobody else gets it until it is released", async () => {
  const folder = join(scratchFolder(), "made", "on", "the", "way");
  const lock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toMatchObject({ name: "FolderInUseError", folder, pid: process.pid });
  lock.release();
  (await lockFolder(folder)).release();
});

test("what happens when a living process holds it: the error says which", async () => {
  const { identity } = await bystander();
  const folder = lockedBy(JSON.stringify(identity));
  await expect(lockFolder(folder)).rejects.toThrow(new FolderInUseError(folder, identity.pid).message);
  expect(holderOf(folder)).toEqual(identity);
});

test.each([
  ["has died", async () => JSON.stringify(await deadIdentity())],
  ["has a number that another process got since", async () => JSON.stringify({ ...OWN, startedAt: "1" })],
  ["was killed while it wrote", async () => '{"pid":'],
])("what happens when the holder %s: the lock is taken over", async (_what, content) => {
  const folder = lockedBy(await content());
  const lock = await lockFolder(folder);
  expect(holderOf(folder)).toMatchObject({ ...OWN });
  lock.release();
});

test("what happens when the holder's master has died: the holder is ended and the lock taken over", async () => {
  const holder = await bystander();
  const folder = lockedBy(JSON.stringify({ ...holder.identity, master: await deadIdentity() }));
  const lock = await lockFolder(folder);
  expect(await holder.ended).toBe("SIGTERM");
  expect(holderOf(folder)).toMatchObject({ ...OWN });
  lock.release();
});

test("what happens when the holder's master lives: it is in use", async () => {
  const [holder, master] = [await bystander(), await bystander()];
  const folder = lockedBy(JSON.stringify({ ...holder.identity, master: master.identity }));
  await expect(lockFolder(folder)).rejects.toBeInstanceOf(FolderInUseError);
});

test("what happens when a lock that was taken over is released by its former holder: it stays", async () => {
  const folder = scratchFolder();
  const former = await lockFolder(folder);
  const successor = JSON.stringify({ pid: 1, startedAt: "0" });
  writeFileSync(join(folder, "lock"), successor);
  former.release();
  expect(readFileSync(join(folder, "lock"), "utf8")).toBe(successor);
});
