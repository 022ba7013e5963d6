import type { CryptoKey } from "jose";
import type { AuthHandle } from "../../db/database.ts";
import { listKeys } from "../../repositories/keys/signing-key.repository.ts";
import { type LoadedKey, openKey } from "./key-material.ts";

const UNKNOWN_KID_RELOAD_MS = 1_000;

interface KeyringDeps {
  readonly db: AuthHandle;
  readonly secrets: readonly string[];
  readonly now: () => Date;
}

/** Keeps the keys that are not retired in memory, so that signing, verifying and the JWKS need no database. */
export function createKeyring({ db, secrets, now }: KeyringDeps) {
  let loaded: readonly LoadedKey[] = [];
  let reloadedAt = 0;
  const find = (kid: string) => loaded.find((key) => key.kid === kid);

  async function reload(): Promise<void> {
    reloadedAt = now().getTime();
    const stored = await listKeys(db);
    const known = new Map(loaded.map((key) => [key.kid, key]));
    loaded = await Promise.all(stored.map(async (key) => known.get(key.kid) ?? openKey(key, secrets)));
  }

  return {
    reload,

    /** Returns the key that signs now: the newest whose `signsFrom` has passed. */
    signingKey(): LoadedKey {
      const key = loaded.find(({ signsFrom }) => signsFrom <= now());
      if (!key) throw new Error("No signing key is loaded. Call prepare() first.");
      return key;
    },

    /** Returns the public key of a kid that is not retired. An unknown kid reloads the keys at most once a second, since forgers invent kids. */
    async publicKey(kid: string): Promise<CryptoKey | undefined> {
      if (!find(kid) && now().getTime() - reloadedAt > UNKNOWN_KID_RELOAD_MS) await reload();
      return find(kid)?.publicKey;
    },

    /** Returns every public key that verifies, including keys that do not sign yet (RFC 7517). */
    jwks: () => ({ keys: loaded.map((key) => key.publicJwk) }),
  };
}
