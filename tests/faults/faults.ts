import { STREAMS } from "@gatehouse/contracts";
import type { Random } from "@gatehouse/test-kit/run";
import { openStreams } from "@gatehouse/test-kit/system";
import { DiscardPolicy } from "@nats-io/jetstream";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { BusMessages } from "./bus-messages.ts";
import { type FaultySystem, type InstanceName, INSTANCES, LINES, SERVERS } from "./system.ts";

interface FaultContext {
  readonly system: FaultySystem;
  readonly random: Random;
  readonly messages: BusMessages;
  /** Waits for a random time in milliseconds while the load goes on. */
  readonly hold: (least: number, most: number) => Promise<void>;
}

/** A fault. After `run` its cause is removed; the product must recover by itself. */
export interface Fault {
  readonly name: string;
  /** What it breaks. Two faults with the same target never run at the same time. */
  readonly touches: string;
  run(context: FaultContext): Promise<void>;
}

/** Room that is left in a full stream: a lower limit would delete messages. It is used up within a second or two. */
const ROOM_BYTES = 16 * 1024;

const fault = (name: string, touches: string, run: Fault["run"]): Fault => ({ name, touches, run });

export const FAULTS: readonly Fault[] = [
  ...INSTANCES.map((name) =>
    fault(`kill -9 ${name}`, name, ({ system, hold }) => interrupt(system, name, "SIGKILL", () => hold(100, 2_500))),
  ),
  ...SERVERS.map((name) =>
    fault(`kill -9 ${name}`, name, async ({ system, hold }) => {
      const server = system.servers[name];
      await server.kill();
      await hold(300, 4_000);
      await startAgain(() => server.start());
    }),
  ),
  ...LINES.flatMap((name) => [
    fault(`cut ${name}`, name, async ({ system, hold }) => {
      await system.lines[name].hangUp();
      await hold(500, 4_500);
      await system.lines[name].restore();
    }),
    fault(`black hole ${name}`, name, async ({ system, hold }) => {
      system.lines[name].silence();
      await hold(1_500, 6_000);
      await system.lines[name].restore();
    }),
    fault(`slow ${name}`, name, async ({ system, random, hold }) => {
      const bytesPerSecond = random.pick([32, 128, 1_024]) * 1_024;
      system.lines[name].slow({ delayMs: random.integer(20, 250), bytesPerSecond });
      await hold(2_500, 5_000);
      system.lines[name].slow({});
    }),
  ]),
  ...(["auth", "user", "gateway-1"] as const).flatMap((name) =>
    [30, -30].map((seconds) =>
      fault(`clock of ${name} ${seconds > 0 ? "+" : "−"}30 s`, name, async ({ system, hold }) => {
        await interrupt(system, name, "SIGINT", undefined, { CLOCK_SKEW_SECONDS: String(seconds) });
        await hold(2_500, 4_500);
        await interrupt(system, name, "SIGINT", undefined, { CLOCK_SKEW_SECONDS: "0" });
      }),
    ),
  ),
  fault("NATS streams at their limit", "nats", async ({ system, hold }) => {
    await using nats = await openStreams(system.servers.nats.url);
    const { streams } = nats;
    const names = [STREAMS.auth.name, STREAMS.user.name];
    try {
      for (const name of names) {
        const { state } = await streams.info(name);
        await streams.update(name, { max_bytes: state.bytes + ROOM_BYTES, discard: DiscardPolicy.New });
      }
      await hold(4_000, 6_000);
    } finally {
      for (const name of names) await streams.update(name, { max_bytes: -1, discard: DiscardPolicy.Old });
    }
  }),
  fault("NATS on a full disk", "nats", async ({ system, hold }) => {
    if (system.disk === undefined) return;
    await system.disk.fill();
    await hold(2_500, 5_000);
    await system.disk.empty();
    // A server that cannot write turns JetStream off until its restart.
    await system.servers.nats.restart();
  }),
  // As after a power failure or a restored snapshot: messages that NATS acknowledged are lost.
  fault("NATS loses its last seconds", "nats", async ({ system, hold }) => {
    const { nats } = system.servers;
    const [data, snapshot] = [join(nats.folder, "data"), join(nats.folder, "snapshot")];
    await nats.stop();
    await cp(data, snapshot, { recursive: true });
    await nats.start();
    await hold(2_000, 4_000);
    await nats.kill();
    await rm(data, { recursive: true });
    await cp(snapshot, data, { recursive: true });
    await nats.start();
    await rm(snapshot, { recursive: true });
  }),
  fault("events published again in another order", "nats", ({ messages, random }) => messages.repeat(random)),
  fault("malformed messages", "nats", ({ messages }) => messages.publishMalformed()),
];

/**
 * Yields faults without end, those of one step together: first each one alone in the seed's order, then pairs.
 * @param only parts of names, separated by commas
 * @throws Error when no name contains any of them
 */
export function* scheduleFaults(random: Random, only = ""): Generator<readonly Fault[], never> {
  const parts = only.split(",").map((part) => part.trim());
  const faults = FAULTS.filter(({ name }) => parts.some((part) => name.includes(part)));
  if (faults.length === 0)
    throw new Error(`--only: no fault matches "${only}". Faults:\n${FAULTS.map(({ name }) => `  ${name}`).join("\n")}`);
  for (const one of random.shuffle(faults)) yield [one];
  for (;;) {
    const [first, ...others] = random.shuffle(faults);
    const second = others.find(({ touches }) => touches !== first?.touches);
    yield [first, second].filter((one) => one !== undefined);
  }
}

/** Stops a service and starts it again; records the outages of auth. */
async function interrupt(
  { services, authOutages }: FaultySystem,
  name: InstanceName,
  signal: NodeJS.Signals,
  meanwhile?: () => Promise<void>,
  environment?: NodeJS.ProcessEnv,
): Promise<void> {
  if (name === "auth") authOutages.began();
  try {
    await services[name].stop(signal);
    await meanwhile?.();
    await services[name].start(environment);
  } finally {
    if (name === "auth") authOutages.ended();
  }
}

/** Children of a killed server, such as PostgreSQL's, block the next start for a moment. */
async function startAgain(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await start();
    } catch (error) {
      if (attempt === 20) throw error;
      await pause(100);
    }
}
