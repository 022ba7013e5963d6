import type { PublicJwk } from "@gatehouse/contracts";
import { type Database, lockAdvisory } from "@gatehouse/database";
import { OperatorError } from "@gatehouse/errors";
import { createEvent } from "@gatehouse/messaging";
import {
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importJWK,
  importPKCS8,
  type CryptoKey,
} from "jose";
import { seal, unseal } from "./sealed-box.ts";
import type { AuthHandle, AuthTables, AuthTransact, AuthTransaction } from "../../db/database.ts";
import {
  findKeys,
  insertKey,
  setRetired,
  setSealedPrivateKey,
  type StoredKey,
} from "../../repositories/keys/signing-key.repository.ts";

export const SIGNING_ALGORITHMS = ["EdDSA", "ES256", "RS256"] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** From the publication of a key to its first signature: every verifier has fetched it by then. */
const SECONDS_BEFORE_SIGNING = 15 * 60;
/** The same in an emergency: every auth replica has loaded the key by then and can answer for its kid. */
const SECONDS_BEFORE_SIGNING_SOON = 35;
/** From the last token of a superseded key to its retirement; covers a replica that has not reloaded. */
const RETIREMENT_MARGIN_SECONDS = 120;
const UNKNOWN_KID_RELOAD_MS = 1_000;
const SEALING_PURPOSE = "signing-key";
const KEYS_LOCK = "auth.signing-keys";

export interface LoadedKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicJwk: PublicJwk;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  readonly signsFrom: Date;
}

export interface KeyServiceConfig {
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
export function createKeyService({ database, transact, config, now }: KeyServiceDeps) {
  let loaded: readonly LoadedKey[] = [];

  let reloadedAt = 0;
  const isLoaded = (kid: string) => loaded.some((key) => key.kid === kid);

  async function reload(): Promise<void> {
    reloadedAt = now().getTime();
    const stored = await findKeys(database.db);
    const known = new Map(loaded.map((key) => [key.kid, key]));
    loaded = await Promise.all(stored.map(async (key) => known.get(key.kid) ?? openKey(key, config.secrets)));
  }

  return {
    reload,

    /**
     * Creates the first key, or the next key when JWT_ALGORITHM has changed, and reseals keys sealed under a former
     * JWT_SECRET_KEY. Runs at startup; safe when several replicas run it at the same time.
     */
    async prepare(): Promise<void> {
      const candidate = await generateKey(config);
      await transact(async (trx) => {
        await lockAdvisory(trx, KEYS_LOCK);
        const [newest] = await findKeys(trx);
        if (newest?.algorithm === config.algorithm) return;
        const delay = newest === undefined ? 0 : SECONDS_BEFORE_SIGNING;
        await insertKey(trx, { ...candidate, signsFrom: inSeconds(now(), delay) });
      });
      await reload();
      await resealUnderFirstSecret(database.db, config.secrets);
    },

    /** Reseals keys sealed under a former JWT_SECRET_KEY, which is not needed afterwards. Returns their kids. */
    async reseal(): Promise<string[]> {
      await reload();
      return resealUnderFirstSecret(database.db, config.secrets);
    },

    /** Returns the key that signs now: the newest whose `signsFrom` has passed. */
    signingKey(): LoadedKey {
      const key = loaded.find(({ signsFrom }) => signsFrom <= now());
      if (!key) throw new Error("No signing key is loaded. Call prepare() first.");
      return key;
    },

    /** Returns the public key of a kid that is not retired. An unknown kid reloads the keys at most once a second, since forgers invent kids. */
    async publicKey(kid: string): Promise<CryptoKey | undefined> {
      if (!isLoaded(kid) && now().getTime() - reloadedAt > UNKNOWN_KID_RELOAD_MS) await reload();
      return loaded.find((key) => key.kid === kid)?.publicKey;
    },

    /** Returns every public key that verifies, including keys that do not sign yet (RFC 7517). */
    jwks: () => ({ keys: loaded.map((key) => key.publicJwk) }),

    list: () => findKeys(database.db),

    /** Publishes a new key, which signs after 15 minutes, or after 35 seconds with `soon`. */
    async rotate({ soon = false } = {}): Promise<{ kid: string; signsFrom: Date }> {
      const candidate = await generateKey(config);
      const signsFrom = inSeconds(now(), soon ? SECONDS_BEFORE_SIGNING_SOON : SECONDS_BEFORE_SIGNING);
      await transact(async (trx) => {
        await lockAdvisory(trx, KEYS_LOCK);
        await insertKey(trx, { ...candidate, signsFrom });
      });
      await reload();
      return { kid: candidate.kid, signsFrom };
    },

    /**
     * Retires a key whose successor signs. Tokens that it signed are rejected from then on.
     * @returns false when the key signs, will sign, or does not exist
     */
    async retire(kid: string): Promise<boolean> {
      const retired = await transact(async (trx, emit) => {
        await lockAdvisory(trx, KEYS_LOCK);
        const keys = await findKeys(trx);
        const signing = keys.findIndex(({ signsFrom }) => signsFrom <= now());
        const isSuperseded = signing !== -1 && keys.slice(signing + 1).some((key) => key.kid === kid);
        return isSuperseded && retire(trx, kid, emit);
      });
      if (retired) await reload();
      return retired;
    },

    /** Retires every superseded key whose last token has expired. Returns their kids. */
    async retireSuperseded(): Promise<string[]> {
      const retired = await transact(async (trx, emit) => {
        await lockAdvisory(trx, KEYS_LOCK);
        const kids: string[] = [];
        for (const kid of supersededKeys(await findKeys(trx), now(), config.accessTokenSeconds))
          if (await retire(trx, kid, emit)) kids.push(kid);
        return kids;
      });
      if (retired.length > 0) await reload();
      return retired;
    },
  };
}

/**
 * Returns the kids of keys that verify no unexpired token, because a newer key has signed for longer than an access token lives.
 * `keys` are sorted by `signsFrom`, latest first.
 */
export function supersededKeys(
  keys: readonly Pick<StoredKey, "kid" | "signsFrom">[],
  now: Date,
  accessTokenSeconds: number,
): string[] {
  const horizon = inSeconds(now, -(accessTokenSeconds + RETIREMENT_MARGIN_SECONDS));
  const successor = keys.findIndex(({ signsFrom }) => signsFrom <= horizon);
  return successor === -1 ? [] : keys.slice(successor + 1).map(({ kid }) => kid);
}

async function retire(
  trx: AuthTransaction,
  kid: string,
  emit: (event: ReturnType<typeof createEvent>) => void,
): Promise<boolean> {
  if (!(await setRetired(trx, kid))) return false;
  emit(createEvent({ source: "auth", type: "auth.key.retired", subject: kid, data: { kid } }));
  return true;
}

async function generateKey({ algorithm, secrets }: KeyServiceConfig) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const pkcs8 = Buffer.from(await exportPKCS8(privateKey));
  return {
    kid,
    algorithm,
    publicJwk: { ...jwk, kty: jwk.kty ?? "", kid, alg: algorithm, use: "sig" as const },
    sealedPrivateKey: seal(pkcs8, firstOf(secrets), SEALING_PURPOSE),
  };
}

