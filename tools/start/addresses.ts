import { identify, isAlive, type ProcessIdentity, type StackAddresses } from "@gatehouse/local-stack";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOptionalFile } from "./settings.ts";

/** The file that tells other commands where a running stack is. */
interface Announcement {
  readonly stack: ProcessIdentity | undefined;
  readonly addresses: StackAddresses;
}

const fileIn = (dir: string): string => join(dir, "addresses.json");

/**
 * Writes the addresses of the stack in `dir`, valid while this process runs. The URLs contain passwords, so only the owner
 * may read the file.
 * @returns removes the file
 */
export function announceAddresses(dir: string, addresses: StackAddresses): () => void {
  const path = fileIn(dir);
  const draft = `${path}.new`;
  const announcement: Announcement = { stack: identify(process.pid), addresses };
  rmSync(draft, { force: true });
  writeFileSync(draft, JSON.stringify(announcement), { mode: 0o600 });
  renameSync(draft, path);
  return () => rmSync(path, { force: true });
}

/** Returns the addresses of the stack that runs in `dir`; undefined when none runs, also after a kill. */
export function findAddresses(dir: string): StackAddresses | undefined {
  const content = readOptionalFile(fileIn(dir));
  if (content === "") return undefined;
  const { stack, addresses } = JSON.parse(content) as Announcement;
  return stack !== undefined && isAlive(stack) ? addresses : undefined;
}
