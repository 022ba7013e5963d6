import { identify, isAlive, type ProcessIdentity, type StackAddresses } from "@gatehouse/local-stack";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOptionalFile } from "./settings.ts";

/** What a running stack tells the commands that are run beside it. */
interface Announcement {
  readonly stack: ProcessIdentity | undefined;
  readonly addresses: StackAddresses;
}

const fileIn = (dir: string): string => join(dir, "addresses.json");

/**
 * Writes down where the parts of the stack in `dir` are, for as long as this process lives. The URLs have passwords in them, so only
 * the owner may read it.
 * @returns takes it back
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

/** The addresses of the stack that runs in `dir`; undefined when none does, also when one was killed and could not take them back. */
export function findAddresses(dir: string): StackAddresses | undefined {
  const content = readOptionalFile(fileIn(dir));
  if (content === "") return undefined;
  const { stack, addresses } = JSON.parse(content) as Announcement;
  return stack !== undefined && isAlive(stack) ? addresses : undefined;
}
