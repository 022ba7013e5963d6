import type { Logger } from "@gatehouse/observability";

export interface JobDeps {
  /** In the log, as `job`. */
  readonly name: string;
  /** Pause between the end of one run and the start of the next. */
  readonly everySeconds: number;
  /** When the first run starts. Default: after `everySeconds`. */
  readonly first?: "now" | "later";
  run(): Promise<unknown>;
  readonly logger: Logger;
}

export interface Job {
  /** Starts no more runs and waits for the current one. */
  close(): Promise<void>;
}

/** Runs a job periodically, one run at a time. Logs a run that fails; the next run follows as usual. */
export function startJob({ name, everySeconds, first = "later", run, logger }: JobDeps): Job {
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  function runOnce(): void {
    running = run()
      .then((result) => logger.debug({ job: name, result }, "job finished"))
      .catch((error: unknown) => logger.warn({ err: error, job: name }, "job failed, retrying at its next run"))
      .then(scheduleNext);
  }
  function scheduleNext(): void {
    if (!isClosed) timer = setTimeout(runOnce, everySeconds * 1000).unref();
  }

  if (first === "now") runOnce();
  else scheduleNext();
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
