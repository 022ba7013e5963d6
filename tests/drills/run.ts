import { createRandom } from "@gatehouse/test-kit/system";
import { startLoad } from "./load/load.ts";
import { type Chapter, perform } from "./plans/plan.ts";
import { drawUp, type Report } from "./report.ts";
import { startSystem } from "./system/system.ts";

const SETTLE_MS = 2_000;

export interface RunOptions {
  readonly chapters: readonly Chapter[];
  readonly seed: string;
  /** Requests a second. */
  readonly rate: number;
  /** Variables for all services. */
  readonly environment?: NodeJS.ProcessEnv;
  /** The root of another checkout of this repository, whose build everything is at first. */
  readonly tree?: string | undefined;
  /** Where the services' logs go at the end. */
  readonly logFolder?: string | undefined;
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Starts everything, lets clients live on it while the chapters are performed, and counts. */
export async function run({
  chapters,
  seed,
  rate,
  environment,
  tree,
  logFolder,
  note,
  signal,
}: RunOptions): Promise<Report> {
  const system = await startSystem({ note, logFolder, tree, ...(environment && { environment }) });
  try {
    const load = await startLoad({ nextUrl: system.balancer.next, perSecond: rate, random: createRandom(seed) });
    try {
      const steps = await perform(chapters, { system, load, note, signal, settleMs: SETTLE_MS });
      await load.stop();
      return drawUp(seed, load, steps);
    } finally {
      await load.stop();
    }
  } finally {
    await system.stop();
  }
}
