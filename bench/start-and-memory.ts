// How long the start takes to its ready line, and what the three services hold in memory when idle.
// Usage: pnpm bench:start [starts, default 3]
import { readFileSync } from "node:fs";
import { readdirSync } from "node:fs";
import { printMachine } from "./support/report.ts";
import { type BenchStack, startStack } from "./support/stack.ts";

const starts = Number(process.argv[2] ?? 3);
const IDLE_MS = 20_000;

/** MiB of the process that listens on each port (Linux). */
function memoryOf(pid: string): { rss: number; pss: number } {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0) / 1024;
  return { rss: mebibytes("Rss"), pss: mebibytes("Pss") };
}

/** The service processes of a stack, by the ports in their environment. */
function servicesOf({ ports }: BenchStack): [string, string][] {
  const wanted = {
    auth: `AUTH_PORT=${ports.auth}`,
    user: `USER_PORT=${ports.user}`,
    gateway: `GATEWAY_PORT=${ports.gateway}`,
  };
  const found: [string, string][] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const folder = readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("src/main.ts");
      const environment = folder ? readFileSync(`/proc/${pid}/environ`, "utf8").split("\0") : [];
      for (const [service, variable] of Object.entries(wanted))
        if (
          environment.includes(variable) &&
          environment.some((line) => line.startsWith("PWD=") && line.endsWith(service))
        )
          found.push([service, pid]);
    } catch {
      // It ended while we looked, or is another user's.
    }
  }
  return found;
}

printMachine();
for (let start = 1; start <= starts; start += 1) {
  const stack = await startStack();
  try {
    console.log(`start ${start}: ready after ${(stack.readyAfter / 1000).toFixed(2)} s`);
    if (start < starts) continue;
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    let [rss, pss] = [0, 0];
    for (const [service, pid] of servicesOf(stack)) {
      const memory = memoryOf(pid);
      rss += memory.rss;
      pss += memory.pss;
      console.log(`${service.padEnd(8)} RSS ${memory.rss.toFixed(0)} MiB, PSS ${memory.pss.toFixed(0)} MiB`);
    }
    console.log(`together RSS ${rss.toFixed(0)} MiB, PSS ${pss.toFixed(0)} MiB (pages that they share counted once)`);
  } finally {
    await stack.stop();
  }
}
