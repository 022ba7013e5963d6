import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** What `sysconf(_SC_CLK_TCK)` says on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** Of a line of /proc/PID/stat, what follows the command, which may hold anything: state, parent, … */
function statFields(pid: string): string[] {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
}

/** CPU seconds that one process has taken so far, in all its threads (Linux). */
export function cpuSecondsOf(pid: number): number {
  const fields = statFields(String(pid));
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

interface Found {
  readonly pid: string;
  readonly parent: string;
  readonly seconds: number;
}

/** This process and all its descendants (Linux); those that have ended and were waited for count for their parents. */
function processesOfRun(): Found[] {
  const all = new Map<string, Found>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = statFields(pid);
      // User, system, and both of ended children.
      const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
      all.set(pid, { pid, parent: fields[1] ?? "", seconds: ticks / TICKS_A_SECOND });
    } catch {
      // It ended while we looked.
    }
  }
  const isOurs = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || isOurs(all.get(pid)?.parent));
  return [...all.values()].filter(({ pid }) => isOurs(pid));
}

/**
 * CPU seconds that this process and all its descendants have taken so far, those included that have ended and were waited for (Linux).
 * Other work on the machine makes a run slower, and not this larger.
 */
export function cpuSecondsOfRun(): number {
  return processesOfRun().reduce((sum, { seconds }) => sum + seconds, 0);
}

/**
 * The same by program: each process that `names` knows under that name, every other under that of its command.
 * @param names by process number
 */
export function cpuSecondsByProgram(names: ReadonlyMap<number, string>): Record<string, number> {
  const seconds: Record<string, number> = {};
  for (const found of processesOfRun()) {
    const name = names.get(Number(found.pid)) ?? commandOf(found.pid);
    seconds[name] = (seconds[name] ?? 0) + found.seconds;
  }
  return seconds;
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "ended";
  }
}

/** How many a second this machine's cores would carry if they had nothing else to do. */
export function capacity(cpuSecondsEach: number): number {
  return availableParallelism() / cpuSecondsEach;
}
