import { setTimeout as sleep } from "node:timers/promises";

/** Waits so many milliseconds, or until `signal` aborts; never throws and keeps no process alive by itself. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
