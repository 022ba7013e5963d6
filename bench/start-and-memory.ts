// pnpm bench:start: how long the start takes, and what the idle services hold in memory. See --help.
import { parseCount } from "@gatehouse/test-kit/command";
import { Option } from "commander";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { type Memory, memoryOf } from "./support/memory.ts";
import { progress } from "./support/report.ts";
import { type BenchStack, startStack } from "./support/stack.ts";

interface Options {
  readonly starts: number;
}

const SERVICES = { auth: "AUTH_PORT", user: "USER_PORT", gateway: "GATEWAY_PORT" } as const;
type Service = keyof typeof SERVICES;

const READY_MS = 6_000;
const TOGETHER_MIB = 350;
const IDLE_MS = 20_000;

async function bench({ starts }: Options): Promise<BenchResult> {
  const readyAfter: number[] = [];
  let memory: Record<Service, Memory> | undefined;
  for (let start = 1; start <= starts; start += 1) {
    const stack = await startStack();
    try {
      readyAfter.push(stack.readyAfter);
      progress("starts", start, starts);
      if (start < starts) continue;
      await pause(IDLE_MS);
      memory = memoryOfServices(stack);
    } finally {
      await stack.stop();
    }
  }
  const each = Object.entries(memory ?? {});
  const together = (kind: keyof Memory) => each.reduce((sum, [, one]) => sum + one[kind], 0);
  const figures = { readyAfter, memory, together: { rss: together("rss"), pss: together("pss") } };
  return {
    passed: Math.max(...readyAfter) <= READY_MS && figures.together.pss <= TOGETHER_MIB,
    figures,
    lines: [
      `ready after ${readyAfter.map((time) => `${(time / 1000).toFixed(2)} s`).join(", ")} (at most ${READY_MS / 1000} s)`,
      ...each.map(([service, one]) => `${service.padEnd(8)} ${describeMemory(one)}`),
      `together ${describeMemory(figures.together)} (PSS at most ${TOGETHER_MIB} MiB)`,
    ],
  };
}

function describeMemory({ rss, pss }: Memory): string {
  return `RSS ${rss.toFixed(0)} MiB, PSS ${pss.toFixed(0)} MiB`;
}

function memoryOfServices(stack: BenchStack): Record<Service, Memory> {
  const of = (service: Service) => memoryOf(processOf(service, stack.ports[service]));
  return { auth: of("auth"), user: of("user"), gateway: of("gateway") };
}

/** The process of a service, by its folder and the port in its environment (Linux). */
function processOf(service: Service, port: number): string {
  const isIt = (pid: string): boolean => {
    try {
      const folder = readlinkSync(`/proc/${pid}/cwd`);
      const variables = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      return folder.endsWith(`/services/${service}`) && variables.includes(`${SERVICES[service]}=${port}`);
    } catch {
      // It ended while we looked, or is another user's.
      return false;
    }
  };
  const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && isIt(name));
  if (pid === undefined) throw new Error(`the process of ${service} was not found; this takes Linux's /proc`);
  return pid;
}

await benchCommand(
  "bench:start",
  "How long `pnpm start` takes, and what the three idle services hold in memory.",
  bench,
)
  .addOption(new Option("--starts <count>", "how often to start").argParser(parseCount).default(3))
  .parseAsync();
