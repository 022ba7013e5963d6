import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcess, identify, isAlive, type ProcessIdentity } from "./identity.ts";

/** Another running process holds the folder. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
  readonly folder: string;
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}`);
    this.folder = folder;
    this.pid = pid;
  }
}

interface Holder extends ProcessIdentity {
  readonly master?: ProcessIdentity | undefined;
}

export interface FolderLock {
  release(): void;
}

/** How long a holder without its master may take to stop its children. */
const ORPHAN_GRACE_MS = 60_000;

/**
 * Locks the folder for this process until `release`. Takes over the lock of a holder that has ended. Ends a holder
 * whose `master` (the process that started it) has ended, and takes over its lock.
 * @throws FolderInUseError when a running process holds it
 */
export async function lockFolder(folder: string, master?: ProcessIdentity): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "lock");
  const own = JSON.stringify({ ...identify(process.pid), master });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, own);
  try {
    // A link appears whole or not at all, so no process reads a half-written lock.
    while (!tryLink(draft, path)) await takeOver(path, folder);
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      if (read(path) === own) rmSync(path, { force: true });
    },
  };
}

async function takeOver(path: string, folder: string): Promise<void> {
  const found = read(path);
  if (found === undefined) return;
  const holder = parse(found);
  if (holder !== undefined && isAlive(holder)) {
    const isOrphan = holder.master !== undefined && !isAlive(holder.master);
    if (!isOrphan) throw new FolderInUseError(folder, holder.pid);
    await endProcess(holder, "SIGTERM", ORPHAN_GRACE_MS);
    return;
  }
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Two processes may find the same stale lock; the slower one has just moved the lock of the faster one.
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

function parse(content: string): Holder | undefined {
  try {
    return JSON.parse(content) as Holder;
  } catch {
    return undefined;
  }
}
