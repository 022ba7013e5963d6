import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./process/identity.ts";
import { createPidRecords, type PidRecords } from "./process/pid-records.ts";

const PREFIX = "gatehouse-test-";

/** The folder of a test run: the data of its servers and the records of its processes. */
export interface RunFolder {
  readonly path: string;
  readonly records: PidRecords;
  remove(): Promise<void>;
}

/** Creates the folder of this run in the system's temporary folder. */
export function createRunFolder(): RunFolder {
  const path = join(tmpdir(), `${PREFIX}${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(path);
  // PostgreSQL runs as another user when we are root, and must enter the folder.
  chmodSync(path, 0o711);
  writeFileSync(join(path, "owner.json"), JSON.stringify(identify(process.pid)));
  return runFolder(path);
}

/** Returns the folder that another process of this run created. */
export function runFolder(path: string): RunFolder {
  const records = createPidRecords(join(path, "run"));
  return {
    path,
    records,
    async remove() {
      await records.endAll();
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Ends the processes of killed runs and removes their folders. */
export async function sweepDeadRuns(): Promise<void> {
  const names = readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(
    names.map(async (name) => {
      const path = join(tmpdir(), name);
      const owner = readOwner(path);
      if (owner === undefined || isAlive(owner)) return;
      // The folder may belong to another user.
      await runFolder(path)
        .remove()
        .catch(() => undefined);
    }),
  );
}

function readOwner(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(join(path, "owner.json"), "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
