import { coresPerWorker } from "./cores.ts";

/**
 * Sizes libuv's thread pool, which hashing shares with signing, verifying and the file system. Spare threads keep signing
 * fast when the hashing queue is full (docs/decisions). libuv reads the variable at its first use, so import this file first.
 */
const SPARE_THREADS = 4;

// oxlint-disable node/no-process-env -- libuv has no other interface, and this file runs before the configuration is read
const workers = Number(process.env["WEB_CONCURRENCY"]) || 1;
process.env["UV_THREADPOOL_SIZE"] ??= String(coresPerWorker(workers) + SPARE_THREADS);
