import type { IntrospectionClaims, IntrospectionResult } from "@gatehouse/contracts";
import type { AuthHandle } from "../db/database.ts";
import { findStanding } from "../repositories/standing.repository.ts";
import type { KeyService } from "./key.service.ts";

export type IntrospectionService = ReturnType<typeof createIntrospectionService>;

/** Says for tokens whose signature the caller has checked whether what they claim still holds (after RFC 7662). */
export function createIntrospectionService({ db, keys }: { db: AuthHandle; keys: KeyService }) {
  return {
    async introspect(tokens: readonly IntrospectionClaims[]): Promise<IntrospectionResult[]> {
      const pairs = tokens.map(({ sub, sid }) => ({ userId: sub, sessionId: sid }));
      const standings = await findStanding(db, pairs);
      return tokens.map((token, index) => {
        const standing = standings[index];
        const sessionEnded = standing?.sessionEnded ?? true;
        const tokenVersion = standing?.tokenVersion ?? null;
        const keyStands = keys.publicKey(token.kid) !== undefined;
        return {
          active: keyStands && !sessionEnded && tokenVersion === token.token_version && standing?.mayEnter === true,
          session_ended: sessionEnded,
          least_token_version: tokenVersion,
        };
      });
    },
  };
}
