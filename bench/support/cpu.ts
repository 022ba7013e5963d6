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

/**
 * CPU seconds that this process and all its descendants have taken so far, those included that have ended and were waited for (Linux).
 * Other work on the machine makes a run slower, and not this larger.
 */
export function cpuSecondsOfRun(): number {
  const parents = new Map<string, string>();
  const ticks = new Map<string, number>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = statFields(pid);
      parents.set(pid, fields[1] ?? "");
      // User, system, and both of ended children.
      ticks.set(
        pid,
        [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0),
      );
    } catch {
      // It ended while we looked.
    }
  }
  const isOurs = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || isOurs(parents.get(pid)));
  return [...ticks].reduce((sum, [pid, count]) => (isOurs(pid) ? sum + count : sum), 0) / TICKS_A_SECOND;
}

/** How many a second this machine's cores would carry if they had nothing else to do. */
export function capacity(cpuSecondsEach: number): number {
  return availableParallelism() / cpuSecondsEach;
}
