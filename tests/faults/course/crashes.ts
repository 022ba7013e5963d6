import type { InstanceName, ServerName, System } from "../system/system.ts";
import type { Fault } from "./fault.ts";

const INSTANCES: readonly InstanceName[] = ["auth", "user", "gateway-1", "gateway-2"];
const SERVERS: readonly ServerName[] = ["nats", "postgres", "redis"];

/** A process that ends without a word, and is started again as a supervisor would. */
export const CRASHES: readonly Fault[] = [
  ...(INSTANCES.map((name) => ({
    name: `kill -9 ${name}`,
    touches: name,
    async run({ system, hold }) {
      await interrupt(system, name, "SIGKILL", () => hold(100, 2_500));
    },
  })) satisfies Fault[]),
  ...(SERVERS.map((name) => ({
    name: `kill -9 ${name}`,
    touches: name,
    async run({ system, hold }) {
      const server = system.servers[name];
      await server.kill();
      await hold(300, 4_000);
      await startAgain(() => server.start());
    },
  })) satisfies Fault[]),
];

/** A service whose clock is half a minute off: it is restarted so, and later as it was. */
export const WRONG_CLOCKS: readonly Fault[] = INSTANCES.filter((name) => name !== "gateway-2").flatMap(
  (name) =>
    [30, -30].map((seconds) => ({
      name: `clock of ${name} ${seconds > 0 ? "+" : "−"}30 s`,
      touches: name,
      async run({ system, hold }) {
        await interrupt(system, name, "SIGINT", async () => undefined, { CLOCK_SKEW_SECONDS: String(seconds) });
        await hold(2_500, 4_500);
        await interrupt(system, name, "SIGINT", async () => undefined, { CLOCK_SKEW_SECONDS: "0" });
      },
    })) satisfies Fault[],
);

/** Takes a service away and brings it back, and puts auth's absences on record. */
async function interrupt(
  system: System,
  name: InstanceName,
  signal: NodeJS.Signals,
  meanwhile: () => Promise<void>,
  environment?: NodeJS.ProcessEnv,
): Promise<void> {
  const service = system.services[name];
  if (name === "auth") system.authOutages.began();
  try {
    await service.stop(signal);
    await meanwhile();
    await service.start(environment);
  } finally {
    if (name === "auth") system.authOutages.ended();
  }
}

const START_ATTEMPTS = 20;

/** What a killed server leaves behind (PostgreSQL's own children, for a moment) keeps the next one from starting. */
async function startAgain(start: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
