import { Jwks, type PublicJwk } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import type { Upstream, UpstreamResponse } from "@gatehouse/upstream";
import { type CryptoKey, importJWK } from "jose";

export interface KeySetDeps {
  readonly auth: Upstream;
  /** Keys of other algorithms are ignored. */
  readonly algorithms: readonly string[];
  readonly logger: Logger;
}

export interface KeySet {
  /**
   * Returns the public key of a kid. An unknown kid triggers a fetch, at most once a second: attackers can invent kids.
   * @throws AppError ServiceUnavailable until the first set is loaded
   */
  keyFor(kid: string): Promise<CryptoKey | undefined>;
  isLoaded(): boolean;
  close(): void;
}

const PATH = "/.well-known/jwks.json";
const REFRESH_MS = 60_000;
const RETRY_MS = 250;
const UNKNOWN_KID_PAUSE_MS = 1_000;
const RESPONSE_TIMEOUT_MS = 2_000;

/**
 * Creates the set of auth's public keys, fetched each minute. The last valid set is kept while auth is down; jose's remote
 * set would reject every token once its cache expires.
 */
export function createKeySet({ auth, algorithms, logger }: KeySetDeps): KeySet {
  const closed = new AbortController();
  let keys: ReadonlyMap<string, CryptoKey> | undefined;
  let refreshing: Promise<void> | undefined;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;

  function refresh(): Promise<void> {
    refreshing ??= load().finally(() => {
      refreshing = undefined;
      refreshedAt = performance.now();
    });
    return refreshing;
  }

  async function load(): Promise<void> {
    try {
      const jwks = await fetchKeys();
      const imported = await importAll(jwks.filter(({ alg }) => algorithms.includes(alg)));
      // Auth always has a signing key, so an empty set is a fault.
      if (imported.size === 0) throw new Error("auth returned no usable key");
      keys = imported;
      failing = false;
    } catch (error) {
      if (!failing && !closed.signal.aborted)
        logger.warn({ err: error }, "fetching auth's signing keys failed, retrying");
      failing = true;
    }
  }

  function fetchKeys(): Promise<readonly PublicJwk[]> {
    const request = { method: "GET", path: PATH, retry: "always", timeoutMs: RESPONSE_TIMEOUT_MS } as const;
    return auth.send({ ...request, signal: closed.signal }, readKeys);
  }

  async function importAll(jwks: readonly PublicJwk[]): Promise<ReadonlyMap<string, CryptoKey>> {
    const imported = new Map<string, CryptoKey>();
    for (const jwk of jwks) {
      const key = await importJWK(jwk, jwk.alg).catch(() => undefined);
      if (key === undefined || key instanceof Uint8Array)
        logger.warn({ kid: jwk.kid }, "skipped an unusable signing key");
      else imported.set(jwk.kid, key);
    }
    return imported;
  }

  async function keepFresh(): Promise<void> {
    await refresh();
    if (!closed.signal.aborted) timer = setTimeout(() => void keepFresh(), keys ? REFRESH_MS : RETRY_MS);
  }
  void keepFresh();

  return {
    isLoaded: () => keys !== undefined,
    async keyFor(kid) {
      const known = keys?.get(kid);
      if (known) return known;
      if (refreshing ? !failing : performance.now() - refreshedAt > UNKNOWN_KID_PAUSE_MS) await refresh();
      if (!keys)
        throw new AppError("ServiceUnavailable", { detail: "Signing keys are not loaded yet; try again shortly." });
      return keys.get(kid);
    },
    close() {
      closed.abort();
      clearTimeout(timer);
    },
  };
}

async function readKeys({ statusCode, body }: UpstreamResponse): Promise<readonly PublicJwk[]> {
  if (statusCode === 200) return Jwks.parse(await body.json()).keys;
  await body.dump();
  throw new Error(`status ${statusCode}`);
}
