import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcess, identify, isAlive, type ProcessIdentity } from "./identity.ts";

/** Services end before the servers that they use. */
export type ProcessKind = "service" | "server";

interface Description {
  readonly name: string;
  readonly kind: ProcessKind;
  readonly stopSignal: NodeJS.Signals;
}

interface PidRecord extends Description, ProcessIdentity {}

/** Files that name the processes of one folder, so that a later run ends what a killed run left behind. */
export interface PidRecords {
  add(description: Description, pid: number): void;
  remove(pid: number): void;
  /** Ends every recorded process that still runs, services first. Returns their names. */
  endAll(): Promise<string[]>;
}

const GRACE_MS = 10_000;

export function createPidRecords(folder: string): PidRecords {
  const fileOf = (pid: number) => join(folder, `${pid}.json`);
  return {
    add(description, pid) {
      const identity = identify(pid);
      if (identity === undefined) return;
      mkdirSync(folder, { recursive: true });
      // Synchronous, so that nothing can end us between the spawn and this line.
      writeFileSync(fileOf(pid), JSON.stringify({ ...description, ...identity } satisfies PidRecord));
    },
    remove(pid) {
      rmSync(fileOf(pid), { force: true });
    },
    async endAll() {
      const left = readRecords(folder).filter(isAlive);
      for (const kind of ["service", "server"] as const) {
        const group = left.filter((record) => record.kind === kind);
        await Promise.all(group.map((record) => endProcess(record, record.stopSignal, GRACE_MS)));
      }
      rmSync(folder, { recursive: true, force: true });
      return left.map(({ name }) => name);
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
      // A kill interrupted the write.
      return [];
    }
  });
}
