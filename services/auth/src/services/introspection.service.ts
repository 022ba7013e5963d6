import type { IntrospectionClaims, IntrospectionResult } from "@gatehouse/contracts";
import type { AuthHandle } from "../db/database.ts";
import { findStanding, type Standing } from "../repositories/standing.repository.ts";
import type { KeyService } from "./key.service.ts";

const GONE: Standing = { sessionEnded: true, tokenVersion: null, mayEnter: false };

export type IntrospectionService = ReturnType<typeof createIntrospectionService>;

/** Says for tokens whose signature the caller has checked whether what they claim still holds (after RFC 7662). */
export function createIntrospectionService({ db, keys }: { db: AuthHandle; keys: KeyService }) {
  async function whichStand(tokens: readonly IntrospectionClaims[]): Promise<ReadonlySet<string>> {
    const standing = new Set<string>();
    for (const kid of new Set(tokens.map((token) => token.kid))) if (await keys.publicKey(kid)) standing.add(kid);
    return standing;
  }

  return {
    async introspect(tokens: readonly IntrospectionClaims[]): Promise<IntrospectionResult[]> {
      const pairs = tokens.map(({ sub, sid }) => ({ userId: sub, sessionId: sid }));
      const [standings, keysStand] = await Promise.all([findStanding(db, pairs), whichStand(tokens)]);
      return tokens.map(({ kid, token_version }, index) => {
        const standing = standings[index] ?? GONE;
        const { sessionEnded, tokenVersion, mayEnter } = standing;
        return {
          active: keysStand.has(kid) && !sessionEnded && tokenVersion === token_version && mayEnter,
          session_ended: sessionEnded,
          least_token_version: tokenVersion,
        };
      });
    },
  };
}
