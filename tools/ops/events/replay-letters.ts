import type { Replayer } from "@gatehouse/messaging";
import { setTimeout as sleep } from "node:timers/promises";

export interface ReplayReport {
  /** How many are back in their streams. */
  replayed: number;
  /** Gone before their turn: replayed by somebody else, or aged out. */
  gone: number;
  /** Chosen and not come to, because of an interruption or a failure. */
  left: number;
  /** What stopped the run before its end. */
  failure: Error | undefined;
}

export interface ReplayPlan {
  readonly perSecond: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/**
 * Replays one letter after the other, the oldest first, no faster than asked. It can stop anywhere: what it has not come to is still a
 * dead letter, so that the same command goes on.
 */
export async function replayLetters(
  replayer: Replayer,
  numbers: readonly number[],
  { perSecond, signal, onProgress }: ReplayPlan,
): Promise<ReplayReport> {
  const report: ReplayReport = { replayed: 0, gone: 0, left: numbers.length, failure: undefined };
  const begun = performance.now();
  for (const [index, number] of numbers.entries()) {
    const early = begun + (index * 1_000) / perSecond - performance.now();
    if (early > 0) await sleep(early, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    try {
      if (await replayer.replay(number)) report.replayed += 1;
      else report.gone += 1;
    } catch (error) {
      report.failure = error as Error;
      break;
    }
    report.left -= 1;
    onProgress(index + 1);
  }
  return report;
}
