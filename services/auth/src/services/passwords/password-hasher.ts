import { type Algorithm, hash, verify } from "@node-rs/argon2";
import { measureHashing } from "./hash-metrics.ts";
import { createHashQueue } from "./hash-queue.ts";

/** The library's own constant is a const enum, which stripped types cannot import. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const ARGON2ID = 2 satisfies Algorithm.Argon2id as Algorithm;

/** Argon2id's parameters (RFC 9106; OWASP Password Storage Cheat Sheet) and the bounds of the queue before it. */
export interface HashingConfig {
  readonly memoryKib: number;
  readonly timeCost: number;
  readonly parallelism: number;
  /** Hashes at once. */
  readonly concurrency: number;
  /** How long one may wait for its turn before the answer is 503. */
  readonly maxWaitMs: number;
}

export type PasswordHasher = Awaited<ReturnType<typeof createPasswordHasher>>;

/** Argon2id behind a bounded queue; every function may fail with ServiceUnavailable when the queue is too long. */
export async function createPasswordHasher(config: HashingConfig) {
  const options = {
    algorithm: ARGON2ID,
    memoryCost: config.memoryKib,
    timeCost: config.timeCost,
    parallelism: config.parallelism,
  };
  const inTurn = measureHashing(createHashQueue(config));
  // An unknown email must cost what a known one costs.
  const dummyHash = await hash("no account has this password", options);
  const currentParameters = parametersOf(dummyHash);

  return {
    hash: (password: string): Promise<string> => inTurn("hash", () => hash(password, options)),

    /** Whether `password` belongs to `passwordHash`; without one it costs the same and is false. */
    async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
      const matches = await inTurn("verify", () => verify(passwordHash ?? dummyHash, password));
      return matches && passwordHash !== undefined;
    },

    /** True when the hash was made with other parameters than the configured ones. */
    needsRehash: (passwordHash: string): boolean => parametersOf(passwordHash) !== currentParameters,
  };
}

/** The PHC string without salt and hash: `$argon2id$v=19$m=19456,t=2,p=1`. */
function parametersOf(passwordHash: string): string {
  return passwordHash.split("$").slice(0, 4).join("$");
}
