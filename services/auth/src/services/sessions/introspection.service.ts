import type { IntrospectionClaims, IntrospectionResult } from "@gatehouse/contracts";
import type { AuthHandle } from "../../db/database.ts";
import { listTokenStatuses, type TokenStatus } from "../../repositories/sessions/token-status.repository.ts";
import { isTokenValid } from "./access-token.service.ts";

const UNKNOWN: TokenStatus = { sessionEnded: true, tokenVersion: null, isAccountActive: false, isKeyValid: false };

export type IntrospectionService = ReturnType<typeof createIntrospectionService>;

export interface IntrospectionServiceDeps {
  readonly db: AuthHandle;
}

/** Tells whether tokens are still valid (after RFC 7662). The caller has verified their signatures. */
export function createIntrospectionService({ db }: IntrospectionServiceDeps) {
  return {
    async introspect(tokens: readonly IntrospectionClaims[]): Promise<IntrospectionResult[]> {
      const references = tokens.map(({ sub, sid, kid }) => ({ userId: sub, sessionId: sid, kid }));
      const statuses = await listTokenStatuses(db, references);
      return tokens.map(({ token_version }, index) => {
        const status = statuses[index] ?? UNKNOWN;
        return {
          active: isTokenValid(status, token_version),
          session_ended: status.sessionEnded,
          least_token_version: status.tokenVersion,
        };
      });
    },
  };
}
