/** A job that never runs twice at the same time. */
export interface SingleJob {
  /** Runs the job now, or once more after the current run; any number of calls in between cause one run. */
  run(): void;
  isRunning(): boolean;
  /** Resolves when the job is not running. */
  idle(): Promise<void>;
}

/** @param job returns whether there is more to do at once; it must not throw */
export function createSingleJob(job: () => Promise<boolean>): SingleJob {
  let again = false;
  let running: Promise<void> | undefined;

  async function loop(): Promise<void> {
    do {
      again = false;
      if (await job()) again = true;
    } while (again);
    running = undefined;
  }

  return {
    run() {
      again = true;
      running ??= loop();
    },
    isRunning: () => running !== undefined,
    async idle() {
      await running;
    },
  };
}
