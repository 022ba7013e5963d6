import type { Logger } from "@gatehouse/observability";

export interface Schedule {
  /** Starts no more runs and waits for the one at hand. */
  close(): Promise<void>;
}

/** Runs a job at once and again each interval, never twice at a time. A run that fails is logged; the next one comes. */
export function schedule(
  name: string,
  job: () => Promise<object>,
  { everyMilliseconds, logger }: { everyMilliseconds: number; logger: Logger },
): Schedule {
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    try {
      logger.debug({ job: name, ...(await job()) }, "the job is done");
    } catch (error) {
      logger.warn({ err: error, job: name }, "the job failed and will be tried again");
    } finally {
      running = undefined;
    }
  }

  const tick = () => void (running ??= run());
  const timer = setInterval(tick, everyMilliseconds).unref();
  tick();
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
