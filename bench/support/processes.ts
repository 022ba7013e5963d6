import { readdirSync, readFileSync } from "node:fs";

// What processes use, from /proc (Linux).

/** `sysconf(_SC_CLK_TCK)` on every Linux that Node runs on. */
const TICKS_A_SECOND = 100;

/** MiB; `pss` counts pages that several processes share once. */
export function memoryOf(pid: number | string | undefined): { rss: number; pss: number } {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1]) / 1024;
  return { rss: mebibytes("Rss"), pss: mebibytes("Pss") };
}

/**
 * Returns the CPU seconds of this process and all its descendants by program, ended ones included. Other work on the machine does
 * not count.
 * @param names names by process; others have their command's name
 */
export function cpuSecondsByProgram(
  names: ReadonlyMap<number | undefined, string> = new Map(),
): Record<string, number> {
  const parents = new Map<string, string>();
  const found = new Map<string, { name: string; seconds: number }>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      // After the command come state, parent, …
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      const name = names.get(Number(pid)) ?? readFileSync(`/proc/${pid}/comm`, "utf8").trim();
      parents.set(pid, fields[1] ?? "");
      found.set(pid, { name, seconds: ticks / TICKS_A_SECOND });
    } catch {
      // The process has ended.
    }
  const isOwn = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || isOwn(parents.get(pid)));
  const seconds: Record<string, number> = {};
  for (const [pid, one] of found) if (isOwn(pid)) seconds[one.name] = (seconds[one.name] ?? 0) + one.seconds;
  return seconds;
}
