// pnpm bench:start: the time of a start, and the memory of the idle services. See --help.
import { freePort } from "@gatehouse/local-stack";
import { countOption, listOf, type Report, reportCommand, showCount } from "@gatehouse/test-kit/run";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Memory, memoryOf } from "./support/processes.ts";

const READY_MS = 6_000;
const TOGETHER_MIB = 350;
const IDLE_MS = 20_000;
const ROOT = fileURLToPath(new URL("../", import.meta.url));

async function bench({ starts }: { readonly starts: number }): Promise<Report> {
  const readyAfter: number[] = [];
  let memory: Record<string, Memory> = {};
  for (let start = 1; start <= starts; start += 1) {
    await using stack = await startStack();
    readyAfter.push(stack.readyAfter);
    showCount("starts", start, starts);
    if (start < starts) continue;
    await pause(IDLE_MS);
    memory = Object.fromEntries(
      Object.entries(stack.ports).map(([service, port]) => [service, memoryOf(processOf(service, port))]),
    );
  }
  const sum = (kind: keyof Memory) => Object.values(memory).reduce((total, one) => total + one[kind], 0);
  const all = { ...memory, together: { rss: sum("rss"), pss: sum("pss") } };
  return {
    passed: Math.max(...readyAfter) <= READY_MS && all.together.pss <= TOGETHER_MIB,
    figures: { readyAfter, memory: all },
    lines: [
      `ready after ${readyAfter.map((time) => `${(time / 1000).toFixed(2)} s`).join(", ")} (at most ${READY_MS / 1000} s)`,
      ...Object.entries(all).map(
        ([service, one]) => `${service.padEnd(8)} ${listOf({ ...one }, (mib) => `${mib.toFixed(0)} MiB`)}`,
      ),
      `(PSS together at most ${TOGETHER_MIB} MiB)`,
    ],
  };
}

/** Runs `pnpm start` on free ports with new data, which are removed at the end. */
async function startStack() {
  await using releases = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-bench-"));
  releases.defer(() => rmSync(folder, { recursive: true, force: true }));
  const ports = { auth: await freePort(), user: await freePort(), gateway: await freePort() };
  const begun = performance.now();
  const child = spawn(process.execPath, ["tools/start/main.ts", "--fresh"], {
    cwd: ROOT,
    env: {
      ...process.env,
      STACK_DIR: join(folder, "stack"),
      ...Object.fromEntries(Object.entries(ports).map(([service, port]) => [variableOf(service), String(port)])),
      ...{ RATE_LIMIT_ENABLED: "false", LOG_LEVEL: "warn" },
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  releases.defer(async () => {
    if (child.exitCode === null) child.kill("SIGINT");
    await ended;
  });
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => line.startsWith("gatehouse ready on ") && resolve());
    void ended.then(() => reject(new Error("the system ended before it was ready")));
  });
  const readyAfter = performance.now() - begun;
  const kept = releases.move();
  return { ports, readyAfter, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const variableOf = (service: string) => `${service.toUpperCase()}_PORT`;

/** Finds a service's process by its folder and the port in its environment (Linux). */
function processOf(service: string, port: number): string {
  const pid = readdirSync("/proc").find((name) => {
    try {
      const isService = readlinkSync(`/proc/${name}/cwd`).endsWith(`/services/${service}`);
      return isService && readFileSync(`/proc/${name}/environ`, "utf8").includes(`${variableOf(service)}=${port}`);
    } catch {
      // No process, an ended one, or another user's.
      return false;
    }
  });
  if (pid === undefined) throw new Error(`found no process of ${service}; this needs /proc (Linux)`);
  return pid;
}

await reportCommand(
  "pnpm bench:start",
  "Measures how long `pnpm start` takes, and the memory of the idle services.",
  bench,
)
  .addOption(countOption("starts", "number of starts", 3))
  .parseAsync();
