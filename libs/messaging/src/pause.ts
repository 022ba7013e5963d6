import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits so many milliseconds, or until `signal` aborts; never throws.
 * @param options.keepAlive false: a process that has nothing else to do ends rather than waits
 */
export async function pause(milliseconds: number, signal: AbortSignal, { keepAlive = false } = {}): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: keepAlive }).catch(() => undefined);
}
