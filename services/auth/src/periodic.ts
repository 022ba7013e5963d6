import type { Logger } from "@gatehouse/observability";

export interface Periodic {
  /** Lets a run that is under way finish. */
  stop(): Promise<void>;
}

/** Runs a job again and again, `seconds` after it last ended. A run that fails is logged and tried again at its time. */
export function startPeriodic(options: {
  name: string;
  seconds: number;
  run: () => Promise<unknown>;
  logger: Logger;
}): Periodic {
  const { name, seconds, run, logger } = options;
  let running: Promise<void> = Promise.resolve();
  let timer = setTimeout(tick, seconds * 1000);

  function tick(): void {
    running = run()
      .catch((error: unknown) => logger.warn({ err: error, job: name }, "the job failed and will be tried again"))
      .then(() => {
        if (!stopped) timer = setTimeout(tick, seconds * 1000);
      });
  }

  let stopped = false;
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
