import { type Algorithm, hash, verify } from "@node-rs/argon2";
import { measureHashing } from "./hash-metrics.ts";
import { createHashQueue } from "./hash-queue.ts";

/** The library exports a const enum, which type stripping cannot import. */
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment
const ARGON2ID = 2 satisfies Algorithm.Argon2id as Algorithm;

/** Argon2id's parameters (RFC 9106; OWASP Password Storage Cheat Sheet) and the limits of its queue. */
export interface HashingConfig {
  readonly memoryKib: number;
  readonly timeCost: number;
  readonly parallelism: number;
  /** Hashes at once. */
  readonly concurrency: number;
  /** The longest wait for a slot; then the request fails with 503. */
  readonly maxWaitMs: number;
}

export type PasswordHasher = Awaited<ReturnType<typeof createPasswordHasher>>;

/** Hashes with Argon2id behind a bounded queue. Every function throws ServiceUnavailable when no slot is free in time. */
export async function createPasswordHasher(config: HashingConfig) {
  const options = {
    algorithm: ARGON2ID,
    memoryCost: config.memoryKib,
    timeCost: config.timeCost,
    parallelism: config.parallelism,
  };
  const inQueue = measureHashing(createHashQueue(config));
  // An unknown email must take as long as a known one.
  const dummyHash = await hash("no account has this password", options);
  const currentParameters = parametersOf(dummyHash);

  return {
    hash: (password: string): Promise<string> => inQueue("hash", () => hash(password, options)),

    /** Returns whether `password` matches `passwordHash`. Without a hash it takes as long and returns false. */
    async verify(passwordHash: string | undefined, password: string): Promise<boolean> {
      const matches = await inQueue("verify", () => verify(passwordHash ?? dummyHash, password));
      return matches && passwordHash !== undefined;
    },

    /** Returns whether the hash was made with parameters that differ from the configured ones. */
    needsRehash: (passwordHash: string): boolean => parametersOf(passwordHash) !== currentParameters,
  };
}

/** Returns the PHC string without salt and hash: `$argon2id$v=19$m=19456,t=2,p=1`. */
function parametersOf(passwordHash: string): string {
  return passwordHash.split("$").slice(0, 4).join("$");
}
