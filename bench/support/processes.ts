import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

// What processes use, from /proc (Linux).

/** `sysconf(_SC_CLK_TCK)` on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** MiB; `pss` counts pages that several processes share once. */
export interface Memory {
  readonly rss: number;
  readonly pss: number;
}

export function memoryOf(pid: number | string | undefined): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1]) / 1024;
  return { rss: mebibytes("Rss"), pss: mebibytes("Pss") };
}

/** The fields of /proc/PID/stat after the command: state, parent, … */
function statOf(pid: number | string): string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
}

const sumOf = (fields: readonly string[], indexes: readonly number[]) =>
  indexes.reduce((sum, index) => sum + Number(fields[index]), 0) / TICKS_A_SECOND;

/** CPU seconds of one process and all its threads. */
export function cpuSecondsOf(pid: number | undefined): number {
  return sumOf(statOf(pid ?? 0), [11, 12]);
}

/**
 * CPU seconds of this process and all its descendants by program, ended ones included. Other work on the machine does not count.
 * @param names names of processes; others have their command's name
 */
export function cpuSecondsByProgram(
  names: ReadonlyMap<number | undefined, string> = new Map(),
): Record<string, number> {
  const parents = new Map<string, string>();
  const found = new Map<string, { name: string; seconds: number }>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      const fields = statOf(pid);
      const name = names.get(Number(pid)) ?? readFileSync(`/proc/${pid}/comm`, "utf8").trim();
      parents.set(pid, fields[1] ?? "");
      found.set(pid, { name, seconds: sumOf(fields, [11, 12, 13, 14]) });
    } catch {
      // The process has ended.
    }
  const isOwn = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || isOwn(parents.get(pid)));
  const seconds: Record<string, number> = {};
  for (const [pid, one] of found) if (isOwn(pid)) seconds[one.name] = (seconds[one.name] ?? 0) + one.seconds;
  return seconds;
}

export function cpuSecondsOfRun(): number {
  return Object.values(cpuSecondsByProgram()).reduce((sum, one) => sum + one, 0);
}

/** How many a second the cores could do without other work. */
export function capacityOf(cpuSecondsEach: number): number {
  return availableParallelism() / cpuSecondsEach;
}
