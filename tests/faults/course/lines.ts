import { LINE_NAMES } from "../system/system.ts";
import type { Fault } from "./fault.ts";

/** What happens on the line between a service and what it needs. */
export const LINE_FAULTS: readonly Fault[] = LINE_NAMES.flatMap((name): Fault[] => [
  {
    name: `cut ${name}`,
    touches: name,
    async run({ system, hold }) {
      const line = system.lines[name];
      await line.hangUp();
      await hold(500, 4_500);
      await line.restore();
    },
  },
  {
    name: `black hole ${name}`,
    touches: name,
    async run({ system, hold }) {
      const line = system.lines[name];
      line.silence();
      await hold(1_500, 6_000);
      await line.restore();
    },
  },
  {
    name: `slow ${name}`,
    touches: name,
    async run({ system, random, hold }) {
      const line = system.lines[name];
      line.slow({ delayMs: random.integer(20, 250), bytesPerSecond: random.pick([32, 128, 1_024]) * 1_024 });
      await hold(2_500, 5_000);
      line.slow({});
    },
  },
]);
