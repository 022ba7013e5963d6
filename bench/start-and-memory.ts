// pnpm bench:start: the time of a start, and the memory of the idle services. See --help.
import { freePort } from "@gatehouse/local-stack";
import { countOption, showCount } from "@gatehouse/test-kit/run";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { memoryOf } from "./support/processes.ts";
import { benchCommand } from "./support/report.ts";

const READY_SECONDS = 6;
const TOGETHER_MIB = 320;
const IDLE_MS = 20_000;
const ROOT = fileURLToPath(new URL("../", import.meta.url));

async function bench({ starts }: { readonly starts: number }) {
  const readySeconds: number[] = [];
  let memory: Record<string, ReturnType<typeof memoryOf>> = {};
  for (let start = 1; start <= starts; start += 1) {
    await using stack = await startStack();
    readySeconds.push(stack.readySeconds);
    showCount("starts", start, starts);
    if (start < starts) continue;
    await pause(IDLE_MS);
    const pids = Object.entries(stack.ports).map(([service, port]) => [service, processOf(service, port)] as const);
    memory = Object.fromEntries(pids.map(([service, pid]) => [service, memoryOf(pid)]));
  }
  const together = Object.values(memory).reduce((total, { pss }) => total + pss, 0);
  return {
    figures: { readySeconds, mebibytes: memory },
    bars: {
      "slowest start, s": { figure: Math.max(...readySeconds), most: READY_SECONDS },
      "memory of the services together, MiB (PSS)": { figure: together, most: TOGETHER_MIB },
    },
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
      ...{ ...process.env, STACK_DIR: join(folder, "stack"), RATE_LIMIT_ENABLED: "false", LOG_LEVEL: "warn" },
      ...Object.fromEntries(Object.entries(ports).map(([service, port]) => [variableOf(service), String(port)])),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  releases.defer(async () => {
    if (child.exitCode === null) child.kill("SIGINT");
    await ended;
  });
  const isReady = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => line.startsWith("gatehouse ready on ") && resolve());
  });
  await Promise.race([isReady, ended.then(() => Promise.reject(new Error("the system ended before it was ready")))]);
  const readySeconds = (performance.now() - begun) / 1_000;
  const kept = releases.move();
  return { ports, readySeconds, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const variableOf = (service: string) => `${service.toUpperCase()}_PORT`;

/** Finds a service's process by its folder and the port in its environment (Linux). */
function processOf(service: string, port: number): string | undefined {
  return readdirSync("/proc").find((name) => {
    try {
      const isService = readlinkSync(`/proc/${name}/cwd`).endsWith(`/services/${service}`);
      return isService && readFileSync(`/proc/${name}/environ`, "utf8").includes(`${variableOf(service)}=${port}`);
    } catch {
      // No process, an ended one, or another user's.
      return false;
    }
  });
}

await benchCommand(
  "pnpm bench:start",
  "Measures how long `pnpm start` takes, and the memory of the idle services (Linux).",
  bench,
)
  .addOption(countOption("starts", "number of starts", 3))
  .parseAsync();