async function openKey(stored: StoredKey, secrets: readonly string[]): Promise<LoadedKey> {
  const algorithm = stored.algorithm as SigningAlgorithm;
  const pkcs8 = unsealWithAny(stored, secrets)?.plaintext;
  if (!pkcs8)
    throw new OperatorError(
      `no value of JWT_SECRET_KEY opens the signing key ${stored.kid}: add the former value to the end of the list`,
    );
  return {
    kid: stored.kid,
    algorithm,
    publicJwk: stored.publicJwk,
    publicKey: (await importJWK(stored.publicJwk, algorithm)) as CryptoKey,
    privateKey: await importPKCS8(pkcs8.toString(), algorithm),
    signsFrom: stored.signsFrom,
  };
}

async function resealUnderFirstSecret(db: AuthHandle, secrets: readonly string[]): Promise<string[]> {
  const resealed: string[] = [];
  for (const stored of await findKeys(db)) {
    const opened = unsealWithAny(stored, secrets);
    if (opened === undefined || opened.secret === firstOf(secrets)) continue;
    await setSealedPrivateKey(db, stored.kid, seal(opened.plaintext, firstOf(secrets), SEALING_PURPOSE));
    resealed.push(stored.kid);
  }
  return resealed;
}

function unsealWithAny(
  { sealedPrivateKey }: StoredKey,
  secrets: readonly string[],
): { plaintext: Buffer; secret: string } | undefined {
  if (sealedPrivateKey === null) return undefined;
  for (const secret of secrets) {
    const plaintext = unseal(sealedPrivateKey, secret, SEALING_PURPOSE);
    if (plaintext) return { plaintext, secret };
  }
  return undefined;
}

function firstOf(secrets: readonly string[]): string {
  const [first] = secrets;
  if (first === undefined) throw new Error("JWT_SECRET_KEY is empty");
  return first;
}

function inSeconds(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000);
}
