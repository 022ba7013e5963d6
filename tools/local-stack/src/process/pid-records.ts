import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcess } from "./end-process.ts";
import { identify, type ProcessIdentity } from "./identity.ts";

/** Services end before the servers that they need. */
export type ProcessKind = "service" | "server";

interface Description {
  readonly name: string;
  readonly kind: ProcessKind;
  readonly stopSignal: NodeJS.Signals;
}

interface PidRecord extends Description, ProcessIdentity {}

/** What runs on behalf of one folder, written down so that a later run can end what a killed one left behind. */
export interface PidRecords {
  add(description: Description, pid: number): void;
  remove(pid: number): void;
  /** Ends every recorded process that still lives; services before servers. Returns the names of those it ended. */
  endAll(): Promise<string[]>;
}

/** How long a left-over process may take to end by itself. */
const GRACE_MS = 10_000;

export function createPidRecords(folder: string): PidRecords {
  const fileOf = (pid: number) => join(folder, `${pid}.json`);
  return {
    add(description, pid) {
      const identity = identify(pid);
      if (identity === undefined) return;
      mkdirSync(folder, { recursive: true });
      // Synchronous: between the spawn and this line nothing of ours may run that could end the process.
      writeFileSync(fileOf(pid), JSON.stringify({ ...description, ...identity } satisfies PidRecord));
    },
    remove(pid) {
      rmSync(fileOf(pid), { force: true });
    },
    async endAll() {
      const left = readRecords(folder).filter((record) => identify(record.pid)?.startedAt === record.startedAt);
      for (const kind of ["service", "server"] as const) {
        const group = left.filter((record) => record.kind === kind);
        await Promise.all(group.map((record) => endProcess(record, record.stopSignal, GRACE_MS)));
      }
      rmSync(folder, { recursive: true, force: true });
      return left.map((record) => record.name);
    },
  };
}

function readRecords(folder: string): PidRecord[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(folder, name), "utf8")) as PidRecord];
    } catch {
      // Cut short by the kill that we clean up after.
      return [];
    }
  });
}
