import { type Database, lockAdvisory } from "@gatehouse/database";
import type { AuthTables, AuthTransact } from "../../db/database.ts";
import { insertKey, listKeys, setSealedPrivateKey } from "../../repositories/keys/signing-key.repository.ts";
import { generateKey, resealPrivateKey, type SigningAlgorithm } from "./key-material.ts";
import { createKeyRetirement, type UnderLock } from "./key-retirement.ts";
import { createKeyring } from "./keyring.ts";

/** From the publication of a key to its first signature: every verifier has fetched it by then. */
const SECONDS_BEFORE_SIGNING = 15 * 60;
/** The same in an emergency: every auth replica has loaded the key by then and can answer for its kid. */
const SECONDS_BEFORE_SIGNING_SOON = 35;
const KEYS_LOCK = "auth.signing-keys";

interface KeyServiceConfig {
  readonly algorithm: SigningAlgorithm;
  /** The first secret seals; every secret can open. */
  readonly secrets: readonly string[];
  readonly accessTokenSeconds: number;
}

export interface KeyServiceDeps {
  readonly database: Database<AuthTables>;
  readonly transact: AuthTransact;
  readonly config: KeyServiceConfig;
  readonly now: () => Date;
}

export type KeyService = ReturnType<typeof createKeyService>;

/** Creates, publishes, rotates and retires signing keys. Private keys are stored sealed under JWT_SECRET_KEY. */
export function createKeyService({ database: { db }, transact, config, now }: KeyServiceDeps) {
  const { algorithm, secrets } = config;
  const keyring = createKeyring({ db, secrets, now });
  const generate = () => generateKey(algorithm, secrets);

  /** Lets one process at a time change the keys. */
  const underLock: UnderLock = (change) =>
    transact(async (trx, emit) => {
      await lockAdvisory(trx, KEYS_LOCK);
      return change(trx, emit);
    });

  async function resealAll(): Promise<string[]> {
    const resealed: string[] = [];
    for (const stored of await listKeys(db)) {
      const sealed = resealPrivateKey(stored, secrets);
      if (sealed === undefined) continue;
      await setSealedPrivateKey(db, stored.kid, sealed);
      resealed.push(stored.kid);
    }
    return resealed;
  }

  /** Creates the first key, or the next key when JWT_ALGORITHM has changed. */
  async function createMissingKey(): Promise<void> {
    const candidate = await generate();
    await underLock(async (trx) => {
      const [newest] = await listKeys(trx);
      if (newest?.algorithm === algorithm) return;
      const delay = newest === undefined ? 0 : SECONDS_BEFORE_SIGNING;
      await insertKey(trx, { ...candidate, signsFrom: inSeconds(now(), delay) });
    });
  }

  return {
    ...keyring,
    list: () => listKeys(db),
    ...createKeyRetirement({ underLock, reload: keyring.reload, accessTokenSeconds: config.accessTokenSeconds, now }),

    /**
     * Creates a missing key and reseals keys sealed under a former JWT_SECRET_KEY. Runs at startup; safe when several
     * replicas run it at the same time.
     */
    async prepare(): Promise<void> {
      await createMissingKey();
      await keyring.reload();
      await resealAll();
    },

    /** Reseals keys sealed under a former JWT_SECRET_KEY, which is not needed afterwards. Returns their kids. */
    async reseal(): Promise<string[]> {
      await keyring.reload();
      return resealAll();
    },

    /** Publishes a new key, which signs after 15 minutes, or after 35 seconds with `soon`. */
    async rotate({ soon = false } = {}): Promise<{ kid: string; signsFrom: Date }> {
      const candidate = await generate();
      const signsFrom = inSeconds(now(), soon ? SECONDS_BEFORE_SIGNING_SOON : SECONDS_BEFORE_SIGNING);
      await underLock((trx) => insertKey(trx, { ...candidate, signsFrom }));
      await keyring.reload();
      return { kid: candidate.kid, signsFrom };
    },
  };
}

function inSeconds(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000);
}
