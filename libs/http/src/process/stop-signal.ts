export type StopSignal = "SIGTERM" | "SIGINT";

// One Ctrl-C can arrive twice: from the terminal and from the parent process.
const SAME_KEYSTROKE_MS = 500;
const EXIT_CODE_INTERRUPTED = 130;

/**
 * Resolves with the first SIGTERM or SIGINT. A second SIGINT exits at once, for a person who does not want to wait. A second SIGTERM
 * changes nothing, since supervisors repeat it.
 */
export function nextStopSignal(): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let first: number | undefined;
  const receive = (signal: StopSignal) => {
    first ??= performance.now();
    if (signal === "SIGINT" && performance.now() - first > SAME_KEYSTROKE_MS) process.exit(EXIT_CODE_INTERRUPTED);
    resolve(signal);
  };
  process.on("SIGTERM", receive);
  process.on("SIGINT", receive);
  return promise;
}
