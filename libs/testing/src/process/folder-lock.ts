import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./identity.ts";

/** Somebody else who still runs holds the folder. */
export class FolderInUseError extends Error {
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}`);
    this.name = "FolderInUseError";
    this.pid = pid;
  }
}

/**
 * Takes the folder for this process until `release`. A lock whose holder has died is taken over.
 * @throws FolderInUseError when a living process holds it
 */
export function lockFolder(folder: string): { release(): void } {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "lock");
  const own = JSON.stringify(identify(process.pid));
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, own);
  try {
    // A link appears whole or not at all, so that nobody reads a half-written lock.
    while (!tryLink(draft, path)) takeAway(path, folder);
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      if (read(path) === own) rmSync(path, { force: true });
    },
  };
}

function takeAway(path: string, folder: string): void {
  const found = read(path);
  if (found === undefined) return;
  const holder = parse(found);
  if (holder !== undefined && isAlive(holder)) throw new FolderInUseError(folder, holder.pid);
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Two takers may have judged the same dead lock; the slower of them has just moved the faster one's new lock.
  if (read(aside) !== found) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parse(content: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(content) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
