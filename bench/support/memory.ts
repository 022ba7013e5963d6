import { readFileSync } from "node:fs";

/** MiB. `pss` counts pages that several processes share once. */
export interface Memory {
  readonly rss: number;
  readonly pss: number;
}

/** What a process holds now (Linux). */
export function memoryOf(pid: number | string): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1]) / 1024;
  return { rss: mebibytes("Rss"), pss: mebibytes("Pss") };
}
