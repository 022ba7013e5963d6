import { isAlive, type ProcessIdentity } from "@gatehouse/local-stack";
import { execFile } from "node:child_process";
import { open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A folder on a disk of its own, so small that it can be filled. */
export interface SmallDisk {
  readonly folder: string;
  /** Leaves no room on it. */
  fill(): Promise<void>;
  empty(): Promise<void>;
  remove(): Promise<void>;
}

const SIZE_MB = 96;
/** What the list of mounts calls it. */
const DEVICE = "gatehouse-faults";

/** @returns undefined where none can be had: it takes Linux and the right to mount */
export async function createSmallDisk(folder: string): Promise<SmallDisk | undefined> {
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MB}m,mode=0755`, DEVICE, folder]);
  } catch {
    return undefined;
  }
  const ballast = join(folder, "ballast");
  return {
    folder,
    async fill() {
      const file = await open(ballast, "w");
      try {
        // Smaller and smaller pieces, down to a single page, so that really nothing is left.
        for (let size = 1024 * 1024; size >= 4096; size /= 2) await writeUntilFull(file, Buffer.alloc(size, 1));
      } finally {
        await file.close();
      }
    },
    empty: () => rm(ballast, { force: true }),
    remove: async () => void (await unmount(folder)),
  };
}

/** Takes away the disks of runs that were killed, which are in the way of whoever removes their folders. */
export async function sweepSmallDisks(): Promise<void> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  for (const line of mounts.split("\n")) {
    const [device, folder = ""] = line.split(" ");
    if (device !== DEVICE) continue;
    const owner = await readFile(join(dirname(folder), "owner.json"), "utf8").catch(() => undefined);
    if (owner !== undefined && !isAlive(JSON.parse(owner) as ProcessIdentity)) await unmount(folder);
  }
}

const unmount = (folder: string) => run("umount", ["--lazy", folder]);

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, piece: Buffer): Promise<void> {
  for (;;) {
    try {
      await file.write(piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") return;
      throw error;
    }
  }
}
