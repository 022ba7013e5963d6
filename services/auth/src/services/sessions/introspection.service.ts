import type { IntrospectionClaims, IntrospectionResult } from "@gatehouse/contracts";
import type { AuthHandle } from "../../db/database.ts";
import { findStanding, type Standing } from "../../repositories/sessions/standing.repository.ts";
import { stands } from "./standing.ts";

const GONE: Standing = { sessionEnded: true, tokenVersion: null, mayEnter: false, keyStands: false };

export type IntrospectionService = ReturnType<typeof createIntrospectionService>;

/** Says for tokens whose signature the caller has checked whether what they claim still holds (after RFC 7662). */
export function createIntrospectionService({ db }: { db: AuthHandle }) {
  return {
    async introspect(tokens: readonly IntrospectionClaims[]): Promise<IntrospectionResult[]> {
      const claimed = tokens.map(({ sub, sid, kid }) => ({ userId: sub, sessionId: sid, kid }));
      const standings = await findStanding(db, claimed);
      return tokens.map(({ token_version }, index) => {
        const standing = standings[index] ?? GONE;
        return {
          active: stands(standing, token_version),
          session_ended: standing.sessionEnded,
          least_token_version: standing.tokenVersion,
        };
      });
    },
  };
}
