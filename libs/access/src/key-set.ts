import { Jwks, type PublicJwk } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import { type CryptoKey, importJWK } from "jose";

export interface KeySetOptions {
  /** auth's, one or several; asked in turn. */
  readonly urls: readonly string[];
  readonly logger: Logger;
}

export interface KeySet {
  /**
   * The public key of a kid. An unknown kid is looked up at once, but rarely: forgers invent kids.
   * @throws AppError ServiceUnavailable as long as no set was ever had
   */
  keyFor(kid: string): Promise<CryptoKey | undefined>;
  isLoaded(): boolean;
  close(): void;
}

const REFRESH_MS = 60_000;
const RETRY_MS = 250;
const UNKNOWN_KID_PAUSE_MS = 1_000;
const ANSWER_TIMEOUT_MS = 2_000;
export const VERIFICATION_ALGORITHMS: readonly string[] = ["EdDSA", "ES256", "RS256"];

/**
 * auth's public keys, fetched each minute. The last good set is kept for as long as auth is away: jose's own remote set
 * would begin to refuse every token when its cache is over.
 */
export function createKeySet({ urls, logger }: KeySetOptions): KeySet {
  let keys: ReadonlyMap<string, CryptoKey> | undefined;
  let turn = 0;
  let refreshing: Promise<void> | undefined;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let reported = false;

  function refresh(): Promise<void> {
    refreshing ??= load().finally(() => {
      refreshing = undefined;
      refreshedAt = performance.now();
    });
    return refreshing;
  }

  async function load(): Promise<void> {
    const url = urls[turn++ % urls.length];
    try {
      const response = await fetch(`${url}/.well-known/jwks.json`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
      if (!response.ok) throw new Error(`the key set was answered with ${response.status}`);
      keys = await importAll(Jwks.parse(await response.json()).keys);
      reported = false;
    } catch (error) {
      if (!reported) logger.warn({ err: error }, "the key set cannot be fetched; the last one goes on");
      reported = true;
    }
  }

  async function keepFresh(): Promise<void> {
    await refresh();
    if (!closed) timer = setTimeout(() => void keepFresh(), keys ? REFRESH_MS : RETRY_MS);
  }
  void keepFresh();

  return {
    isLoaded: () => keys !== undefined,
    async keyFor(kid) {
      const known = keys?.get(kid);
      if (known) return known;
      if (refreshing || performance.now() - refreshedAt > UNKNOWN_KID_PAUSE_MS) await refresh();
      if (!keys)
        throw new AppError("ServiceUnavailable", { detail: "The keys to verify tokens with are not there yet" });
      return keys.get(kid);
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

async function importAll(jwks: readonly PublicJwk[]): Promise<ReadonlyMap<string, CryptoKey>> {
  const usable = jwks.filter(({ alg }) => VERIFICATION_ALGORITHMS.includes(alg));
  return new Map(
    await Promise.all(usable.map(async (jwk) => [jwk.kid, (await importJWK(jwk, jwk.alg)) as CryptoKey] as const)),
  );
}
