import type { AccessClaims } from "./claims.ts";

export interface SignatureCache {
  get(token: string): AccessClaims | undefined;
  set(token: string, claims: AccessClaims): void;
}

/** Creates a cache of tokens with a valid signature. It holds at most `size` and evicts the oldest entry first. */
export function createSignatureCache(size: number, now: () => number): SignatureCache {
  const verified = new Map<string, AccessClaims>();
  return {
    get(token) {
      const claims = verified.get(token);
      if (!claims || claims.exp > now() / 1_000) return claims;
      verified.delete(token);
      return undefined;
    },
    set(token, claims) {
      verified.set(token, claims);
      const [oldest] = verified.keys();
      if (verified.size > size && oldest !== undefined) verified.delete(oldest);
    },
  };
}
