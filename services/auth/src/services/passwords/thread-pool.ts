import { coresPerWorker } from "./cores.ts";

/**
 * Sizes libuv's thread pool, which hashing shares with signing, verifying and the file system, so that a
 * full hashing queue always leaves threads to sign with (see docs/decisions). libuv reads the variable when
 * the pool is first used: this file must be the first import of the process.
 */
const SPARE_THREADS = 4;

// oxlint-disable node/no-process-env -- libuv has no other interface, and nothing may be loaded before it that reads the rest
const workers = Number(process.env["WEB_CONCURRENCY"]) || 1;
process.env["UV_THREADPOOL_SIZE"] ??= String(coresPerWorker(workers) + SPARE_THREADS);
