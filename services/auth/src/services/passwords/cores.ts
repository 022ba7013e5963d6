import { availableParallelism } from "node:os";

/** Returns the CPU cores per worker, at least 1. */
export function coresPerWorker(workers: number): number {
  return Math.max(1, Math.floor(availableParallelism() / workers));
}
