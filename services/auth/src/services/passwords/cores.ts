import { availableParallelism } from "node:os";

/** The cores that one of so many workers of this host may count on, at least one. */
export function coresPerWorker(workers: number): number {
  return Math.max(1, Math.floor(availableParallelism() / workers));
}
