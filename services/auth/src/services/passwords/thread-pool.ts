import { availableParallelism } from "node:os";

/** Keep signing fast when the hashing queue is full (docs/decisions/0004-argon2-library.md). */
const SPARE_THREADS = 4;

/** Returns the CPU cores per worker, at least 1. */
export function coresPerWorker(workers: number): number {
  return Math.max(1, Math.floor(availableParallelism() / workers));
}

/**
 * Sizes libuv's thread pool, which hashing shares with signing, verifying and the file system.
 * libuv reads UV_THREADPOOL_SIZE at its first use, so call this before the process starts any work.
 */
export function sizeThreadPool(): void {
  // oxlint-disable node/no-process-env -- libuv has no other interface, and this runs before the configuration is read
  const workers = Number(process.env["WEB_CONCURRENCY"]) || 1;
  process.env["UV_THREADPOOL_SIZE"] ??= String(coresPerWorker(workers) + SPARE_THREADS);
  // oxlint-enable node/no-process-env
}
