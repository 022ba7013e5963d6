export type StopSignal = "SIGTERM" | "SIGINT";

// One Ctrl-C can arrive twice: from the terminal, and passed on by the parent.
const SAME_KEYSTROKE_MS = 500;
const EXIT_CODE_INTERRUPTED = 130;

/**
 * The first SIGTERM or SIGINT that this process gets. A later SIGINT is somebody who will not wait: it exits at once.
 * A later SIGTERM changes nothing, since supervisors repeat themselves.
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
