import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcess } from "./end-process.ts";
import { identify, isAlive, type ProcessIdentity } from "./identity.ts";

/** Somebody else who still runs holds the folder. */
export class FolderInUseError extends Error {
  readonly folder: string;
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}`);
    this.name = "FolderInUseError";
    this.folder = folder;
    this.pid = pid;
  }
}

interface Holder extends ProcessIdentity {
  /** Whose end ends the holder too; see {@link lockFolder}. */
  readonly master?: ProcessIdentity | undefined;
}

export interface FolderLock {
  release(): void;
}

/** How long a holder without its master may take to stop everything that it runs. */
const ORPHAN_GRACE_MS = 60_000;

/**
 * Takes the folder for this process until `release`. The lock of a holder that has died is taken over; so is that of a
 * holder whose `master` (the process that started it and in whose name it runs) has died, after the holder was ended.
 * @throws FolderInUseError when a living process holds it
 */
export async function lockFolder(folder: string, master?: ProcessIdentity): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "lock");
  const own = JSON.stringify({ ...identify(process.pid), master });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, own);
  try {
    // A link appears whole or not at all, so that nobody reads a half-written lock.
    while (!tryLink(draft, path)) await takeAway(path, folder);
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      if (read(path) === own) rmSync(path, { force: true });
    },
  };
}

async function takeAway(path: string, folder: string): Promise<void> {
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

function parse(content: string): Holder | undefined {
  try {
    return JSON.parse(content) as Holder;
  } catch {
    return undefined;
  }
}
